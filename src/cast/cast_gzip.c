/*
 * One gzip member of a recording.  Broker and session.
 *
 * The compressor is made anew for each: its quarter of a megabyte would
 * otherwise stay with every terminal that is recorded and says nothing.
 */
#include "jumpbox/cast.h"

#include "jumpbox/errors.h"

#include <string.h>
#include <zlib.h>

/* A terminal writes faster than a higher level compresses. */
enum { LEVEL = 1, GZIP = 16, MEMORY = 8 };

int
cast_member(struct buf *out, const void *p, size_t n)
{
	z_stream z;
	uint8_t *room;
	size_t bound;
	int r;

	memset(&z, 0, sizeof(z));
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return JB_INTERNAL;
	bound = deflateBound(&z, n);
	if ((room = buf_reserve(out, bound)) == NULL) {
		deflateEnd(&z);
		return JB_INTERNAL;
	}
	z.next_in = (Bytef *)p;
	z.avail_in = (uInt)n;
	z.next_out = room;
	z.avail_out = (uInt)bound;
	r = deflate(&z, Z_FINISH);
	if (r == Z_STREAM_END)
		buf_commit(out, bound - z.avail_out);
	deflateEnd(&z);
	return r == Z_STREAM_END ? 0 : JB_INTERNAL;
}
