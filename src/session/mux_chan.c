/*
 * The channels on the streams to helpers: what their owners say, and what the
 * container says of them.  jumpbox-session.
 */
#include "mux_parts.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum {
	PUT_STOP = 512 * 1024, /* of data that the helper has not taken: channels wait */
	GRANT_LEAST = 64 * 1024,
};

/* ---- frames out ---------------------------------------------------------------- */

static void
put(struct mux *x, const struct mux_frame *f)
{
	if (!x->over && mux_put(&x->put, f) != 0)
		x->stuck = true; /* the helper takes nothing: mux_work() ends it */
}

static void
put_plain(struct mux_chan *mc, enum mux_type type)
{
	put(mc->mux, &(struct mux_frame){ .channel = mc->id, .type = type });
}

/* ---- channels -------------------------------------------------------------------- */

/* Last of all: what waits for the stream is said in the order in which the client asked. */
struct mux_chan *
mux_chan_add(struct mux *x, uint32_t id, const struct mux_events *ev, void *owner)
{
	struct mux_chan *mc = xcalloc(1, sizeof(*mc)), **end = &x->chans;

	mc->mux = x;
	mc->id = id;
	mc->ev = ev;
	mc->owner = owner;
	mc->in_window = mc->out_window = MUX_WINDOW_START;
	buf_init(&mc->first, MUX_FRAME_MAX);
	while (*end != NULL)
		end = &(*end)->next;
	*end = mc;
	x->nchans++;
	return mc;
}

void
mux_chan_drop(struct mux_chan *mc)
{
	struct mux_chan **p = &mc->mux->chans;

	while (*p != mc)
		p = &(*p)->next;
	*p = mc->next;
	mc->mux->nchans--;
	buf_release(&mc->first);
	free(mc);
}

struct mux_chan *
mux_chan_find(const struct mux *x, uint32_t id)
{
	struct mux_chan *mc;

	for (mc = x->chans; mc != NULL && mc->id != id; mc = mc->next)
		;
	return mc;
}

void
mux_own(struct mux_chan *mc, const struct mux_events *ev, void *owner)
{
	mc->ev = ev;
	mc->owner = owner;
}

size_t
mux_send(struct mux_chan *mc, const void *p, size_t n)
{
	struct mux *x = mc->mux;

	if (!mc->open || mc->closed_us || mc->eof_us || buf_len(&x->put) >= PUT_STOP)
		return 0;
	if (n > mc->out_window)
		n = mc->out_window;
	if (n > MUX_DATA_MAX)
		n = MUX_DATA_MAX;
	if (n == 0)
		return 0;
	put(x,
	    &(struct mux_frame){ .channel = mc->id, .type = MUX_DATA, .u.data.bytes = { p, n } });
	mc->out_window -= (uint32_t)n;
	if (!(mc->need & PROCESS)) /* an attach of its own counts those */
		x->bytes_in += n;
	return n;
}

bool
mux_eof(struct mux_chan *mc)
{
	if (!mc->open || mc->closed_us)
		return false;
	if (!mc->eof_us)
		put_plain(mc, MUX_EOF);
	mc->eof_us = true;
	return true;
}

/* As long as the helper takes what it is sent: a client may wish for any number of these. */
static bool
can_say(const struct mux_chan *mc)
{
	return mc->open && !mc->closed_us && buf_len(&mc->mux->put) < PUT_STOP;
}

bool
mux_resize(struct mux_chan *mc, unsigned cols, unsigned rows)
{
	const struct mux_frame f = {
		.channel = mc->id, .type = MUX_RESIZE, .u.size = { cols, rows }
	};

	if (!can_say(mc))
		return false;
	put(mc->mux, &f);
	return true;
}

bool
mux_signal(struct mux_chan *mc, const char *name)
{
	const struct mux_frame f = {
		.channel = mc->id, .type = MUX_SIGNAL, .u.text.text = mux_str(name)
	};

	if (!can_say(mc))
		return false;
	put(mc->mux, &f);
	return true;
}

bool
mux_unread(struct mux_chan *mc)
{
	const struct mux_frame f = { .channel = mc->id, .type = MUX_UNREAD };

	if (!can_say(mc))
		return false;
	put(mc->mux, &f);
	return true;
}

void
mux_grant(struct mux_chan *mc, size_t n)
{
	mc->taken += n;
	if (mc->taken < GRANT_LEAST || mc->eof_it || mc->closed_it || mc->closed_us)
		return;
	put(mc->mux,
	    &(struct mux_frame){
		.channel = mc->id, .type = MUX_WINDOW, .u.window.more = (uint32_t)mc->taken });
	mc->in_window += (uint32_t)mc->taken;
	mc->taken = 0;
}

void
mux_close(struct mux_chan *mc)
{
	mc->owner = NULL;
	if (buf_len(&mc->first) > 0 || mc->mux->over) { /* never sent, or nobody is there */
		mux_chan_drop(mc);
		return;
	}
	if (!mc->open || mc->closed_us)
		return; /* on_opened() says CLOSE */
	put_plain(mc, MUX_CLOSE);
	mc->closed_us = true;
	if (mc->closed_it)
		mux_chan_drop(mc);
}

/* ---- frames in ---------------------------------------------------------------------- */

