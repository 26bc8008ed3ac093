/*
 * Starting the other roles, each with exactly the descriptors of
 * jumpbox/zygote.h, a signal mask of its own and a session of its own (a
 * Ctrl-C on the terminal is the supervisor's).
 */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <sys/types.h>

struct spawn {
	const char *program; /* below LIBEXECDIR */
	const char *arg;     /* its only argument, or NULL */
	int control;	     /* becomes ROLE_CONTROL_FD; -1: none */
	int config, keys;    /* become ROLE_CONFIG_FD and ROLE_KEYS_FD; -1: none.  The caller's. */
};

/* The process, or -1 and errno.  A program that cannot be run says so itself and exits 69. */
pid_t spawn_role(const struct spawn *s);

/* Runs path with argv and the supervisor's standard error, and waits; the exit code, or 128 for
 * anything else. */
int spawn_wait(pid_t pid, int timeout_ms);
pid_t spawn_self(const char *path, char *const argv[]);

#endif
