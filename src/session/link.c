/*
 * The session's end of the pair with its broker.  Session.
 *
 * The two live and die together: when the broker is gone nothing is sent any
 * more, and serve.c gives the terminals back and leaves.  One that is silent,
 * or gone while an answer is needed, ends this process at once.
 */
#include "session.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

enum { SEND_MS = 30000 };

struct queued {
	STAILQ_ENTRY(queued) link;
	struct msg m;
};

static STAILQ_HEAD(, queued) queue = STAILQ_HEAD_INITIALIZER(queue);
static int pair = -1;
static bool lost;

void
link_init(int fd)
{
	if (set_nonblock(fd, true) != 0)
		_exit(1);
	pair = fd;
}

int
link_fd(void)
{
	return pair;
}

uint32_t
link_id(void)
{
	static uint32_t last;

	return ++last;
}

/* A message into an initialised m; false: none now. */
static bool
receive(struct msg *m)
{
	int rc = msg_recv(pair, m);

	lost |= rc != 0 && rc != JB_TRY_AGAIN;
	return rc == 0;
}

bool
link_lost(void)
{
	return lost;
}

/* Takes over what is in m, which is empty afterwards. */
static void
enqueue(struct msg *m)
{
	struct queued *q = xcalloc(1, sizeof(*q));

	q->m = *m;
	STAILQ_INSERT_TAIL(&queue, q, link);
	msg_init(m, 0, 0);
}

/* Until one of the events, or the deadline, which is the end. */
static void
wait_for(short events, int64_t deadline)
{
	struct pollfd p = { .fd = pair, .events = events };
	int64_t left = deadline - now_mono_ms();

	if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
		_exit(1);
}

/* While there is no room the broker may be waiting for room, too: what it has sent is taken in. */
void
link_send(struct msg *m)
{
	int64_t deadline = now_mono_ms() + SEND_MS;
	struct msg in;
	int rc = JB_UNAVAILABLE;

	while (!lost && (rc = msg_send(pair, m)) == JB_TRY_AGAIN) {
		wait_for(POLLIN | POLLOUT, deadline);
		msg_init(&in, 0, 0);
		while (receive(&in))
			enqueue(&in);
		msg_release(&in);
	}
	lost |= rc == JB_UNAVAILABLE;
	if (rc != 0 && !lost)
		_exit(1);
	msg_release(m);
}

/* Takes the queued reply to id. */
static bool
queued_reply(uint32_t id, struct msg *reply)
{
	struct queued *q;

	STAILQ_FOREACH(q, &queue, link)
	{
		if (q->m.id != id)
			continue;
		STAILQ_REMOVE(&queue, q, queued, link);
		*reply = q->m;
		free(q);
		return true;
	}
	return false;
}

void
link_call(struct msg *request, struct msg *reply, int timeout_ms)
{
	int64_t deadline = now_mono_ms() + timeout_ms;
	uint32_t id = request->id;

	link_send(request);
	if (queued_reply(id, reply))
		return;
	msg_init(reply, 0, 0);
	for (;;) {
		if (lost)
			_exit(0);
		if (!receive(reply))
			wait_for(POLLIN, deadline);
		else if (reply->id == id)
			return;
		else
			enqueue(reply);
	}
}

bool
link_next(struct msg *m)
{
	struct queued *q = STAILQ_FIRST(&queue);

	if (q == NULL)
		return receive(m);
	STAILQ_REMOVE_HEAD(&queue, link);
	msg_release(m);
	*m = q->m;
	free(q);
	return true;
}

bool
link_queued(void)
{
	return !STAILQ_EMPTY(&queue);
}
