/*
 * The lines of a recording as they are written.  The broker writes the first
 * one, the session all others.
 *
 * A stream is bytes and JSON is characters: what is no UTF-8 becomes U+FFFD,
 * one for each sequence that breaks off, and a character that has not come
 * whole waits for the next event.
 */
#include "jumpbox/cast.h"

#include "jumpbox/errors.h"

#include <stdio.h>
#include <string.h>

/* ---- characters --------------------------------------------------------- */

/* Bytes of the character that c begins; 0: none does. */
static size_t
length(uint8_t c)
{
	return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* Whether c may be the second byte after first: no overlong form, no surrogate, none beyond U+10FFFF. */
static bool
second(uint8_t first, uint8_t c)
{
	uint8_t from = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t to = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return c >= from && c <= to;
}

/* How many bytes at p belong together; *whole: they are a character, *more: they may become one. */
static size_t
character(const uint8_t *p, size_t n, bool *whole, bool *more)
{
	size_t want = length(p[0]), i;

	*whole = *more = false;
	if (want == 0)
		return 1;
	for (i = 1; i < want && i < n; i++)
		if (i == 1 ? !second(p[0], p[1]) : (p[i] & 0xc0) != 0x80)
			return i;
	*whole = i == want;
	*more = i < want;
	return i;
}

static int
put_control(struct buf *out, uint8_t c)
{
	static const char letter[] = "........btn.fr..................";
	char text[8];

	if (c == '"' || c == '\\')
		snprintf(text, sizeof(text), "\\%c", c);
	else if (letter[c] != '.')
		snprintf(text, sizeof(text), "\\%c", letter[c]);
	else
		snprintf(text, sizeof(text), "\\u%04x", c);
	return buf_add(out, text, strlen(text));
}

/* Plain bytes up to the next that is not, at once. */
static size_t
plain(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= ' ' && p[i] < 0x80 && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* Returns how many bytes were taken: all but a beginning of a character, which may become one. */
static size_t
put_string(struct buf *out, const uint8_t *p, size_t n)
{
	size_t at = 0, len;
	bool whole, more;

	while (at < n) {
		if ((len = plain(p + at, n - at)) > 0) {
			buf_add(out, p + at, len);
			at += len;
			continue;
		}
		len = character(p + at, n - at, &whole, &more);
		if (more)
			break;
		if (!whole)
			buf_add(out, "\xef\xbf\xbd", 3);
		else if (len > 1)
			buf_add(out, p + at, len);
		else
			put_control(out, p[at]);
		at += len;
	}
	return at;
}

/* ---- lines -------------------------------------------------------------- */

static int
put_begin(struct buf *out, int64_t at_ms, char kind)
{
	char text[64];

	snprintf(text, sizeof(text), "[%lld.%03d,\"%c\",\"", (long long)(at_ms / 1000),
	    (int)(at_ms % 1000), kind);
	return buf_add(out, text, strlen(text));
}

static int
put_end(struct buf *out)
{
	return buf_add(out, "\"]\n", 3);
}

int
cast_put_text(struct buf *out, int64_t at_ms, struct cast_text *t, const void *p, size_t n)
{
	uint8_t joined[sizeof(t->part) + 4];
	const uint8_t *bytes = p;
	size_t first = 0, took;

	if (buf_room(out) < CAST_EVENT_ROOM)
		return JB_INTERNAL;
	/* With the bytes that may end what waits: three at most, and what they begin themselves. */
	if (t->npart > 0) {
		first = n < 4 ? n : 4;
		memcpy(joined, t->part, t->npart);
		memcpy(joined + t->npart, bytes, first);
	}
	put_begin(out, at_ms, t->kind);
	if (t->npart > 0) {
		took = put_string(out, joined, t->npart + first);
		if (took < t->npart) { /* not whole yet */
			t->npart += first;
			memcpy(t->part, joined, t->npart);
			n = first;
		} else {
			first = took - t->npart;
			t->npart = 0;
		}
	}
	if (first < n) {
		took = put_string(out, bytes + first, n - first);
		t->npart = n - first - took;
		memcpy(t->part, bytes + first + took, t->npart);
	}
	return put_end(out);
}

int
cast_put_size(struct buf *out, int64_t at_ms, unsigned cols, unsigned rows)
{
	char text[32];

	if (buf_room(out) < CAST_EVENT_ROOM)
		return JB_INTERNAL;
	put_begin(out, at_ms, CAST_RESIZE);
	snprintf(text, sizeof(text), "%ux%u", cols, rows);
	buf_add(out, text, strlen(text));
	return put_end(out);
}

static void
put_member(struct buf *out, const char *name, const char *value)
{
	buf_add(out, ",\"", 2);
	buf_add(out, name, strlen(name));
	buf_add(out, "\":\"", 3);
	put_string(out, (const uint8_t *)value, strlen(value));
	buf_add(out, "\"", 1);
}

int
cast_put_head(struct buf *out, const struct cast_head *h)
{
	char text[128];

	if (buf_room(out) < CAST_EVENT_ROOM)
		return JB_INTERNAL;
	snprintf(text, sizeof(text), "{\"version\":2,\"width\":%u,\"height\":%u,\"timestamp\":%lld",
	    h->cols, h->rows, (long long)h->started);
	buf_add(out, text, strlen(text));
	if (h->title != NULL)
		put_member(out, "title", h->title);
	if (h->term != NULL) {
		buf_add(out, ",\"env\":{\"TERM\":\"", 16);
		put_string(out, (const uint8_t *)h->term, strlen(h->term));
		buf_add(out, "\"}", 2);
	}
	return buf_add(out, "}\n", 2);
}
