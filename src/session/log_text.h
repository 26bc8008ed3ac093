/* What a container has written, made safe for a person's terminal.  Pure. */
#ifndef SESSION_LOG_TEXT_H
#define SESSION_LOG_TEXT_H

#include "jumpbox/buf.h"
#include "jumpbox/demux.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_text {
	char part[4]; /* the beginning of a character that is not complete */
	size_t n;
	bool cr; /* a '\r' that may belong to a '\n' */
};

enum { LOG_TEXT_GROWTH = 16 }; /* bytes at most for one */

/*
 * Adds n bytes as they may be shown: lines and tabs stay, the '\r' of a line's
 * end goes, every other control, bidi or invisible character and what is not
 * UTF-8 is escaped as text_safe() does.  Takes them in any pieces.
 */
void log_text_add(struct log_text *t, const uint8_t *p, size_t n, struct buf *out);
/* There is no more: what is incomplete is shown so. */
void log_text_end(struct log_text *t, struct buf *out);

/* The same of what REP_LOGS passes: both of a container's outputs as one, in order. */
struct log_stream {
	bool framed;
	struct demux demux;
	struct log_text text;
};
void log_stream_init(struct log_stream *s, bool framed);
/* False: these are no frames. */
bool log_stream_add(struct log_stream *s, const uint8_t *p, size_t n, struct buf *out);
bool log_stream_end(struct log_stream *s, struct buf *out); /* false: a frame is not whole */

#endif
