/*
 * The streams to helpers: asked for, answered, read and written, over.
 * jumpbox-session.
 */
#include "mux_parts.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_SIZE = 128 * 1024,
	PUT_MAX = 4 * 1024 * 1024,
	READY_MS = 10000,
	LAST_MS = 1000,	   /* for what a connection that is over has asked of files */
	ANSWER_MS = 45000, /* more than the helper takes to say that nobody answers */
	AGAIN_MS = 60000, /* where none can be had for processes: not asked for again before that */
	REFUSED_MS = 5000, /* what was not granted, or had no place, may be by then */
	LAST_READS = 16,
};

/* ---- asked for ------------------------------------------------------------------- */

static void fail(struct mux *x, uint32_t code, const char *text, const char *how);

/* Waited for, or there: something new may go to it. */
static bool
takes_more(const struct mux *x)
{
	return !x->over && !x->ended;
}

static struct mux *
stream_find(const struct conn *c, uint64_t ref, uint32_t need)
{
	struct mux *x;

	for (x = c->muxes; x != NULL; x = x->next)
		if (x->ref == ref && takes_more(x) &&
		    (x->fd < 0 ? x->want == need : policy_gives(x->perms, need)))
			break;
	return x;
}

/* For one more: the oldest that carries nothing makes it. */
static bool
make_room(struct conn *c)
{
	struct mux *x, *idle = NULL;
	unsigned n = 0;

	for (x = c->muxes; x != NULL; x = x->next) {
		n += !x->over;
		if (x->fd >= 0 && x->nchans == 0)
			idle = x;
	}
	if (n >= MUX_STREAMS && idle != NULL)
		fail(idle, 0, "", "idle");
	return n < MUX_STREAMS || idle != NULL;
}

static struct mux *
stream_ask(struct conn *c, uint64_t ref, uint32_t want)
{
	struct mux *x;
	struct msg m;

	if (!make_room(c))
		return NULL;
	x = xcalloc(1, sizeof(*x));
	x->conn = c;
	x->ref = ref;
	x->want = want;
	x->fd = -1;
	buf_init(&x->put, PUT_MAX);
	buf_init(&x->got, READ_SIZE + MUX_FRAME_MAX);
	demux_init(&x->demux);
	x->next = c->muxes;
	c->muxes = x;
	x->request = link_id();
	msg_init(&m, REQ_HELPER, x->request);
	msg_put_u64(&m, ref);
	msg_put_u32(&m, want);
	link_send(&m);
	return x;
}

/* It is on its way. */
static void
expect_answer(struct mux_chan *mc)
{
	mc->answer_by = now_mono_ms() + ANSWER_MS;
	mc->mux->answer_by = sooner(mc->mux->answer_by, mc->answer_by);
}

static struct mux_chan *
open_on(
    struct mux *x, uint32_t need, struct mux_frame *first, const struct mux_events *ev, void *owner)
{
	struct mux_chan *mc;

	if (x == NULL || !takes_more(x) || x->nchans >= CHANS_MAX)
		return NULL;
	do
		x->last_id = (x->last_id + 1) & ~MUX_TOP_BIT;
	while (x->last_id == 0 || mux_chan_find(x, x->last_id) != NULL);
	mc = mux_chan_add(x, x->last_id, ev, owner);
	mc->need = need;
	mc->listens = first->type == MUX_LISTEN_TCP || first->type == MUX_LISTEN_UNIX ||
	    first->type == MUX_LISTEN_AGENT;
	first->channel = mc->id;
	if (mux_put(x->fd >= 0 ? &x->put : &mc->first, first) != 0) {
		mux_chan_drop(mc);
		return NULL;
	}
	if (x->fd >= 0)
		expect_answer(mc);
	return mc;
}

struct mux_chan *
mux_open(struct conn *c, uint64_t ref, uint32_t need, struct mux_frame *first,
    const struct mux_events *ev, void *owner)
{
	struct mux *x = stream_find(c, ref, need);

	return open_on(x != NULL ? x : stream_ask(c, ref, need), need, first, ev, owner);
}

/* What could not be had there a little while ago. */
static struct mux *
missed(const struct conn *c, uint64_t ref, uint32_t want)
{
	struct mux *x;

	for (x = c->muxes; x != NULL; x = x->next)
		if (x->ref == ref && x->want == want && x->again_at != 0)
			break;
	return x;
}

bool
mux_refused(const struct conn *c, uint64_t ref, uint32_t need)
{
	const struct mux *x = missed(c, ref, need);

	return x != NULL && x->refused;
}

bool
mux_none(const struct conn *c, uint64_t ref, uint32_t need)
{
	return stream_find(c, ref, need) == NULL && missed(c, ref, need) != NULL;
}

