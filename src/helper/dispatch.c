/*
 * Read this first: what each frame of the session does, and in which state of
 * its channel it may come.  Anything else ends the stream.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

static bool
do_hello(struct helper *h, const struct mux_frame *f)
{
	const struct account *a = &h->account;
	struct mux_frame ready = { .type = MUX_READY };

	if (h->greeted || f->u.hello.version != MUX_VERSION)
		return false;
	h->greeted = true;
	h->mask.perms = f->u.hello.perms;
	h->mask.items = mux_strdup(f->u.hello.items);
	h->marker = mux_strdup(f->u.hello.marker);
	ready.u.ready.version = MUX_VERSION;
	ready.u.ready.uid = a->uid;
	ready.u.ready.gid = a->gid;
	ready.u.ready.home = mux_str(a->home);
	ready.u.ready.shell = mux_str(a->shell);
	ready.u.ready.user = mux_str(a->user);
	stream_put(h, &ready);
	return true;
}

static bool
do_data(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	return chan_data(h, c, f->u.data.bytes);
}

static bool
do_eof(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	(void)f;
	if (c->eof_in)
		return false;
	chan_eof(h, c);
	return true;
}

static bool
do_window(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	(void)h;
	return chan_window(c, f->u.window.more);
}

static bool
do_resize(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	(void)h;
	exec_resize(c, f->u.size.cols, f->u.size.rows);
	return true;
}

static bool
do_signal(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	(void)h;
	procs_signal(c->proc, f->u.text.text);
	return true;
}

static bool
do_unread(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	(void)f;
	chan_unread(h, c);
	return true;
}

static bool
do_close(struct helper *h, struct chan *c, const struct mux_frame *f)
{
	(void)f;
	chan_end(h, c);
	return true;
}

enum {
	EXEC = 1 << CHAN_EXEC,
	STREAMS = 1 << CHAN_EXEC | 1 << CHAN_FILES | 1 << CHAN_SOCKET,
	EVERY = STREAMS | 1 << CHAN_LISTENER,
};

/* Frames of a channel that is there.  One that we closed still gets what was under way. */
static const struct {
	unsigned kinds;
	bool (*handle)(struct helper *, struct chan *, const struct mux_frame *);
} handlers[MUX_TYPES] = {
	[MUX_DATA] = { STREAMS, do_data },
	[MUX_EOF] = { STREAMS, do_eof },
	[MUX_WINDOW] = { STREAMS, do_window },
	[MUX_RESIZE] = { EXEC, do_resize },
	[MUX_SIGNAL] = { EXEC, do_signal },
	[MUX_UNREAD] = { EXEC, do_unread },
	[MUX_CLOSE] = { EVERY, do_close },
};

/* Frames that open one: its id must be free. */
static void (*const openers[MUX_TYPES])(struct helper *, const struct mux_frame *) = {
	[MUX_OPEN_EXEC] = exec_open,
	[MUX_OPEN_SFTP] = exec_open_sftp,
	[MUX_OPEN_COPY] = exec_open_copy,
	[MUX_OPEN_TCP] = connect_tcp,
	[MUX_OPEN_UNIX] = connect_unix,
	[MUX_LISTEN_TCP] = listen_tcp,
	[MUX_LISTEN_UNIX] = listen_unix,
	[MUX_LISTEN_AGENT] = listen_agent,
};

bool
dispatch(struct helper *h, const struct mux_frame *f)
{
	struct chan *c;

	if (f->type == MUX_HELLO)
		return do_hello(h, f);
	if (!h->greeted)
		return false;
	c = chan_find(h, f->channel);
	if (openers[f->type] != NULL) {
		if (c != NULL)
			return false;
		openers[f->type](h, f);
		return true;
	}
	if (c == NULL || !(handlers[f->type].kinds & 1u << c->kind))
		return false;
	if (c->state == CHAN_CLOSED && f->type != MUX_CLOSE)
		return true;
	return (c->state == CHAN_OPEN || c->state == CHAN_CLOSED) &&
	    handlers[f->type].handle(h, c, f);
}
