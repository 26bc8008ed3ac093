/*
 * What a role finds when it is started: this program is started in its place
 * and reports.
 */
#include "../../src/supervisor/spawn.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

enum { LIMIT_S = 60, FAR_FD = 200 };

extern char **environ;

/* ---- the role ---------------------------------------------------------------- */

static bool
is_null(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 && a.st_rdev == b.st_rdev;
}

static void
report_file(FILE *f, const char *name, int fd)
{
	char s[64] = "";
	ssize_t n = pread(fd, s, sizeof s - 1, 0);

	if (n >= 0)
		fprintf(f, "%s: %s\n", name, s);
}

/* One that has no more than it should writes this to its control socket, or to where the keys go. */
static int
role(char **argv)
{
	struct sigaction pipe_action;
	sigset_t blocked;
	char text[2048];
	FILE *f = fmemopen(text, sizeof text, "w");
	int i;

	fputs("argv:", f);
	for (i = 0; argv[i] != NULL; i++)
		fprintf(f, " %s", argv[i]);
	fputs("\nenv:", f);
	for (i = 0; environ[i] != NULL; i++)
		fprintf(f, " %s", environ[i]);
	fputs("\nfds:", f);
	for (i = 0; i <= FAR_FD; i++)
		if (fcntl(i, F_GETFD) >= 0)
			fprintf(f, " %d", i);
	fputc('\n', f);
	report_file(f, "config", ROLE_CONFIG_FD);
	report_file(f, "keys", ROLE_KEYS_FD);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	sigaction(SIGPIPE, NULL, &pipe_action);
	if (!sigisemptyset(&blocked) || pipe_action.sa_handler != SIG_DFL)
		fputs("signals are not as usual\n", f);
	if (getsid(0) != getpid())
		fputs("not in a session of its own\n", f);
	if (!is_null(STDIN_FILENO) || !is_null(STDOUT_FILENO))
		fputs("standard input and output are something\n", f);
	fclose(f);
	i = fcntl(ROLE_CONTROL_FD, F_GETFD) >= 0 ? ROLE_CONTROL_FD : ROLE_KEYS_FD;
	return write(i, text, strlen(text)) < 0 ? 1 : 0;
}

/* This program again, as the supervisor starts itself. */
static int
self(void)
{
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	return getenv("SECRET") != NULL && fcntl(FAR_FD, F_GETFD) == 0 &&
		!sigismember(&blocked, SIGTERM) && getsid(0) == getpid()
	    ? 42
	    : 1;
}

int
execve(const char *path, char *const argv[], char *const envp[])
{
	static const char *const installed[] = { LIBEXECDIR "/jumpbox-session",
		LIBEXECDIR "/jumpbox-broker" };

	for (size_t i = 0; i < NELEMS(installed); i++)
		if (strcmp(path, installed[i]) == 0)
			return (int)syscall(SYS_execve, "/proc/self/exe", argv, envp);
	errno = ENOENT;
	return -1;
}

/* ---- the supervisor, with more than its roles should have ------------------------- */

static int config, keys;

static int
file_at(int number, const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(write_all(fd, text, strlen(text), -1), 0);
	if (fd != number) {
		assert_int_equal(dup3(fd, number, O_CLOEXEC), number);
		close(fd);
	}
	return number;
}

