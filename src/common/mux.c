/*
 * The frames between session and helper: one table says of each type who may
 * send it, on which channels, and what its fields are; reading and writing
 * follow it.  Session, helper, and the broker, which writes the first frame.
 */
#include "jumpbox/mux.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <string.h>

enum kind { END, U32, STR, BYTES, ENV };

struct field {
	enum kind kind;
	uint32_t max; /* of a u32 its value, of the others their length */
	size_t at;    /* in struct mux_frame */
};

#define FIELDS_MAX 8
#define FIELD(kind, max, member)                                \
	{                                                       \
		kind, max, offsetof(struct mux_frame, u.member) \
	}

/* Kinds of channels, as the session sees them. */
enum { STREAM = 1, OURS = 2, THEIRS = 4, ANY = 6 };
enum { BOTH = MUX_SESSION | MUX_HELPER };

static const struct row {
	const char *name;
	unsigned from, channels;
	struct field fields[FIELDS_MAX];
} rows[MUX_TYPES] = {
	[MUX_HELLO] = { "HELLO", MUX_SESSION, STREAM,
	    { FIELD(U32, UINT32_MAX, hello.version), FIELD(U32, UINT32_MAX, hello.perms),
		FIELD(STR, 64 * 1024, hello.items), FIELD(STR, 64, hello.marker) } },
	[MUX_READY] = { "READY", MUX_HELPER, STREAM,
	    { FIELD(U32, UINT32_MAX, ready.version), FIELD(U32, UINT32_MAX, ready.uid),
		FIELD(U32, UINT32_MAX, ready.gid), FIELD(STR, MUX_PATH_MAX, ready.home),
		FIELD(STR, MUX_PATH_MAX, ready.shell), FIELD(STR, 255, ready.user) } },
	[MUX_OPEN_EXEC] = { "OPEN_EXEC", MUX_SESSION, OURS,
	    { FIELD(U32, 1, exec.pty), FIELD(U32, UINT16_MAX, exec.cols),
		FIELD(U32, UINT16_MAX, exec.rows), FIELD(U32, 1, exec.login),
		FIELD(U32, 1, exec.has_command), FIELD(STR, MUX_COMMAND_MAX, exec.command),
		FIELD(ENV, MUX_ENV_MAX, exec.nenv) } },
	[MUX_OPEN_SFTP] = { "OPEN_SFTP", MUX_SESSION, OURS, { FIELD(U32, 1, sftp.readonly) } },
	[MUX_OPEN_TCP] = { "OPEN_TCP", MUX_SESSION, OURS,
	    { FIELD(STR, MUX_HOST_MAX, tcp.host), FIELD(U32, UINT16_MAX, tcp.port) } },
	[MUX_OPEN_UNIX] = { "OPEN_UNIX", MUX_SESSION, OURS,
	    { FIELD(STR, MUX_PATH_MAX, path.path) } },
	[MUX_LISTEN_TCP] = { "LISTEN_TCP", MUX_SESSION, OURS,
	    { FIELD(STR, MUX_HOST_MAX, tcp.host), FIELD(U32, UINT16_MAX, tcp.port) } },
	[MUX_LISTEN_UNIX] = { "LISTEN_UNIX", MUX_SESSION, OURS,
	    { FIELD(STR, MUX_PATH_MAX, path.path) } },
	[MUX_LISTEN_AGENT] = { "LISTEN_AGENT", MUX_SESSION, OURS, { { END, 0, 0 } } },
	[MUX_OPENED] = { "OPENED", MUX_HELPER, OURS,
	    { FIELD(U32, INT32_MAX, opened.port), FIELD(STR, MUX_PATH_MAX, opened.path) } },
	[MUX_FAILED] = { "FAILED", MUX_HELPER, OURS,
	    { FIELD(U32, MUX_WHYS - 1, failed.why), FIELD(STR, MUX_TEXT_MAX, failed.text) } },
	[MUX_ACCEPT] = { "ACCEPT", MUX_HELPER, THEIRS,
	    { FIELD(U32, INT32_MAX, accept.listener), FIELD(STR, MUX_HOST_MAX, accept.peer),
		FIELD(U32, UINT16_MAX, accept.port) } },
	[MUX_DATA] = { "DATA", BOTH, ANY, { FIELD(BYTES, MUX_DATA_MAX, data.bytes) } },
	[MUX_ERRDATA] = { "ERRDATA", MUX_HELPER, OURS, { FIELD(BYTES, MUX_DATA_MAX, data.bytes) } },
	[MUX_NOTE] = { "NOTE", MUX_HELPER, OURS, { FIELD(STR, MUX_NOTE_MAX, text.text) } },
	[MUX_EOF] = { "EOF", BOTH, ANY, { { END, 0, 0 } } },
	[MUX_WINDOW] = { "WINDOW", BOTH, ANY, { FIELD(U32, MUX_WINDOW_MAX, window.more) } },
	[MUX_RESIZE] = { "RESIZE", MUX_SESSION, OURS,
	    { FIELD(U32, UINT16_MAX, size.cols), FIELD(U32, UINT16_MAX, size.rows) } },
	[MUX_SIGNAL] = { "SIGNAL", MUX_SESSION, OURS, { FIELD(STR, 16, text.text) } },
	[MUX_EXIT] = { "EXIT", MUX_HELPER, OURS,
	    { FIELD(U32, 255, exit.signal), FIELD(U32, 255, exit.code),
		FIELD(U32, 1, exit.core) } },
	[MUX_CLOSE] = { "CLOSE", BOTH, ANY, { { END, 0, 0 } } },
	[MUX_OPEN_COPY] = { "OPEN_COPY", MUX_SESSION, OURS,
	    { FIELD(U32, 1, copy.in), FIELD(STR, MUX_PATH_MAX, copy.path),
		FIELD(STR, MUX_PATH_MAX, copy.from), FIELD(U32, 1, copy.here) } },
	[MUX_UNREAD] = { "UNREAD", MUX_SESSION, OURS, { { END, 0, 0 } } },
};

