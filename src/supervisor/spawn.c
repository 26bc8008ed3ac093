/* Starting the other roles.  Supervisor. */
#include "spawn.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH_FD = 10 };

/* Out of the way of the numbers that are about to be filled. */
static int
lift(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
}

static void
place(int fd, int number)
{
	if (fd < 0)
		close(number);
	else if (dup2(fd, number) < 0)
		_exit(-JB_INTERNAL);
}

static void
child_basics(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
}

static _Noreturn void
child_failed(const char *path)
{
	log_error("role.fail", F_STR("program", path), F_STR("why", strerror(errno)),
	    F_STR("hint", "install jumpbox completely (make install)"));
	_exit(-JB_UNAVAILABLE);
}

/*
 * A role gets nothing of what its starter's environment may hold: secrets,
 * or what changes how a library works.
 */
static char **
role_environment(void)
{
	static const char *const passed[] = { "TZ", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS" };
	enum { PASSED = sizeof(passed) / sizeof(passed[0]) };
	static char *env[PASSED + 3];
	const char *value;
	size_t n = 0;

	env[n++] = xasprintf("PATH=%s", _PATH_STDPATH);
	/* Every session and broker would otherwise dirty pages for caches that it never profits from: a third of its memory. */
	env[n++] = xstrdup("GLIBC_TUNABLES=glibc.malloc.tcache_count=0");
	for (size_t i = 0; i < PASSED; i++)
		if ((value = getenv(passed[i])) != NULL)
			env[n++] = xasprintf("%s=%s", passed[i], value);
	return env;
}

static _Noreturn void
child(const struct spawn *s, int fd)
{
	char *path = xasprintf("%s/%s", LIBEXECDIR, s->program);
	char *const argv[] = { xstrdup(s->program), s->arg != NULL ? xstrdup(s->arg) : NULL, NULL };
	int null, control = lift(fd), config = lift(s->config), keys = lift(s->keys);

	child_basics();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	place(null, STDIN_FILENO);
	place(null, STDOUT_FILENO);
	place(control, ROLE_CONTROL_FD);
	place(config, ROLE_CONFIG_FD);
	place(keys, ROLE_KEYS_FD);
	close_range(ROLE_KEYS_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execve(path, argv, role_environment());
	child_failed(path);
}

pid_t
spawn_role(const struct spawn *s, int *control)
{
	int pair[2] = { -1, -1 };
	pid_t pid;

	if (s->control != 0 && socketpair(AF_UNIX, s->control | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		child(s, pair[1]);
	if (s->control == 0)
		return pid;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -1;
	}
	set_nonblock(pair[0], true);
	*control = pair[0];
	return pid;
}

pid_t
spawn_self(const char *path, char *const argv[])
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	child_basics();
	execv(path, argv);
	child_failed(path);
}

int
spawn_wait(pid_t pid, int timeout_ms)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	int64_t deadline = now_mono_ms() + timeout_ms, left;
	int status = 0;

	if (pid < 0 || (p.fd = pidfd_open(pid, 0)) < 0)
		return 128;
	while ((left = deadline - now_mono_ms()) > 0 && poll(&p, 1, (int)left) <= 0)
		;
	close(p.fd);
	if (left <= 0)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 128;
	return WEXITSTATUS(status);
}
