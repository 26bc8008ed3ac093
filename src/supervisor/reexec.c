/*
 * Becoming a fresh copy of the program.  Supervisor.
 *
 *	JUMPBOX_LISTEN_FDS="PID LOCK FD FD ..."
 *
 * The process id keeps a descendant from taking the variable for its own.
 */
#include "reexec.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "JUMPBOX_LISTEN_FDS"

enum { CHECK_MS = 5000 };

int
reexec_init(struct reexec *r, const char *argv0, const char *config_path, bool foreground,
    struct errtext *e)
{
	char self[PATH_MAX];
	ssize_t n;

	r->foreground = foreground;
	r->config_path = realpath(config_path, NULL);
	if (r->config_path == NULL)
		return err_set(e, JB_CONFIG, "%s: %s", config_path, strerror(errno));
	/* The name it was called by outlives a link to the version of the day. */
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (argv0[0] == '/')
		r->path = xstrdup(argv0);
	else if (n > 0)
		r->path = strndup(self, (size_t)n);
	else
		r->path = xstrdup(SBINDIR "/jumpboxd");
	return 0;
}

void
reexec_release(struct reexec *r)
{
	free(r->path);
	free(r->config_path);
}

bool
reexec_check(const struct reexec *r)
{
	char *const argv[] = { r->path, "-t", "-f", r->config_path, NULL };

	return spawn_wait(spawn_self(r->path, argv), CHECK_MS) == 0;
}

void
reexec_now(const struct reexec *r, const struct listeners *l, int lock_fd)
{
	char *const argv[] = { r->path, "-f", r->config_path, r->foreground ? "-D" : NULL, NULL };
	char value[32 + 12 * CONFIG_LIST_MAX];
	int len;
	unsigned i;

	len = snprintf(value, sizeof value, "%d %d", (int)getpid(), lock_fd);
	set_cloexec(lock_fd, false);
	for (i = 0; i < l->n; i++) {
		len += snprintf(value + len, sizeof value - (size_t)len, " %d", l->fd[i]);
		set_cloexec(l->fd[i], false);
	}
	setenv(VARIABLE, value, 1);
	execv(r->path, argv);
}

/* A descriptor's number off the front of *s; -1: nothing left that is one and open. */
static int
next_fd(char **s)
{
	char *word = strsep(s, " "), *end;
	long fd;

	if (word == NULL)
		return -1;
	fd = strtol(word, &end, 10);
	if (end == word || *end != '\0' || fd <= STDERR_FILENO || fd > INT_MAX ||
	    set_cloexec((int)fd, true) < 0)
		return -1;
	return (int)fd;
}

bool
reexec_inherited(struct listeners *l, int *lock_fd)
{
	const char *value = getenv(VARIABLE);
	char *copy, *rest, *pid;
	int fd;

	l->n = 0;
	*lock_fd = -1;
	if (value == NULL)
		return false;
	copy = rest = xstrdup(value);
	unsetenv(VARIABLE);
	pid = strsep(&rest, " ");
	if (atol(pid) == getpid() && (*lock_fd = next_fd(&rest)) >= 0)
		while ((fd = next_fd(&rest)) >= 0 && l->n < CONFIG_LIST_MAX)
			if (listener_check(fd))
				l->fd[l->n++] = fd;
	free(copy);
	return *lock_fd >= 0;
}
