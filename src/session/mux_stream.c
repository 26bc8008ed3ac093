/*
 * What goes on on the streams to helpers while they last: frames read and
 * written, what is waited for for too long, the last that is heard.
 * jumpbox-session.
 */
#include "mux_parts.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	LAST_MS = 1000, /* for what a connection that is over has asked of files */
	LAST_READS = 16,
};

/* ---- the descriptor ---------------------------------------------------------------------- */

static bool
parse(struct mux *x)
{
	struct mux_frame f;
	long n = 1;

	while (!x->over && n > 0) {
		n = mux_get(buf_ptr(&x->got), buf_len(&x->got), MUX_HELPER, &f);
		if (n < 0 || (n > 0 && !mux_take(x, &f)))
			return false;
		if (!x->over)
			buf_consume(&x->got, (size_t)n);
	}
	return true;
}

static bool
read_some(struct mux *x)
{
	static uint8_t raw[READ_SIZE];
	const uint8_t *p = raw, *slice;
	ssize_t n = recv(x->fd, raw, sizeof(raw), 0);
	size_t len;
	long used;
	int kind;

	x->readable = n == (ssize_t)sizeof(raw);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		x->ended = true;
		return true;
	}
	for (; n > 0; p += used, n -= used) {
		used = demux_next(&x->demux, p, (size_t)n, &slice, &len, &kind);
		if (used < 0 || (kind == 1 && len > 0 && buf_add(&x->got, slice, len) != 0)) {
			mux_broken(x, "hostile");
			return true;
		}
	}
	if (!parse(x))
		mux_broken(x, "hostile");
	return true;
}

void
mux_hear_rest(struct mux *x)
{
	for (int n = 0; n < LAST_READS && x->fd >= 0 && !x->ended && read_some(x); n++)
		;
}

static bool
write_some(struct mux *x)
{
	bool any = false;
	ssize_t n;

	while (buf_len(&x->put) > 0) {
		n = send(x->fd, buf_ptr(&x->put), buf_len(&x->put), MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			mux_hear_rest(x);
			x->ended = true;
			break;
		}
		if (n <= 0)
			break;
		/* What is typed is a secret now and then. */
		wipe(x->put.data + x->put.off, (size_t)n);
		buf_consume(&x->put, (size_t)n);
		any = true;
	}
	return any;
}

/* ---- for the loop ------------------------------------------------------------------------------ */

unsigned
mux_poll(struct conn *c, struct pollfd *set, unsigned n)
{
	unsigned added = 0;

	for (struct mux *x = c->muxes; x != NULL; x = x->next) {
		x->slot = 0;
		if (x->fd < 0)
			continue;
		x->slot = n + added;
		set[x->slot] = (struct pollfd){ x->fd,
			(short)(POLLIN | (buf_len(&x->put) > 0 ? POLLOUT : 0)), 0 };
		added++;
	}
	return added;
}

void
mux_polled(struct conn *c, const struct pollfd *set)
{
	for (struct mux *x = c->muxes; x != NULL; x = x->next)
		if (x->slot != 0 && set[x->slot].revents & (POLLIN | POLLHUP | POLLERR))
			x->readable = true;
}

/* Who waits for too long is told so; the channel stays until its answer comes, and is closed then. */
static void
give_up_waiting(struct mux *x, int64_t now)
{
	char text[MAX_REASON + 1];
	struct mux_chan *mc, *next;
	void *owner;

	x->answer_by = 0;
	words(text, sizeof(text), W_HELPER_BROKEN, NULL, NULL, NULL);
	for (mc = x->chans; mc != NULL; mc = next) {
		next = mc->next;
		owner = mc->owner;
		if (mc->open || owner == NULL)
			continue;
		if (!due(mc->answer_by, now)) {
			x->answer_by = sooner(x->answer_by, mc->answer_by);
			continue;
		}
		mc->owner = NULL;
		mc->ev->failed(owner, MUX_WHY_TIMED_OUT, (uint32_t)-JB_TRY_AGAIN, text);
	}
}

/* Whoever is told of an end may ask for another stream, which comes before all of these. */
static void
free_over(struct conn *c, int64_t now)
{
	struct mux **p = &c->muxes, *x;

	while ((x = *p) != NULL) {
		if (!x->over || now < x->again_at) {
			p = &x->next;
			continue;
		}
		*p = x->next;
		buf_release(&x->put);
		buf_release(&x->got);
		free(x);
	}
}

bool
mux_work(struct conn *c, int64_t now)
{
	bool any = false;

	for (struct mux *x = c->muxes; x != NULL; x = x->next) {
		/* A turn later: the broker, who ends it, has said before why. */
		if (x->ended)
			mux_broken(x, "ended");
		if (x->fd >= 0 && x->readable)
			any |= read_some(x);
		if (x->fd >= 0 && !x->ended && buf_len(&x->put) > 0)
			any |= write_some(x);
		if (x->fd >= 0 && ((!x->ready && now >= x->ready_by) || x->stuck))
			mux_broken(x, "silent");
		if (!x->over && due(x->answer_by, now))
			give_up_waiting(x, now);
	}
	free_over(c, now);
	return any;
}

int64_t
mux_deadline(const struct conn *c)
{
	int64_t first = 0;

	for (const struct mux *x = c->muxes; x != NULL; x = x->next)
		if (x->fd >= 0)
			first = sooner(first, x->ready ? x->answer_by : x->ready_by);
	return first;
}

/* Something is under way; processes have rows of their own, and a listener loses nothing. */
static bool
used(const struct mux *x)
{
	const struct mux_chan *mc;

	for (mc = x->chans; mc != NULL && (mc->owner == NULL || mc->listens); mc = mc->next)
		;
	return mc != NULL;
}

void
mux_rest(struct conn *c)
{
	for (struct mux *x = c->muxes; x != NULL; x = x->next) {
		if (buf_len(&x->put) == 0)
			buf_release(&x->put);
		if (buf_len(&x->got) == 0)
			buf_release(&x->got);
	}
}

/* Nobody listens any more; what was asked of files may not have been told of yet. */
static bool
give_up_all(struct mux *x)
{
	struct mux_chan *mc, *next;
	bool files = false;

	for (mc = x->chans; mc != NULL; mc = next) {
		next = mc->next;
		files |= mc->open && (mc->need & FILES);
		if (!mc->closed_us)
			mux_close(mc);
	}
	return files && x->fd >= 0 && !x->ended;
}

/* Until the channels of files are closed by the helper, which says all before. */
static void
hear_files(struct mux *x, int64_t until)
{
	struct pollfd p = { x->fd, 0, 0 };
	int64_t now = now_mono_ms();

	for (; give_up_all(x) && now < until; now = now_mono_ms()) {
		p.events = (short)(POLLIN | (buf_len(&x->put) > 0 ? POLLOUT : 0));
		if (poll(&p, 1, (int)(until - now)) > 0) {
			write_some(x);
			if (x->fd >= 0)
				read_some(x);
		}
	}
}

/* A client that cuts its connection would otherwise hide what it has just done. */
void
mux_release_all(struct conn *c, const char *how)
{
	int64_t until = now_mono_ms() + LAST_MS;
	const char *ends;

	for (struct mux *x = c->muxes; x != NULL; x = x->next) {
		ends = used(x) ? how : "ended";
		give_up_all(x);
		if (x->fd >= 0)
			write_some(x); /* the last bytes of a client that leaves behind them */
		hear_files(x, until);
		mux_fail(x, 0, "", ends);
	}
}
