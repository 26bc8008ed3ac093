/* The listening sockets: made from the configuration, or taken over from the program itself. */
#ifndef SUPERVISOR_LISTEN_H
#define SUPERVISOR_LISTEN_H

#include "jumpbox/config.h"

struct listeners {
	int fd[CONFIG_LIST_MAX];
	unsigned n;
};

/*
 * Listens on every address of c.  A socket of *old on the same address is
 * shared with it (a duplicate), so that no client is refused meanwhile.
 * JB_UNAVAILABLE and what to do, with nothing left open, if one cannot be had;
 * the only exception is IPv6 on a machine without it, which is logged.
 */
int listeners_open(
    const struct config *c, const struct listeners *old, struct listeners *l, struct errtext *e);
void listeners_close(struct listeners *l);

/* Whether fd is a listening TCP socket. */
int listener_check(int fd);

#endif
