/*
 * Line editing for the plain menu: erase, word erase, kill, Ctrl-C, Ctrl-D.
 * Keys that send an escape sequence do nothing.
 * jumpbox-session; pure.
 */
#include "line.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <string.h>

void
line_init(struct line *l, bool terminal, bool echo)
{
	bool cr = l->cr;

	wipe(l, sizeof(*l));
	l->terminal = terminal;
	l->echo = echo;
	l->cr = cr;
}

static void
show(const struct line *l, struct buf *out, const char *s)
{
	if (l->terminal && l->echo)
		buf_add(out, s, strlen(s));
}

/* The last character goes, all bytes and columns of it. */
static void
erase(struct line *l, struct buf *out)
{
	if (l->len == 0)
		return;
	l->text[l->len] = '\0';
	while (l->len > 1 && ((uint8_t)l->text[l->len - 1] & 0xc0) == 0x80)
		l->len--;
	l->len--;
	for (size_t n = text_width(l->text + l->len); n > 0; n--)
		show(l, out, "\b \b");
}

static void
erase_word(struct line *l, struct buf *out)
{
	while (l->len > 0 && l->text[l->len - 1] == ' ')
		erase(l, out);
	while (l->len > 0 && l->text[l->len - 1] != ' ')
		erase(l, out);
}

static enum line_event
done(struct line *l, struct buf *out)
{
	if (!l->terminal && l->len > 0 && l->text[l->len - 1] == '\r')
		l->len--; /* a line from a file of the other kind */
	l->text[l->len] = '\0';
	if (l->terminal)
		buf_add(out, "\r\n", 2);
	return LINE_DONE;
}

static void
insert(struct line *l, uint8_t byte, struct buf *out)
{
	if (l->len == LINE_MAX_BYTES)
		return;
	l->text[l->len++] = (char)byte;
	if (l->terminal && l->echo)
		buf_add(out, &byte, 1);
}

static enum line_event
control(struct line *l, uint8_t byte, struct buf *out)
{
	switch (byte) {
	case '\r':
	case '\n':
		return done(l, out);
	case 3: /* Ctrl-C */
		buf_add(out, "^C\r\n", 4);
		return LINE_INTERRUPT;
	case 4: /* Ctrl-D */
		return l->len == 0 ? LINE_EOF : LINE_MORE;
	case '\b':
	case 127:
		erase(l, out);
		break;
	case 21: /* Ctrl-U */
		while (l->len > 0)
			erase(l, out);
		break;
	case 23: /* Ctrl-W */
		erase_word(l, out);
		break;
	}
	return LINE_MORE;
}

/* True: the byte belongs to ESC [ ... final, ESC O final or ESC letter. */
static bool
in_escape(struct line *l, uint8_t byte)
{
	enum line_escape was = l->escape;

	l->escape = LINE_PLAIN;
	if (byte == 27)
		l->escape = LINE_ESCAPE;
	else if (byte < 32 || was == LINE_PLAIN)
		return false; /* a control key is itself, whatever it interrupts */
	else if (was == LINE_ESCAPE && (byte == '[' || byte == 'O'))
		l->escape = LINE_SEQUENCE;
	else if (was == LINE_SEQUENCE && (byte < '@' || byte > '~'))
		l->escape = LINE_SEQUENCE;
	return true;
}

enum line_event
line_feed(struct line *l, uint8_t byte, struct buf *out)
{
	bool after_cr = l->cr;

	l->cr = l->terminal && byte == '\r';
	if (after_cr && byte == '\n')
		return LINE_MORE;
	if (!l->terminal) {
		if (byte == '\n')
			return done(l, out);
		insert(l, byte, out);
		return LINE_MORE;
	}
	if (in_escape(l, byte))
		return LINE_MORE;
	if (byte < 32 || byte == 127)
		return control(l, byte, out);
	insert(l, byte, out);
	return LINE_MORE;
}