const char *
mux_name(enum mux_type type)
{
	return type > 0 && type < MUX_TYPES ? rows[type].name : "?";
}

struct mux_str
mux_str(const char *s)
{
	return (struct mux_str){ s, strlen(s) };
}

char *
mux_strdup(struct mux_str s)
{
	char *copy = xcalloc(s.n + 1, 1);

	if (s.n > 0)
		memcpy(copy, s.s, s.n);
	return copy;
}

static bool
channel_ok(const struct row *row, uint32_t channel)
{
	unsigned kind = channel == 0 ? STREAM : channel & MUX_TOP_BIT ? THEIRS : OURS;

	return (row->channels & kind) != 0;
}

static bool
str_ok(struct mux_str s, uint32_t max)
{
	return s.n <= max && (s.n == 0 || memchr(s.s, 0, s.n) == NULL);
}

/* ---- writing ---------------------------------------------------------- */

/* Where the next field goes; NULL p: only its length is wanted. */
struct writer {
	uint8_t *p;
	size_t n;
	bool bad;
};

static void
put_u32(struct writer *w, uint32_t v, uint32_t max)
{
	w->bad |= v > max;
	if (w->p != NULL)
		store_u32(w->p + w->n, v);
	w->n += 4;
}

static void
put_bytes(struct writer *w, struct mux_str s)
{
	if (w->p != NULL && s.n > 0)
		memcpy(w->p + w->n, s.s, s.n);
	w->n += s.n;
}

static void
put_str(struct writer *w, struct mux_str s, uint32_t max)
{
	w->bad |= !str_ok(s, max);
	put_u32(w, (uint32_t)s.n, UINT32_MAX);
	put_bytes(w, s);
}

static void
put_env(struct writer *w, const struct mux_frame *f, uint32_t max)
{
	uint32_t i, n = f->u.exec.nenv;

	put_u32(w, n, max);
	for (i = 0; i < n && !w->bad; i++) {
		put_str(w, f->u.exec.env[i].name, MUX_PAYLOAD_MAX);
		put_str(w, f->u.exec.env[i].value, MUX_PAYLOAD_MAX);
	}
}

static void
put_field(struct writer *w, const struct mux_frame *f, const struct field *field)
{
	const void *at = (const uint8_t *)f + field->at;
	const struct mux_str *s = at;

	switch (field->kind) {
	case U32:
		put_u32(w, *(const uint32_t *)at, field->max);
		break;
	case STR:
		put_str(w, *s, field->max);
		break;
	case BYTES:
		w->bad |= s->n == 0 || s->n > field->max;
		put_bytes(w, *s);
		break;
	case ENV:
		put_env(w, f, field->max);
		break;
	case END:
		break;
	}
}

static void
put_fields(struct writer *w, const struct mux_frame *f)
{
	const struct field *field = rows[f->type].fields;

	for (; field->kind != END && !w->bad; field++)
		put_field(w, f, field);
}

