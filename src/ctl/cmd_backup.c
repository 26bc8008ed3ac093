/*
 * backup: a consistent copy of the database, also while it is in use.
 * jumpboxctl.
 *
 * The copy is made beside the database, by its owner, and then goes through a
 * descriptor that the operator opened: FILE belongs to the operator and may
 * lie where the owner of the database cannot write.  A process that has given
 * up the operator's rights cannot remove FILE when something fails, so it is
 * a child that does the work, and the operator's process cleans up after it.
 */
#include "ctl.h"

#include "files.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;

static void
pass_on(int sig)
{
	if (child > 0)
		kill(child, sig);
}

static char *
temporary_name(const struct ctl *c, pid_t pid)
{
	return xasprintf("%s.backup-%d", c->conf.database, (int)pid);
}

/* The operator's process: waits, and leaves nothing behind unless it went well. */
static _Noreturn void
wait_and_clean(const struct ctl *c, pid_t pid)
{
	char *temporary = temporary_name(c, pid);
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	files_remove(temporary, true);
	free(temporary);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		unlink(c->arg[0]);
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : -JB_INTERNAL);
}

/* Returns in the child only; a signal to either process ends both. */
static int
fork_worker(struct ctl *c)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = pass_on };
	sigset_t set, old;
	pid_t pid;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid = fork();
	if (pid > 0) {
		child = pid;
		for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
			sigaction(signals[i], &sa, NULL);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid > 0)
		wait_and_clean(c, pid);
	return pid == 0 ? 0 : ctl_fail(c, JB_UNAVAILABLE, "fork: %s", strerror(errno));
}

static int
backup_prepare(struct ctl *c)
{
	const char *file = c->arg[0];
	int r;

	c->fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c->fd < 0 && errno == EEXIST)
		return ctl_fail(c, JB_EXISTS, "%.160s is there already: name another file", file);
	if (c->fd < 0)
		return ctl_fail(
		    c, JB_BAD_INPUT, "%.160s cannot be made: %s", file, strerror(errno));
	if ((r = fork_worker(c)) < 0)
		unlink(file);
	return r;
}

/* The copy has no name any more when it is read: whatever happens, it is gone. */
static int
copy_out(struct ctl *c, const char *temporary)
{
	int fd = open(temporary, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return ctl_fail(c, JB_UNAVAILABLE, "%.160s: %s", temporary, strerror(errno));
	unlink(temporary);
	if (files_copy(fd, c->fd) < 0)
		r = ctl_fail(
		    c, JB_UNAVAILABLE, "%.160s cannot be written: %s", c->arg[0], strerror(errno));
	close(fd);
	return r;
}

static int
backup_exec(struct ctl *c)
{
	char *temporary = temporary_name(c, getpid());
	int r;

	r = audit_add(c->st, &c->by, "database.backup", NULL, c->arg[0], NULL);
	if (r == 0)
		r = store_backup(c->st, temporary);
	r = r < 0 ? ctl_stored(c, r) : copy_out(c, temporary);
	free(temporary);
	if (r == 0)
		out_done(c);
	return r;
}

const struct ctl_cmd backup_cmds[] = {
	/* clang-format off */
	{ "backup", "FILE", "copy the database to a new file, also while it is in use",
	  1, 1, DB_OPEN, NULL, backup_prepare, backup_exec },
	{ .name = NULL },
	/* clang-format on */
};