static struct mux *
stream_of(const struct conn *c, uint32_t request)
{
	struct mux *x;

	for (x = c->muxes; x != NULL && x->request != request; x = x->next)
		;
	return x;
}

struct mux_chan *
mux_open_process(struct conn *c, uint32_t stream, uint32_t need, struct mux_frame *first,
    const struct mux_events *ev, void *owner)
{
	return open_on(stream_of(c, stream), need, first, ev, owner);
}

/* One that is on its way may turn out not to do: the broker, who is told its name, knows. */
uint32_t
mux_for_process(struct conn *c, uint64_t ref, uint32_t need)
{
	struct mux *x;

	for (x = c->muxes; x != NULL; x = x->next) {
		if (x->ref != ref)
			continue;
		if (x->no_processes || (x->over && x->want == need))
			return 0;
		if (takes_more(x) && (x->fd < 0 || policy_gives(x->perms, need)))
			return x->request;
	}
	x = stream_ask(c, ref, need);
	return x != NULL ? x->request : 0;
}

/* The stream is over: whoever has a channel on it is told. code 0: no more than that. */
static void
fail(struct mux *x, uint32_t code, const char *text, const char *how)
{
	struct mux *before = missed(x->conn, x->ref, x->want);
	struct mux_chan *mc;
	struct msg m;

	if (x->over)
		return;
	x->over = true;
	if (!x->ready) {
		if (before != NULL)
			before->again_at = 0;
		x->again_at = now_mono_ms() + (x->want & PROCESS ? AGAIN_MS : REFUSED_MS);
	}
	if (x->fd >= 0) {
		msg_init(&m, REQ_DETACH, link_id());
		msg_put_u32(&m, x->request);
		msg_put_u64(&m, x->bytes_in);
		msg_put_u64(&m, x->bytes_out);
		msg_put_str(&m, how);
		msg_put_u32(&m, 0);
		link_send(&m);
		close(x->fd);
	}
	x->fd = -1;
	while ((mc = x->chans) != NULL) {
		if (mc->owner != NULL && mc->open)
			mc->ev->closed(mc->owner, code, text);
		else if (mc->owner != NULL)
			mc->ev->failed(mc->owner, 0, code, text);
		mux_chan_drop(mc);
	}
}

static void
broken(struct mux *x, const char *how)
{
	char text[MAX_REASON + 1];

	words(text, sizeof(text), W_HELPER_BROKEN, NULL, NULL, NULL);
	fail(x, (uint32_t)-JB_TRY_AGAIN, text, how);
}

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
			broken(x, "hostile");
			return true;
		}
	}
	if (!parse(x))
		broken(x, "hostile");
	return true;
}

/* What was said until then, of a stream that is about to end: of files, it is for the audit. */
static void
hear_rest(struct mux *x)
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
			hear_rest(x);
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

/* ---- the broker's answers ------------------------------------------------------------------ */

bool
mux_answer(struct conn *c, struct msg *m)
{
	char text[MAX_REASON + 1];
	uint32_t code, perms;
	struct mux_chan *mc;
	struct mux *x;
	int fd = -1;

	if (m->type != REP_HELPER)
		return false;
	x = stream_of(c, m->id);
	code = msg_get_u32(m);
	msg_get_str(m, text, sizeof(text));
	perms = msg_get_u32(m);
	if (code == 0)
		fd = msg_take_fd(m);
	if (!msg_end(m) || x == NULL || (code == 0 && fd < 0))
		fatal(JB_INTERNAL, "the broker's HELPER answer is malformed");
	if (code != 0) {
		x->refused = code == (uint32_t)-JB_DENIED;
		fail(x, code, text, "failed");
		return true;
	}
	x->fd = fd;
	x->perms = perms;
	set_nonblock(fd, true);
	x->ready_by = now_mono_ms() + READY_MS;
	x->readable = true;
	for (mc = x->chans; mc != NULL; mc = mc->next) {
		buf_add(&x->put, buf_ptr(&mc->first), buf_len(&mc->first));
		buf_release(&mc->first);
		expect_answer(mc);
	}
	return true;
}

bool
mux_detached(struct conn *c, uint32_t request, uint32_t code, const char *reason)
{
	struct mux *x = stream_of(c, request);

	if (x == NULL || x->over)
		return false;
	hear_rest(x);
	fail(x, code, reason, "withdrawn");
	return true;
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
			broken(x, "ended");
		if (x->fd >= 0 && x->readable)
			any |= read_some(x);
		if (x->fd >= 0 && !x->ended && buf_len(&x->put) > 0)
			any |= write_some(x);
		if (x->fd >= 0 && ((!x->ready && now >= x->ready_by) || x->stuck))
			broken(x, "silent");
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
		fail(x, 0, "", ends);
	}
}
