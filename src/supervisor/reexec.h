/*
 * Becoming a fresh copy of the program, perhaps a newer one, without letting
 * go of the listening sockets and of the lock.  Supervisor only.
 */
#ifndef SUPERVISOR_REEXEC_H
#define SUPERVISOR_REEXEC_H

#include "listen.h"

#include <stdbool.h>

struct reexec {
	char *path;	   /* the program, absolute */
	char *config_path; /* absolute */
	bool foreground;
};

/* Before the working directory changes.  JB_CONFIG if the configuration's path cannot be resolved. */
int reexec_init(struct reexec *r, const char *argv0, const char *config_path, bool foreground,
    struct errtext *e);
void reexec_release(struct reexec *r);

/* Whether the program as it is now on disk accepts the configuration; it has said why not. */
bool reexec_check(const struct reexec *r);

/* Returns only when it failed. */
void reexec_now(const struct reexec *r, const struct listeners *l, int lock_fd);

/* In the fresh copy: what was handed down; false, nothing open and *lock_fd -1: a first start. */
bool reexec_inherited(struct listeners *l, int *lock_fd);

#endif
