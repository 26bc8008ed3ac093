/*
 * The one place where the supervisor waits: descriptors and what to call
 * when they are ready (epoll, level-triggered).
 */
#ifndef SUPERVISOR_LOOP_H
#define SUPERVISOR_LOOP_H

#include <stdint.h>

/* Part of what owns the descriptor.  fd is -1 while it is not being watched. */
struct watch {
	int fd;
	void (*ready)(void *owner, uint32_t events);
	void *owner;
};

void loop_init(void);
/* events: EPOLLIN ...; EPOLLHUP and EPOLLERR always come too. */
void loop_add(
    struct watch *w, int fd, uint32_t events, void (*ready)(void *, uint32_t), void *owner);
void loop_change(struct watch *w, uint32_t events);
/* Stops watching and returns the descriptor, which is the caller's. */
int loop_del(struct watch *w);
/* loop_del and close; nothing if it is not being watched. */
void loop_close(struct watch *w);

/* Waits at most timeout_ms (-1: for ever) and calls what is ready, which may add and delete. */
void loop_wait(int timeout_ms);

#endif