void
mux_put_head(uint8_t head[static MUX_HEAD], uint32_t channel, enum mux_type type, size_t n)
{
	store_u32(head, channel);
	store_u32(head + 4, (uint32_t)type << 24 | (uint32_t)n);
}

int
mux_put(struct buf *b, const struct mux_frame *f)
{
	struct writer w = { NULL, 0, false };
	uint8_t *p;

	if (f->type <= 0 || f->type >= MUX_TYPES || !channel_ok(&rows[f->type], f->channel))
		return JB_INTERNAL;
	put_fields(&w, f);
	if (w.bad || w.n > MUX_PAYLOAD_MAX || (p = buf_reserve(b, MUX_HEAD + w.n)) == NULL)
		return JB_INTERNAL;
	mux_put_head(p, f->channel, f->type, w.n);
	w = (struct writer){ p + MUX_HEAD, 0, false };
	put_fields(&w, f);
	buf_commit(b, MUX_HEAD + w.n);
	return 0;
}

/* ---- reading ---------------------------------------------------------- */

struct reader {
	const uint8_t *p;
	size_t n; /* what is left */
	bool bad;
};

static uint32_t
get_u32(struct reader *r, uint32_t max)
{
	uint32_t v;

	if (r->bad || r->n < 4 || (v = load_u32(r->p)) > max) {
		r->bad = true;
		return 0;
	}
	r->p += 4;
	r->n -= 4;
	return v;
}

static struct mux_str
get_bytes(struct reader *r, size_t n)
{
	struct mux_str s = { (const char *)r->p, n };

	r->p += n;
	r->n -= n;
	return s;
}

static struct mux_str
get_str(struct reader *r, uint32_t max)
{
	uint32_t n = get_u32(r, max);
	struct mux_str s = { "", 0 };

	if (!r->bad && n <= r->n)
		s = get_bytes(r, n);
	else
		r->bad = true;
	r->bad |= !str_ok(s, max);
	return s;
}

static void
get_env(struct reader *r, struct mux_frame *f, uint32_t max)
{
	uint32_t i, n = get_u32(r, max);

	for (i = 0; i < n; i++) {
		f->u.exec.env[i].name = get_str(r, MUX_PAYLOAD_MAX);
		f->u.exec.env[i].value = get_str(r, MUX_PAYLOAD_MAX);
	}
	f->u.exec.nenv = n;
}

static void
get_field(struct reader *r, struct mux_frame *f, const struct field *field)
{
	void *at = (uint8_t *)f + field->at;

	switch (field->kind) {
	case U32:
		*(uint32_t *)at = get_u32(r, field->max);
		break;
	case STR:
		*(struct mux_str *)at = get_str(r, field->max);
		break;
	case BYTES:
		r->bad |= r->n == 0 || r->n > field->max;
		*(struct mux_str *)at = get_bytes(r, r->n);
		break;
	case ENV:
		get_env(r, f, field->max);
		break;
	case END:
		break;
	}
}

/* More than a type can be long is refused as soon as its head says so. */
static size_t
longest(const struct row *row)
{
	const struct field *field = row->fields;
	size_t n = 0;

	for (; field->kind != END; field++) {
		if (field->kind == ENV)
			return MUX_PAYLOAD_MAX;
		n += (field->kind == BYTES ? 0 : 4) + (field->kind == U32 ? 0 : field->max);
	}
	return n;
}

long
mux_get(const uint8_t *p, size_t n, enum mux_side from, struct mux_frame *f)
{
	const struct field *field;
	const struct row *row;
	struct reader r;
	size_t len;

	if (n < MUX_HEAD)
		return 0;
	if (p[4] == 0 || p[4] >= MUX_TYPES)
		return JB_BAD_INPUT;
	row = &rows[p[4]];
	f->channel = load_u32(p);
	f->type = (enum mux_type)p[4];
	len = load_u32(p + 4) & 0xffffff;
	if (!(row->from & from) || !channel_ok(row, f->channel) || len > longest(row))
		return JB_BAD_INPUT;
	if (n - MUX_HEAD < len)
		return 0;
	r = (struct reader){ p + MUX_HEAD, len, false };
	for (field = row->fields; field->kind != END; field++)
		get_field(&r, f, field);
	if (r.bad || r.n > 0)
		return JB_BAD_INPUT;
	return (long)(MUX_HEAD + len);
}