static int
setup(void **state)
{
	sigset_t all;

	(void)state;
	/* Each where the other will be. */
	config = file_at(ROLE_KEYS_FD, "the configuration");
	keys = file_at(ROLE_CONFIG_FD, "the keys");
	assert_int_equal(dup2(config, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(dup2(config, FAR_FD), FAR_FD);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	sigprocmask(SIG_SETMASK, &all, NULL);
	clearenv();
	setenv("SECRET", "of the operator", 1);
	setenv("LD_LIBRARY_PATH", "/nowhere", 1);
	setenv("PATH", "/nowhere", 1);
	return 0;
}

#define ENV "PATH=" _PATH_STDPATH " GLIBC_TUNABLES=glibc.malloc.tcache_count=0"

static void
a_zygote_gets_three_descriptors(void **state)
{
	const struct spawn s = { "jumpbox-session", NULL, SOCK_SEQPACKET, config, keys };
	char text[2048] = "";
	socklen_t len = sizeof(int);
	int control = -1, type;
	pid_t pid;

	(void)state;
	pid = spawn_role(&s, &control);
	assert_true(pid > 0);
	assert_int_equal(spawn_wait(pid, LIMIT_S * 1000), 0);
	assert_true(recv(control, text, sizeof text - 1, 0) > 0);
	assert_string_equal(text,
	    "argv: jumpbox-session\n"
	    "env: " ENV "\n"
	    "fds: 0 1 2 3 4 5\n"
	    "config: the configuration\n"
	    "keys: the keys\n");
	assert_int_equal(recv(control, text, sizeof text, 0), 0); /* nobody else has its end */
	assert_int_equal(fcntl(control, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(control, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(getsockopt(control, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, SOCK_SEQPACKET);
	close(control);
}

static void
one_gets_what_it_is_given_and_no_more(void **state)
{
	const struct spawn s = { "jumpbox-broker", "prepare", 0, -1,
		memfd_create("report", MFD_CLOEXEC) };
	char text[2048] = "";

	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	setenv("LANG", "C", 1);
	assert_int_equal(spawn_wait(spawn_role(&s, NULL), LIMIT_S * 1000), 0);
	assert_true(pread(s.keys, text, sizeof text - 1, 0) > 0);
	assert_string_equal(text,
	    "argv: jumpbox-broker prepare\n"
	    "env: " ENV " TZ=Europe/Berlin LANG=C\n"
	    "fds: 0 1 2 5\n"
	    "keys: \n");
	close(s.keys);
}

static void
what_is_not_installed_says_so_and_exits_69(void **state)
{
	const struct spawn s = { "jumpbox-nobody", NULL, 0, config, -1 };

	(void)state;
	assert_int_equal(spawn_wait(spawn_role(&s, NULL), LIMIT_S * 1000), -JB_UNAVAILABLE);
	assert_int_equal(
	    spawn_wait(spawn_self("/nowhere/jumpboxd", (char *[]){ NULL }), LIMIT_S * 1000),
	    -JB_UNAVAILABLE);
}

static void
itself_gets_everything(void **state)
{
	char name[] = "self", *argv[] = { name, NULL };

	(void)state;
	assert_int_equal(spawn_wait(spawn_self("/proc/self/exe", argv), LIMIT_S * 1000), 42);
}

/* ---- how it ended -------------------------------------------------------------------- */

enum { HANGS = -1 };

static pid_t
process(int code, int signal)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (signal != 0)
			raise(signal);
		if (code != HANGS)
			_exit(code);
		for (;;)
			pause();
	}
	return pid;
}

static void
its_code_or_128_for_any_other_end(void **state)
{
	static const struct {
		int code, signal, timeout_ms, result;
	} ends[] = {
		{ 0, 0, LIMIT_S * 1000, 0 },
		{ 3, 0, LIMIT_S * 1000, 3 },
		{ 255, 0, LIMIT_S * 1000, 255 },
		{ 0, SIGKILL, LIMIT_S * 1000, 128 },
		{ HANGS, 0, 10, 128 },
		{ HANGS, 0, 0, 128 },
	};
	int next = dup(config);
	pid_t pid;

	(void)state;
	close(next);
	for (size_t i = 0; i < NELEMS(ends); i++) {
		pid = process(ends[i].code, ends[i].signal);
		assert_int_equal(spawn_wait(pid, ends[i].timeout_ms), ends[i].result);
		assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* reaped */
	}
	assert_int_equal(spawn_wait(-1, LIMIT_S * 1000), 128); /* it was not started */
	assert_int_equal(dup(config), next);
	close(next);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zygote_gets_three_descriptors),
		cmocka_unit_test(one_gets_what_it_is_given_and_no_more),
		cmocka_unit_test(what_is_not_installed_says_so_and_exits_69),
		cmocka_unit_test(itself_gets_everything),
		cmocka_unit_test(its_code_or_128_for_any_other_end),
	};

	if (strncmp(argv[0], "jumpbox-", 8) == 0)
		_exit(role(argv));
	if (argc == 1 && strcmp(argv[0], "self") == 0)
		_exit(self());
	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, setup, NULL);
}
