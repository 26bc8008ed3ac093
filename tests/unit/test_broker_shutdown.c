/*
 * Whom `jumpbox-broker shutdown` ends, by the rows of a real database: the
 * real file, over processes that only wait for their end.
 */
#include "store_fixture.h"

#include "../../src/broker/broker.h"

#include "jumpbox/role.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CROWD = 70, ENDING_MS = 50, LIMIT_S = 60 };

/* ---- the broker around it -------------------------------------------------- */

static struct store *st;
static int spare; /* descriptors that it may still open; -1: as many as it likes */

void
role_begin(const char *role, struct config *c)
{
	struct errtext e;

	(void)role;
	assert_int_equal(config_load("/dev/null", c, &e), 0);
}

void
role_confine(const char *user, const char *jail)
{
	(void)user;
	(void)jail;
}

static rlim_t
limit_open_files(rlim_t n)
{
	struct rlimit l;
	rlim_t was;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	was = l.rlim_cur;
	l.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	return was;
}

struct store *
broker_store(struct broker *b)
{
	int next = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	close(next);
	if (spare >= 0)
		limit_open_files((rlim_t)(next + spare));
	return b->st = st;
}

void
broker_store_close(struct broker *b)
{
	b->st = NULL;
}

/* ---- processes and their rows ------------------------------------------------ */

/* Ends a moment after it was told to, or at once if this test asks whether it was. */
static pid_t
waiting_process(void)
{
	sigset_t set, before;
	pid_t pid;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_BLOCK, &set, &before);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		sigwait(&set, &sig); /* of two the lower: SIGTERM */
		if (sig == SIGTERM)
			poll(NULL, 0, ENDING_MS);
		_exit(sig);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_true(pid > 0);
	return pid;
}

static bool
was_told(pid_t pid)
{
	int status;

	kill(pid, SIGURG);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == SIGTERM;
}

static struct session
session_of(pid_t pid)
{
	return (struct session){
		.conn = (uint64_t)pid,
		.user = "alice",
		.source = "192.0.2.1",
		.method = "publickey",
		.host = host_name(),
		.boot_id = boot_id(),
		.pid = pid,
		.pid_start = proc_start_time(pid),
	};
}

static void
opened(const struct session *s)
{
	int64_t id;

	assert_int_equal(session_open(st, s, 0, 0, &id), 0);
}

/* The exit status, and what was logged. */
static int
shut_down(int descriptors, char log[static 1024])
{
	int file = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO), status;
	rlim_t was = limit_open_files(1024);
	ssize_t n;

	spare = descriptors;
	dup2(file, STDERR_FILENO);
	status = shutdown_sessions();
	limit_open_files(was);
	dup2(saved, STDERR_FILENO);
	n = pread(file, log, 1023, 0);
	log[n > 0 ? n : 0] = '\0';
	close(saved);
	close(file);
	return status;
}

static int
begin(void **state)
{
	struct fixture *f;

	if (fixture_setup(state) != 0)
		return -1;
	f = *state;
	st = f->st;
	add_user(f, "alice");
	return 0;
}

/* ---- whom it ends --------------------------------------------------------------- */

static void
it_returns_when_all_have_ended_however_few_descriptors_there_are(void **state)
{
	struct session s;
	pid_t pid[CROWD];
	char log[1024];
	siginfo_t info = { 0 };
	int ended = 0;

	(void)state;
	for (int i = 0; i < CROWD; i++) {
		pid[i] = waiting_process();
		s = session_of(pid[i]);
		opened(&s);
	}
	assert_int_equal(shut_down(2, log), 0);
	for (int i = 0; i < CROWD; i++) {
		ended += waitid(P_PID, (id_t)pid[i], &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == pid[i];
		assert_true(was_told(pid[i]));
	}
	assert_int_equal(ended, CROWD);
	assert_string_equal(log, "");
}

struct thread {
	pthread_t t;
	sem_t runs, over;
	pid_t number;
};

static void *
thread_main(void *arg)
{
	struct thread *th = arg;

	th->number = gettid();
	sem_post(&th->runs);
	while (sem_wait(&th->over) < 0)
		;
	return NULL;
}

static void
thread_begin(struct thread *th)
{
	sem_init(&th->runs, 0, 0);
	sem_init(&th->over, 0, 0);
	assert_int_equal(pthread_create(&th->t, NULL, thread_main, th), 0);
	while (sem_wait(&th->runs) < 0)
		;
}

static void
only_the_process_that_the_row_means(void **state)
{
	struct session recycled, elsewhere, before, gone, of_thread;
	pid_t pid = waiting_process(), dead = waiting_process();
	struct thread th;
	char log[1024];

	(void)state;
	recycled = elsewhere = before = session_of(pid);
	recycled.pid_start++;
	elsewhere.host = "jump2";
	before.boot_id = "boot-1";
	gone = session_of(dead);
	kill(dead, SIGKILL);
	waitpid(dead, NULL, 0);
	thread_begin(&th);
	of_thread = session_of(pid);
	of_thread.pid = th.number;
	opened(&of_thread);
	opened(&recycled);
	opened(&elsewhere);
	opened(&before);
	opened(&gone);
	assert_int_equal(shut_down(-1, log), 0);
	assert_false(was_told(pid));
	assert_string_equal(log, "");
	sem_post(&th.over);
	pthread_join(th.t, NULL);
}

static void
one_that_cannot_be_reached_is_named(void **state)
{
	pid_t pid = waiting_process();
	struct session s = session_of(pid);
	char log[1024], process[32];

	(void)state;
	opened(&s);
	assert_int_equal(shut_down(0, log), 0);
	assert_false(was_told(pid));
	snprintf(process, sizeof process, "process=%d ", (int)pid);
	assert_non_null(strstr(log, "session.not_ended"));
	assert_non_null(strstr(log, process));
	assert_non_null(strstr(log, "Too many open files"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    it_returns_when_all_have_ended_however_few_descriptors_there_are, begin,
		    fixture_teardown),
		cmocka_unit_test_setup_teardown(
		    only_the_process_that_the_row_means, begin, fixture_teardown),
		cmocka_unit_test_setup_teardown(
		    one_that_cannot_be_reached_is_named, begin, fixture_teardown),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
