/*
 * The script that finds and signals the main process of an exec, run for real
 * by this machine's sh over real processes.  The engine is this test: it runs
 * on the host, or in a pid namespace with its own /proc, into which processes
 * come as an engine puts them, with a parent outside.
 */
#include "../../src/docker/engine.h"

#include "jumpbox/util.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT_S = 30 }; /* a process that should have ended and has not hangs the test */

static struct {
	pid_t init; /* 0: everything runs on the host */
	int pids, mounts, own_pids;
} container;

/* A fork whose child is in the container, if there is one. */
static pid_t
fork_there(void)
{
	pid_t pid;

	if (container.init == 0)
		return fork();
	assert_int_equal(setns(container.pids, CLONE_NEWPID), 0);
	pid = fork();
	if (pid == 0 && setns(container.mounts, CLONE_NEWNS) != 0)
		_exit(98);
	if (pid > 0)
		assert_int_equal(setns(container.own_pids, CLONE_NEWPID), 0);
	return pid;
}

/* ---- the engine ---------------------------------------------------------- */

static const char *const *script;
static const char *path = "/usr/bin:/bin";
static pid_t script_pid;
static int64_t engines_pid;
static bool no_sh;

int
engine_exec_create(
    struct engine *en, const struct exec_spec *spec, char exec_id[static 65], struct errtext *e)
{
	(void)en;
	(void)e;
	script = spec->argv;
	str_copy(exec_id, 65, "script");
	return 0;
}

int
engine_exec_start(struct engine *en, const struct engine_info *info, const struct exec_spec *spec,
    const char *exec_id, struct exec_stream *s, bool *no_program, struct errtext *e)
{
	int fd[2];

	(void)en;
	(void)info;
	(void)spec;
	(void)exec_id;
	*no_program = no_sh;
	if (no_sh)
		return err_set(e, JB_UNAVAILABLE, "no program");
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	script_pid = fork_there();
	if (script_pid == 0) {
		dup2(fd[1], 1);
		setenv("PATH", path, 1);
		execvp(script[0], (char *const *)script);
		_exit(99);
	}
	close(fd[1]);
	s->fd = fd[0];
	return 0;
}

