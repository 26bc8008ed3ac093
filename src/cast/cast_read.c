/*
 * The lines of a recording as they are read.  jumpboxctl, and the session of
 * an administrator who plays one.
 *
 * The session that wrote it may have been taken over by its user, so nothing
 * is believed: a line has a maximum, and what is no event ends the reading.
 * A line is taken apart where it lies, for what it says is never longer than
 * how that is written.
 */
#include "jumpbox/cast.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	LINE_MOST = 2 * CAST_EVENT_ROOM,
	DEPTH = 4, /* of values in the first line */
	SIDE_MOST = 10000,
	TIME_MOST = 1000000000, /* seconds */
};

struct cast_reader {
	z_stream z;
	uint8_t in[CAST_FEED];
	char text[LINE_MOST]; /* inflated, from..to not taken apart yet */
	size_t from, to;
	size_t searched;     /* no end of a line before this */
	size_t line, length; /* the last one that was */
	bool begun;
	bool bad;		  /* for good */
	bool damaged;		  /* so is what comes after the text */
	char work[LINE_MOST + 1]; /* the line that is taken apart */
};

struct cast_reader *
cast_reader_new(void)
{
	struct cast_reader *r = xcalloc(1, sizeof(*r));

	r->bad = inflateInit2(&r->z, MAX_WBITS + 16) != Z_OK;
	return r;
}

void
cast_reader_free(struct cast_reader *r)
{
	if (r == NULL)
		return;
	inflateEnd(&r->z);
	free(r);
}

/* ---- JSON, as far as it occurs ------------------------------------------- */

struct text {
	char *at, *end;
	bool bad;
};

static void
blanks(struct text *t)
{
	while (t->at < t->end && (*t->at == ' ' || *t->at == '\t'))
		t->at++;
}

/* c comes next, and is taken. */
static bool
take(struct text *t, char c)
{
	blanks(t);
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static void
want(struct text *t, char c)
{
	if (!take(t, c))
		t->bad = true;
}

static unsigned
hex4(struct text *t)
{
	unsigned v = 0, digit;

	for (int i = 0; i < 4; i++) {
		char c = t->at < t->end ? *t->at++ : '\0';

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			digit = (unsigned)((c | 32) - 'a') + 10;
		else {
			t->bad = true;
			return 0;
		}
		v = v << 4 | digit;
	}
	return v;
}

static char *
put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* After \u; two of them make one character beyond U+FFFF, and half a pair makes none. */
static unsigned
escaped(struct text *t)
{
	unsigned c = hex4(t), low;

	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c < 0xdc00 && t->end - t->at >= 6 && t->at[0] == '\\' && t->at[1] == 'u') {
		t->at += 2;
		low = hex4(t);
		if (low >= 0xdc00 && low <= 0xdfff)
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return 0xfffd;
}

static char *
escape(struct text *t, char *to)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char c = t->at < t->end ? *t->at++ : '\0';
	const char *known = c != '\0' ? strchr(names, c) : NULL;

	if (known != NULL)
		*to++ = meant[known - names];
	else if (c == 'u')
		to = put_utf8(to, escaped(t));
	else
		t->bad = true;
	return to;
}

/* A string, put over itself. */
static const char *
string(struct text *t, size_t *n)
{
	char *to, *from;

	want(t, '"');
	for (to = from = t->at; !t->bad;) {
		if (t->at == t->end) {
			t->bad = true;
		} else if (*t->at == '"') {
			t->at++;
			break;
		} else if (*t->at == '\\') {
			t->at++;
			to = escape(t, to);
		} else {
			*to++ = *t->at++;
		}
	}
	*n = (size_t)(to - from);
	return from;
}

