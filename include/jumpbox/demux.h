/*
 * A non-TTY exec's stream: 8-byte headers { kind, 0, 0, 0, u32 length } and
 * that many bytes.  Incremental: feed what has arrived, get slices.  Pure.
 */
#ifndef JUMPBOX_DEMUX_H
#define JUMPBOX_DEMUX_H

#include <stddef.h>
#include <stdint.h>

struct demux {
	uint8_t head[8];
	unsigned have;	 /* header bytes so far */
	uint32_t remain; /* payload bytes still to come */
	int kind;	 /* of the current frame: 1 stdout, 2 stderr (or the engine's own, 3) */
};

void demux_init(struct demux *d);

/*
 * Takes bytes from p[0..n): at most one payload slice a call.  Returns how
 * many bytes were taken (n > 0 gives at least 1), or -1 for a malformed
 * header.  *slice_len is 0 when the bytes were all header; otherwise *slice
 * points into p and *kind is 1 or 2.
 */
long demux_next(struct demux *d, const uint8_t *p, size_t n, const uint8_t **slice,
    size_t *slice_len, int *kind);

/*
 * p[0..*slice) is payload of `kind` that nobody has taken yet.  Frames of the
 * same stream behind it, in p[*slice..n), join it until it has `most` bytes.
 * Returns how many bytes at the front of p are free now: the payload begins
 * behind them.
 */
size_t demux_join(struct demux *d, uint8_t *p, size_t n, int kind, size_t most, size_t *slice);

/* True between frames: an end of stream elsewhere was a truncation. */
int demux_at_boundary(const struct demux *d);

#endif
