/*
 * Broker and containers at the other ends of a session's streams to helpers:
 * what fuzz_mux_client.c has in place of them (mux_peer.h), and of link.c and
 * timers.c.
 */
#include "mux_peer.h"

#include "fuzz.h"

#include "../../src/session/mux_client.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream streams[STREAMS];
size_t nstreams;
static uint32_t ids; /* of requests */

static struct stream *
stream_of(uint32_t request)
{
	size_t i;

	for (i = 0; i < nstreams && streams[i].request != request; i++)
		;
	check(i < nstreams);
	return &streams[i];
}

static struct id *
id_of(struct stream *x, uint32_t id)
{
	size_t i;

	for (i = 0; i < x->nids && x->ids[i].id != id; i++)
		;
	return i < x->nids ? &x->ids[i] : NULL;
}

static void
id_add(struct stream *x, uint32_t id)
{
	struct id *c = id_of(x, id);

	if (c == NULL && x->nids < IDS) {
		c = &x->ids[x->nids++];
		*c = (struct id){ .id = id };
	}
	if (c != NULL) {
		c->lives++;
		c->window += MUX_WINDOW_START;
	}
}

/* What the container is told. */
static void
hear(struct stream *x, const struct mux_frame *f)
{
	struct id *c = id_of(x, f->channel);

	if (c == NULL && x->nids < IDS) {
		check((f->type >= MUX_OPEN_EXEC && f->type <= MUX_LISTEN_AGENT) ||
		    f->type == MUX_OPEN_COPY);
		id_add(x, f->channel);
		return;
	}
	if (c == NULL)
		return;
	check(c->lives > 0 && !(c->eof && (f->type == MUX_EOF || f->type == MUX_DATA)));
	c->lives -= f->type == MUX_CLOSE;
	c->eof = f->type == MUX_EOF || (c->eof && f->type != MUX_CLOSE);
	if (f->type == MUX_DATA) {
		check(c->window >= f->u.data.bytes.n);
		c->window -= f->u.data.bytes.n;
	}
}

void
stream_hear(struct stream *x)
{
	struct mux_frame f;
	ssize_t n;
	long used;

	while (x->fd >= 0 &&
	    (n = recv(x->fd, buf_reserve(&x->told, 65536), 65536, MSG_DONTWAIT)) > 0) {
		buf_commit(&x->told, (size_t)n);
		while (
		    (used = mux_get(buf_ptr(&x->told), buf_len(&x->told), MUX_SESSION, &f)) > 0) {
			hear(x, &f);
			buf_consume(&x->told, (size_t)used);
		}
		check(used == 0);
	}
}

/* The frames that open and give windows; up to what is none. */
static void
note_spoken(struct stream *x, const uint8_t *p, size_t n)
{
	struct mux_frame f;
	struct id *c;
	long used;

	if (buf_add(&x->spoken, p, n) < 0)
		return;
	while ((used = mux_get(buf_ptr(&x->spoken), buf_len(&x->spoken), MUX_HELPER, &f)) > 0) {
		if (f.type == MUX_ACCEPT)
			id_add(x, f.channel);
		if (f.type == MUX_WINDOW && (c = id_of(x, f.channel)) != NULL)
			c->window += f.u.window.more;
		buf_consume(&x->spoken, (size_t)used);
	}
}

/* As an engine frames it. */
void
stream_speak(struct stream *x, const uint8_t *p, size_t n)
{
	const uint8_t head[8] = { 1, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n };

	if (n == 0 || x->fd < 0 || send(x->fd, head, sizeof(head), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
	note_spoken(x, p, n);
	(void)!send(x->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- in place of link.c and timers.c -------------------------------------- */

uint32_t
link_id(void)
{
	return ++ids;
}

void
link_send(struct msg *m)
{
	struct stream *x;
	char text[MAX_NOTE + 1];

	m->pos = MSG_HEADER;
	switch (m->type) {
	case REQ_HELPER:
		check(nstreams < STREAMS);
		x = &streams[nstreams++];
		memset(x, 0, offsetof(struct stream, ids));
		x->request = m->id;
		x->fd = -1;
		x->nids = 0;
		buf_init(&x->told, 2 * MUX_FRAME_MAX);
		buf_init(&x->spoken, 2 * MUX_FRAME_MAX);
		break;
	case REQ_NOTE:
		x = stream_of(msg_get_u32(m));
		msg_get_str(m, text, sizeof(text));
		check(msg_end(m) && x->answered && !x->detached);
		break;
	default:
		check(m->type == REQ_DETACH);
		x = stream_of(msg_get_u32(m));
		check(x->fd >= 0 && !x->detached);
		x->detached = true;
	}
	msg_release(m);
}

void
timers_active(struct conn *c)
{
	(void)c;
}

/* ---- their life --------------------------------------------------------------- */

void
streams_begin(void)
{
	nstreams = 0;
	ids = 0;
	streams[0].fd = -1;
}

void
streams_end(void)
{
	for (struct stream *x = streams; x < streams + nstreams; x++) {
		check(x->detached == (x->fd >= 0));
		stream_hear(x);
		if (x->fd >= 0)
			close(x->fd);
		buf_release(&x->told);
		buf_release(&x->spoken);
	}
}