/* A number that is not negative, in thousandths. */
static int64_t
number(struct text *t)
{
	int64_t v = 0, unit = 1000;
	const char *from;

	blanks(t);
	for (from = t->at; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
		if ((v = v * 10 + (*t->at - '0')) > TIME_MOST)
			t->bad = true, v = 0;
	if (t->at == from)
		t->bad = true;
	v *= 1000;
	if (t->at < t->end && *t->at == '.')
		for (t->at++; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
			v += (*t->at - '0') * (unit /= 10);
	return v;
}

static void
skip_value(struct text *t, int depth)
{
	bool object;
	size_t n;

	blanks(t);
	if (depth == 0 || t->at == t->end) {
		t->bad = true;
	} else if (*t->at == '"') {
		string(t, &n);
	} else if (*t->at == '{' || *t->at == '[') {
		object = *t->at++ == '{';
		if (take(t, object ? '}' : ']'))
			return;
		do {
			if (object) {
				string(t, &n);
				want(t, ':');
			}
			skip_value(t, depth - 1);
		} while (!t->bad && take(t, ','));
		want(t, object ? '}' : ']');
	} else { /* a number, true, false, null */
		n = strcspn(t->at, ",]} \t");
		t->at += n;
		t->bad = t->bad || n == 0 || t->at > t->end;
	}
}

/* ---- lines ----------------------------------------------------------------- */

static unsigned
side(struct text *t)
{
	int64_t v = number(t) / 1000;

	if (v < 1 || v > SIDE_MOST)
		t->bad = true;
	return (unsigned)v;
}

static bool
is(const char *name, size_t n, const char *what)
{
	return n == strlen(what) && memcmp(name, what, n) == 0;
}

static bool
parse_head(struct text *t, struct cast_event *e)
{
	bool version = false;
	const char *name;
	size_t n;

	*e = (struct cast_event){ .text = "" };
	want(t, '{');
	do {
		name = string(t, &n);
		want(t, ':');
		if (t->bad)
			break;
		if (is(name, n, "version"))
			version = number(t) == 2000;
		else if (is(name, n, "width"))
			e->cols = side(t);
		else if (is(name, n, "height"))
			e->rows = side(t);
		else
			skip_value(t, DEPTH);
	} while (!t->bad && take(t, ','));
	want(t, '}');
	return version && e->cols != 0 && e->rows != 0;
}

static void
parse_size(struct cast_event *e)
{
	char text[16] = "";
	struct text t = { text, text, false };

	if (e->len >= sizeof(text))
		return;
	memcpy(text, e->text, e->len);
	t.end += e->len;
	e->cols = side(&t);
	want(&t, 'x');
	e->rows = side(&t);
	if (t.bad || t.at != t.end)
		e->cols = e->rows = 0;
}

static bool
parse_event(struct text *t, struct cast_event *e)
{
	const char *kind;
	size_t n;

	*e = (struct cast_event){ 0 };
	want(t, '[');
	e->at_ms = number(t);
	want(t, ',');
	kind = string(t, &n);
	want(t, ',');
	e->text = string(t, &e->len);
	want(t, ']');
	if (t->bad || n != 1 || *kind == '\0')
		return false;
	e->kind = *kind;
	if (e->kind == CAST_RESIZE)
		parse_size(e);
	return e->kind != CAST_RESIZE || e->cols != 0;
}

static enum cast_got
parse(struct cast_reader *r, struct cast_event *e)
{
	struct text t = { r->work, r->work + r->length, false };
	bool good;

	memcpy(r->work, r->text + r->line, r->length);
	r->work[r->length] = '\0';
	good = r->begun ? parse_event(&t, e) : parse_head(&t, e);
	blanks(&t);
	r->begun = true;
	r->bad = !good || t.bad || t.at != t.end;
	return r->bad ? CAST_BAD : CAST_EVENT;
}

const char *
cast_line(const struct cast_reader *r, size_t *n)
{
	*n = r->length;
	return r->text + r->line;
}

/* ---- bytes ------------------------------------------------------------------- */

void
cast_feed(struct cast_reader *r, const void *p, size_t n)
{
	if (n > sizeof(r->in))
		n = 0;
	memcpy(r->in, p, n);
	r->z.next_in = r->in;
	r->z.avail_in = (uInt)n;
}

/* Room behind what is there; false: a line without an end. */
static bool
make_room(struct cast_reader *r)
{
	if (r->from > 0) {
		memmove(r->text, r->text + r->from, r->to - r->from);
		r->to -= r->from;
		r->searched -= r->from;
		r->from = 0;
	}
	return r->to < LINE_MOST;
}

/* More of the text; false: more bytes are needed, or there is none. */
static bool
inflate_some(struct cast_reader *r)
{
	size_t before;
	int rc;

	r->damaged = r->damaged || !make_room(r);
	if (r->damaged)
		return false;
	before = r->to;
	do {
		r->z.next_out = (uint8_t *)r->text + r->to;
		r->z.avail_out = (uInt)(LINE_MOST - r->to);
		rc = inflate(&r->z, Z_SYNC_FLUSH);
		r->to = LINE_MOST - r->z.avail_out;
		r->damaged = rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR;
		if (rc == Z_STREAM_END) /* the next member */
			inflateReset(&r->z);
	} while (rc == Z_STREAM_END && r->to == before && r->z.avail_in > 0);
	return r->to > before;
}

enum cast_got
cast_next(struct cast_reader *r, struct cast_event *e)
{
	char *end;

	while (!r->bad) {
		end = memchr(r->text + r->searched, '\n', r->to - r->searched);
		if (end != NULL) {
			r->line = r->from;
			r->length = (size_t)(end - r->text) - r->from;
			r->from = r->searched = r->from + r->length + 1;
			return parse(r, e);
		}
		r->searched = r->to;
		if (!inflate_some(r)) {
			r->bad = r->damaged;
			return r->bad ? CAST_BAD : CAST_MORE;
		}
	}
	return CAST_BAD;
}
