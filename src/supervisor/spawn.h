/*
 * Starting the other roles, each with exactly the descriptors of
 * jumpbox/zygote.h, no signal blocked, and a session of its own (a Ctrl-C on
 * the terminal is the supervisor's).  Supervisor only.
 */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <sys/types.h>

struct spawn {
	const char *program; /* below LIBEXECDIR */
	const char *arg;     /* its only argument, or NULL */
	int control;	     /* the type of socket that becomes ROLE_CONTROL_FD; 0: none */
	int config, keys;    /* become ROLE_CONFIG_FD and ROLE_KEYS_FD; -1: none.  The caller's. */
};

/*
 * The process, or -1 and errno.  *control is our end of the control socket,
 * if there is one, and does not block.  A program that cannot be run says so
 * itself and exits 69.
 */
pid_t spawn_role(const struct spawn *s, int *control);

/* This program once more: path with argv, and the descriptors and environment that are ours. */
pid_t spawn_self(const char *path, char *const argv[]);

/* Waits for it, and kills it after timeout_ms; its exit code, or 128 for any other end. */
int spawn_wait(pid_t pid, int timeout_ms);

#endif
