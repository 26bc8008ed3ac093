/* The one place where the supervisor waits. */
#include "loop.h"

#include "jumpbox/errors.h"
#include "jumpbox/log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TURN = 64 };

static int epoll_fd = -1;

/* What epoll reported this turn and was not called yet: a deleted one is taken out. */
static struct epoll_event turn[TURN];
static int turn_len;

void
loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		fatal(JB_INTERNAL, "epoll_create1: %s", strerror(errno));
}

static void
control(int op, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (epoll_ctl(epoll_fd, op, w->fd, &ev) < 0)
		fatal(JB_INTERNAL, "epoll_ctl: %s", strerror(errno));
}

void
loop_add(struct watch *w, int fd, uint32_t events, void (*ready)(void *, uint32_t), void *owner)
{
	*w = (struct watch){ fd, ready, owner };
	control(EPOLL_CTL_ADD, w, events);
}

void
loop_change(struct watch *w, uint32_t events)
{
	control(EPOLL_CTL_MOD, w, events);
}

int
loop_del(struct watch *w)
{
	int i, fd = w->fd;

	control(EPOLL_CTL_DEL, w, 0);
	for (i = 0; i < turn_len; i++)
		if (turn[i].data.ptr == w)
			turn[i].data.ptr = NULL;
	w->fd = -1;
	return fd;
}

void
loop_close(struct watch *w)
{
	if (w->fd >= 0)
		close(loop_del(w));
}

void
loop_wait(int timeout_ms)
{
	struct watch *w;
	int i, n;

	n = epoll_wait(epoll_fd, turn, TURN, timeout_ms);
	if (n < 0 && errno != EINTR)
		fatal(JB_INTERNAL, "epoll_wait: %s", strerror(errno));
	turn_len = n > 0 ? n : 0;
	for (i = 0; i < turn_len; i++) {
		w = turn[i].data.ptr;
		if (w != NULL)
			w->ready(w->owner, turn[i].events);
	}
	turn_len = 0;
}