static bool
on_ready(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	(void)mc;
	if (x->ready || f->u.ready.version != MUX_VERSION)
		return false;
	x->ready = true;
	return true;
}

static bool
on_opened(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	char *path;

	(void)x;
	if (mc->open)
		return false;
	mc->open = true;
	if (mc->owner == NULL) {
		mux_close(mc);
		return true;
	}
	path = mux_strdup(f->u.opened.path);
	mc->ev->opened(mc->owner, f->u.opened.port, path);
	free(path);
	return true;
}

static bool
on_failed(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	char *text;

	if (mc->open)
		return false;
	x->no_processes |= f->u.failed.why == MUX_WHY_NO_SHELL;
	text = mux_strdup(f->u.failed.text);
	if (mc->owner != NULL)
		mc->ev->failed(mc->owner, f->u.failed.why, (uint32_t)-JB_UNAVAILABLE, text);
	free(text);
	mux_chan_drop(mc);
	return true;
}

static bool
on_accept(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	struct mux_chan *listener = mux_chan_find(x, f->u.accept.listener), *fresh;
	char *peer;

	if (mc != NULL || listener == NULL || !listener->listens || !listener->open ||
	    x->nchans > 2 * CHANS_MAX)
		return false;
	fresh = mux_chan_add(x, f->channel, NULL, NULL);
	fresh->open = true;
	if (listener->owner == NULL || x->nchans > CHANS_MAX ||
	    x->conn->nchannels >= MAX_ATTACHES) {
		mux_close(fresh);
		return true;
	}
	peer = mux_strdup(f->u.accept.peer);
	listener->ev->accepted(listener->owner, fresh, peer, f->u.accept.port);
	free(peer);
	return true;
}

static bool
on_data(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	bool err = f->type == MUX_ERRDATA;
	size_t n = f->u.data.bytes.n;

	if (mc->listens || mc->eof_it || n > mc->in_window || (err && !(mc->need & PROCESS)))
		return false;
	mc->in_window -= (uint32_t)n;
	if (mc->owner == NULL)
		return true;
	if (!(mc->need & PROCESS))
		x->bytes_out += n;
	timers_active(x->conn);
	(err ? mc->ev->errdata : mc->ev->data)(mc->owner, f->u.data.bytes.s, n);
	return true;
}

static bool
on_note(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	char *line = mux_strdup(f->u.text.text);
	struct msg m;

	if (strlen(line) > MAX_NOTE)
		line[MAX_NOTE] = '\0';
	if (mc->need & FILES) {
		msg_init(&m, REQ_NOTE, link_id());
		msg_put_u32(&m, x->request);
		msg_put_str(&m, line);
		link_send(&m);
	}
	free(line);
	return (mc->need & FILES) != 0;
}

static bool
on_eof(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	(void)x;
	(void)f;
	if (mc->listens || mc->eof_it)
		return false;
	mc->eof_it = true;
	if (mc->owner != NULL)
		mc->ev->eof(mc->owner);
	return true;
}

static bool
on_window(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	(void)x;
	if (mc->listens || f->u.window.more > MUX_WINDOW_MAX - mc->out_window)
		return false;
	mc->out_window += f->u.window.more;
	return true;
}

static bool
on_exited(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	(void)x;
	if (!(mc->need & (FILES | PROCESS)) || mc->exited)
		return false;
	mc->exited = true;
	if (mc->owner != NULL)
		mc->ev->exited(mc->owner, f->u.exit.signal, f->u.exit.code, f->u.exit.core != 0);
	return true;
}

static bool
on_close(struct mux *x, struct mux_chan *mc, const struct mux_frame *f)
{
	void *owner = mc->owner;

	(void)x;
	(void)f;
	mc->closed_it = true;
	mc->owner = NULL;
	if (!mc->closed_us)
		put_plain(mc, MUX_CLOSE);
	if (owner != NULL)
		mc->ev->closed(owner, 0, "");
	mux_chan_drop(mc);
	return true;
}

enum due { STREAM, FRESH, OPENING, OPEN };

static const struct {
	enum due due; /* which channel it is for */
	bool (*take)(
	    struct mux *, struct mux_chan *, const struct mux_frame *); /* false: hostile */
} takes[MUX_TYPES] = {
	[MUX_READY] = { STREAM, on_ready },
	[MUX_OPENED] = { OPENING, on_opened },
	[MUX_FAILED] = { OPENING, on_failed },
	[MUX_ACCEPT] = { FRESH, on_accept },
	[MUX_DATA] = { OPEN, on_data },
	[MUX_ERRDATA] = { OPEN, on_data },
	[MUX_NOTE] = { OPEN, on_note },
	[MUX_EOF] = { OPEN, on_eof },
	[MUX_WINDOW] = { OPEN, on_window },
	[MUX_EXIT] = { OPEN, on_exited },
	[MUX_CLOSE] = { OPEN, on_close },
};

bool
mux_take(struct mux *x, const struct mux_frame *f)
{
	struct mux_chan *mc = f->channel != 0 ? mux_chan_find(x, f->channel) : NULL;
	enum due due = takes[f->type].due;

	if (takes[f->type].take == NULL || (!x->ready && f->type != MUX_READY))
		return false;
	if (due >= OPENING && (mc == NULL || mc->open != (due == OPEN)))
		return false;
	return takes[f->type].take(x, mc, f);
}
