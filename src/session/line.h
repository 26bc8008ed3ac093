/* A line typed on a terminal that the other side put into raw mode.  Pure. */
#ifndef SESSION_LINE_H
#define SESSION_LINE_H

#include "jumpbox/buf.h"
#include "jumpbox/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One more than a password may have: that one was too long is seen. */
enum { LINE_MAX_BYTES = MAX_PASSWORD + 1 };

struct line {
	char text[LINE_MAX_BYTES + 1]; /* NUL-terminated once LINE_DONE */
	size_t len;
	bool echo;     /* false: a secret; nothing is shown but the end of the line */
	bool terminal; /* false: bytes up to '\n', no editing and no echo at all */
	enum line_escape {
		LINE_PLAIN,
		LINE_ESCAPE,
		LINE_SEQUENCE
	} escape; /* of a key like an arrow */
	bool cr;  /* the last byte was '\r': a '\n' right after it is the same key */
};

enum line_event { LINE_MORE, LINE_DONE, LINE_EOF, LINE_INTERRUPT };

void line_init(struct line *l, bool terminal, bool echo); /* wipes what was there */

/* Takes one byte; what is to be shown is added to echo. */
enum line_event line_feed(struct line *l, uint8_t byte, struct buf *echo);

#endif
