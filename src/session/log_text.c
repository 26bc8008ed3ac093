/* What a container has written, made safe for a person's terminal.  jumpbox-session; pure. */
#include "log_text.h"

#include "jumpbox/text.h"

#include <string.h>

/* How many bytes a character that begins so wants to have; 1 also for what begins none. */
static size_t
wanted(uint8_t first)
{
	return first >= 0xf0 && first < 0xf8 ? 4
	    : first >= 0xe0 && first < 0xf0  ? 3
	    : first >= 0xc0 && first < 0xe0  ? 2
					     : 1;
}

/* The character at s, which has a NUL behind what there is of it; returns its length. */
static size_t
show(const char *s, struct buf *out)
{
	char escaped[TEXT_ESCAPE_MAX];
	int32_t cp;
	size_t n = text_decode(s, &cp);

	if (cp >= 0 && !text_unsafe(cp))
		buf_add(out, s, n);
	else
		buf_add(out, escaped, text_escape(s, cp, escaped));
	return n;
}

static void
carriage_return(struct log_text *t, uint8_t next, struct buf *out)
{
	if (t->cr && next != '\n')
		show("\r", out);
	t->cr = false;
}

/* All of part that is no beginning of a character any more. */
static void
settle(struct log_text *t, bool last, struct buf *out)
{
	char s[sizeof(t->part) + 1];
	size_t n;

	while (t->n > 0 && (last || t->n >= wanted((uint8_t)t->part[0]))) {
		memcpy(s, t->part, t->n);
		s[t->n] = '\0';
		n = show(s, out);
		t->n -= n;
		memmove(t->part, t->part + n, t->n);
	}
}

/* A byte that cannot go on with what is there ends it. */
static bool
goes_on(const struct log_text *t, uint8_t byte)
{
	return t->n > 0 && (byte & 0xc0) == 0x80;
}

void
log_text_add(struct log_text *t, const uint8_t *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (!goes_on(t, c))
			settle(t, true, out);
		carriage_return(t, c, out);
		if (c == '\r') {
			t->cr = true;
		} else if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f)) {
			buf_add(out, &c, 1);
		} else {
			t->part[t->n++] = (char)c;
			settle(t, false, out);
		}
	}
}

void
log_text_end(struct log_text *t, struct buf *out)
{
	settle(t, true, out);
	carriage_return(t, 0, out);
}

/* ---- frames ------------------------------------------------------------------- */

void
log_stream_init(struct log_stream *s, bool framed)
{
	*s = (struct log_stream){ .framed = framed };
	demux_init(&s->demux);
}

bool
log_stream_add(struct log_stream *s, const uint8_t *p, size_t n, struct buf *out)
{
	const uint8_t *slice;
	size_t len;
	long taken;
	int kind;

	if (!s->framed) {
		log_text_add(&s->text, p, n, out);
		return true;
	}
	for (; n > 0; p += taken, n -= (size_t)taken) {
		if ((taken = demux_next(&s->demux, p, n, &slice, &len, &kind)) < 0)
			return false;
		log_text_add(&s->text, slice, len, out);
	}
	return true;
}

bool
log_stream_end(struct log_stream *s, struct buf *out)
{
	log_text_end(&s->text, out);
	return !s->framed || demux_at_boundary(&s->demux);
}