void
exec_stream_finish(struct engine *en, struct exec_stream *s, int64_t deadline, const char *word,
    char *text, size_t size)
{
	size_t have = 0;
	ssize_t n;

	(void)en;
	(void)deadline;
	(void)word;
	while ((n = read(s->fd, text + have, size - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	close(s->fd);
	waitpid(script_pid, NULL, 0);
}

int
engine_exec_inspect(
    struct engine *en, const char *exec_id, struct exec_status *s, struct errtext *e)
{
	(void)en;
	(void)exec_id;
	(void)e;
	*s = (struct exec_status){ .running = true, .pid = engines_pid };
	return 0;
}

static int
send_signal(const char *marker, const char *name)
{
	return engine_exec_signal(
	    NULL, NULL, "container", NULL, false, NULL, marker, name, false, NULL);
}

static int
send_to_engines_pid(const char *marker, pid_t pid)
{
	engines_pid = pid;
	return engine_exec_signal(
	    NULL, NULL, "container", NULL, true, "exec", marker, "TERM", false, NULL);
}

/* ---- the processes ------------------------------------------------------- */

#define ECHOES "echo; read x; echo \"$x\""

struct program {
	pid_t pid;
	int in, out;
};

/* Runs text, which says an empty line when it is ready, with that marker between other variables. */
static struct program
start(const char *marker, const char *text)
{
	char var[64], ready;
	char *env[] = { "BEFORE=one\ntwo", var, "PATH=/usr/bin:/bin", NULL };
	struct program p;
	int in[2], out[2];

	snprintf(var, sizeof(var), EXEC_MARKER "=%s", marker);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	p = (struct program){ .pid = fork_there(), .in = in[1], .out = out[0] };
	if (p.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execle("/bin/sh", "sh", "-c", text, (char *)NULL, env);
		_exit(99);
	}
	close(in[0]);
	close(out[1]);
	assert_int_equal(read(p.out, &ready, 1), 1);
	return p;
}

/* Whatever reads its input is alive: it answers.  A signal sent before that would have won. */
static bool
answers(const struct program *p)
{
	char text[16] = "";
	size_t n = 0;
	ssize_t got;

	signal(SIGPIPE, SIG_IGN);
	if (write(p->in, "alive\n", 6) == 6)
		while ((got = read(p->out, text + n, sizeof(text) - 1 - n)) > 0)
			n += (size_t)got;
	return strcmp(text, "alive\n") == 0;
}

/* The signal that ended it, 0: none; and no more of it. */
static int
end(const struct program *p)
{
	int status = 0;

	close(p->in);
	close(p->out);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* ---- on the host --------------------------------------------------------- */

static void
takes_the_engine_s_pid_only_with_the_marker(void **state)
{
	struct program p = start("unit-2", ECHOES), q = start("unit-22", ECHOES);

	(void)state;
	assert_int_equal(send_to_engines_pid("unit-2", q.pid), JB_NOT_FOUND);
	assert_int_equal(send_to_engines_pid("unit-2", 0), JB_UNAVAILABLE);
	assert_true(answers(&q));
	assert_int_equal(end(&q), 0);
	assert_int_equal(send_to_engines_pid("unit-2", p.pid), 0);
	assert_int_equal(end(&p), SIGTERM);
}

static void
looks_for_nothing_whose_parent_is_inside(void **state)
{
	struct program p = start("unit-3", ECHOES);

	(void)state;
	assert_int_equal(send_signal("unit-3", "TERM"), JB_NOT_FOUND);
	assert_true(answers(&p));
	assert_int_equal(end(&p), 0);
}

static void
takes_nothing_for_a_word_that_is_none(void **state)
{
	(void)state;
	script = NULL;
	assert_int_equal(send_signal("unit-1;x", "TERM"), JB_BAD_INPUT);
	assert_int_equal(send_signal("", "TERM"), JB_BAD_INPUT);
	assert_int_equal(send_signal("unit-1", "TERM x"), JB_BAD_INPUT);
	assert_int_equal(send_signal("unit-1", "-1"), JB_BAD_INPUT);
	assert_null(script);
}

static void
says_that_there_is_no_sh(void **state)
{
	struct errtext e;

	(void)state;
	no_sh = true;
	assert_int_equal(engine_exec_signal(NULL, NULL, "container", NULL, false, NULL, "unit-1",
			     "TERM", false, &e),
	    JB_UNAVAILABLE);
	no_sh = false;
	assert_non_null(strstr(e.s, "`sh`"));
}

/* ---- in the container ---------------------------------------------------- */

static int
container_start(void **state)
{
	char name[64], ready;
	int fd[2];

	(void)state;
	if (geteuid() != 0)
		return 0;
	container.own_pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (pipe(fd) != 0 || unshare(CLONE_NEWPID) != 0 || (container.init = fork()) < 0)
		return -1;
	if (container.init == 0) {
		signal(SIGCHLD, SIG_IGN);
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("proc", "/proc", "proc", 0, NULL) != 0 || write(fd[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fd[1]);
	if (setns(container.own_pids, CLONE_NEWPID) != 0 || read(fd[0], &ready, 1) != 1)
		return -1;
	close(fd[0]);
	snprintf(name, sizeof(name), "/proc/%d/ns/pid", (int)container.init);
	container.pids = open(name, O_RDONLY | O_CLOEXEC);
	snprintf(name, sizeof(name), "/proc/%d/ns/mnt", (int)container.init);
	container.mounts = open(name, O_RDONLY | O_CLOEXEC);
	return container.pids < 0 || container.mounts < 0 ? -1 : 0;
}

/* With the first process go all others. */
static int
container_stop(void **state)
{
	(void)state;
	if (container.init == 0)
		return 0;
	kill(container.init, SIGKILL);
	while (wait(NULL) > 0) /* it ends when all of them are reaped */
		;
	close(container.own_pids);
	close(container.pids);
	close(container.mounts);
	return 0;
}

static void
finds_the_one_with_the_marker(const char *name, int sig)
{
	struct program other = start("unit-12", ECHOES), p = start("unit-1", ECHOES),
		       longer = start("unit-10", ECHOES), foreign = start("jumpbox-1", ECHOES);

	assert_int_equal(send_signal("unit-1", name), 0);
	assert_int_equal(end(&p), sig);
	assert_int_equal(send_signal("unit-1", name), JB_NOT_FOUND);
	assert_true(answers(&other));
	assert_true(answers(&longer));
	assert_true(answers(&foreign));
	end(&other);
	end(&longer);
	end(&foreign);
}

static void
takes_a_longer_marker_for_another(void **state)
{
	(void)state;
	if (container.init == 0)
		skip();
	finds_the_one_with_the_marker("TERM", SIGTERM);
	finds_the_one_with_the_marker("USR1", SIGUSR1);
}

static void
needs_no_grep(void **state)
{
	char dir[] = "/tmp/jumpbox-unit-XXXXXX", sh[64];

	(void)state;
	if (container.init == 0)
		skip();
	assert_non_null(mkdtemp(dir));
	snprintf(sh, sizeof(sh), "%s/sh", dir);
	assert_int_equal(symlink("/bin/sh", sh), 0);
	path = dir;
	finds_the_one_with_the_marker("TERM", SIGTERM);
	path = "/usr/bin:/bin";
	unlink(sh);
	rmdir(dir);
}

/* It has the marker too, and when its parent has gone it is the only one. */
static void
leaves_what_was_detached_alone(void **state)
{
	struct program p;

	(void)state;
	if (container.init == 0)
		skip();
	p = start("unit-4", "exec 3<&0; { read x <&3; echo \"$x\"; } & echo; wait");
	assert_int_equal(send_signal("unit-4", "TERM"), 0);
	assert_int_equal(send_signal("unit-4", "TERM"), JB_NOT_FOUND);
	assert_true(answers(&p));
	assert_int_equal(end(&p), SIGTERM);
}

/* Nobody has reaped it when the script is done: a zombie counts as gone. */
static void
escalates_until_it_is_gone(void **state)
{
	struct program p;

	(void)state;
	if (container.init == 0)
		skip();
	p = start("unit-5", "trap '' HUP; " ECHOES);
	assert_int_equal(engine_exec_signal(NULL, NULL, "container", NULL, false, NULL, "unit-5",
			     "HUP", true, NULL),
	    0);
	assert_int_equal(end(&p), SIGTERM);
}

int
main(void)
{
	const struct CMUnitTest on_the_host[] = {
		cmocka_unit_test(takes_the_engine_s_pid_only_with_the_marker),
		cmocka_unit_test(looks_for_nothing_whose_parent_is_inside),
		cmocka_unit_test(takes_nothing_for_a_word_that_is_none),
		cmocka_unit_test(says_that_there_is_no_sh),
	};
	const struct CMUnitTest in_the_container[] = {
		cmocka_unit_test(takes_a_longer_marker_for_another),
		cmocka_unit_test(needs_no_grep),
		cmocka_unit_test(leaves_what_was_detached_alone),
		cmocka_unit_test(escalates_until_it_is_gone),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(on_the_host, NULL, NULL) +
	    cmocka_run_group_tests(in_the_container, container_start, container_stop);
}
