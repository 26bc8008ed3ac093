/*
 * The streams to helpers: asked for, answered, over.  jumpbox-session.
 */
#include "mux_parts.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	PUT_MAX = 4 * 1024 * 1024,
	READY_MS = 10000,
	ANSWER_MS = 45000, /* more than the helper takes to say that nobody answers */
	AGAIN_MS = 60000, /* where none can be had for processes: not asked for again before that */
	REFUSED_MS = 5000, /* what was not granted, or had no place, may be by then */
};

/* ---- asked for ------------------------------------------------------------------- */

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
		mux_fail(idle, 0, "", "idle");
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

void
mux_fail(struct mux *x, uint32_t code, const char *text, const char *how)
{
	struct mux_chan *mc;
	struct mux *before;
	struct msg m;

	if (x->over)
		return;
	x->over = true;
	if (!x->ready) {
		before = missed(x->conn, x->ref, x->want);
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

void
mux_broken(struct mux *x, const char *how)
{
	char text[MAX_REASON + 1];

	words(text, sizeof(text), W_HELPER_BROKEN, NULL, NULL, NULL);
	mux_fail(x, (uint32_t)-JB_TRY_AGAIN, text, how);
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
		mux_fail(x, code, text, "failed");
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
	mux_hear_rest(x);
	mux_fail(x, code, reason, "withdrawn");
	return true;
}
