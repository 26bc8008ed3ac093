/*
 * The loop of the one process: the stream, its channels, their processes, and
 * the times at which something is due.  At the end of the stream, however it
 * comes, everything that was started for it is hung up.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void
helper_init(struct helper *h, int in, int out)
{
	memset(h, 0, sizeof(*h));
	stream_init(&h->stream, in, out);
	account_init(&h->account);
}

void
helper_release(struct helper *h)
{
	while (h->chans != NULL)
		chan_free(h, h->chans);
	stream_release(&h->stream);
	account_release(&h->account);
	free(h->mask.items);
	free(h->marker);
	free(h->polled);
}

int
helper_watch(struct helper *h, int fd, short events)
{
	if (h->npolled == h->polled_max) {
		h->polled_max = h->polled_max * 2 + 64;
		h->polled = xreallocarray(h->polled, h->polled_max, sizeof(*h->polled));
	}
	h->polled[h->npolled] = (struct pollfd){ fd, events, 0 };
	return (int)h->npolled++;
}

short
helper_events(const struct helper *h, int slot)
{
	return slot < 0 ? 0 : h->polled[slot].revents;
}

/* Signals come while it waits, and then only. */
static void
wait_until(struct helper *h, int64_t at)
{
	int ms = poll_timeout(at);
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	sigset_t none;
	size_t i;

	sigemptyset(&none);
	if (ppoll(h->polled, h->npolled, ms < 0 ? NULL : &t, &none) < 0)
		for (i = 0; i < h->npolled; i++)
			h->polled[i].revents = 0;
}

static int64_t
timers(struct helper *h)
{
	int64_t now = now_mono_ms(), at = procs_timers(h, now);
	struct chan *c, *next;

	for (c = h->chans; c != NULL; c = next) {
		next = c->next;
		if (c->connecting != NULL)
			at = sooner(at, connect_timer(h, c, now));
		else if (c->listener != NULL)
			at = sooner(at, listen_timer(h, c, now));
	}
	if (due(h->accept_at, now))
		h->accept_at = 0;
	return sooner(at, h->accept_at);
}

/* The first becomes the last, so that a few busy ones do not always come before the others. */
static void
take_turns(struct helper *h)
{
	struct chan *first = h->chans, **at;

	if (first == NULL || first->next == NULL)
		return;
	for (at = &h->chans; *at != NULL;)
		at = &(*at)->next;
	h->chans = first->next;
	*at = first;
	first->next = NULL;
}

bool
helper_round(struct helper *h, bool *broken)
{
	struct stream *s = &h->stream;
	struct chan *c, *next;
	bool more = true;
	int in = -1;
	int64_t at = timers(h);

	*broken = false;
	h->npolled = 0;
	if (buf_len(&s->put) > 0) {
		if (!stream_write(s))
			return false;
		if (buf_len(&s->put) > 0)
			helper_watch(h, s->out, POLLOUT);
	}
	if (buf_len(&s->put) < OUT_STOP && buf_room(&s->got) > 0)
		in = helper_watch(h, s->in, POLLIN);
	for (c = h->chans; c != NULL; c = c->next)
		chan_watch(h, c);
	wait_until(h, at);
	procs_reap(h);
	if (h->stop != NULL && *h->stop)
		return false;
	if (helper_events(h, in) != 0)
		more = stream_read(s);
	if (!stream_parse(h)) {
		*broken = true;
		return false;
	}
	for (c = h->chans; c != NULL; c = next) {
		next = c->next;
		chan_ready(h, c);
	}
	take_turns(h);
	return more;
}

static void
hang_up(struct helper *h)
{
	int64_t at;

	stream_release(&h->stream);
	while (h->chans != NULL)
		chan_free(h, h->chans);
	for (;;) {
		procs_reap(h);
		if (h->procs == NULL)
			break;
		at = procs_timers(h, now_mono_ms());
		h->npolled = 0;
		wait_until(h, at);
	}
}

bool
helper_serve(struct helper *h)
{
	bool broken;

	while (helper_round(h, &broken))
		;
	hang_up(h);
	return !broken;
}
