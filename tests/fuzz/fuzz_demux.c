/*
 * The stream demultiplexer: the first byte says in what pieces the rest
 * arrives; the outcome must be what reading it whole, frame by frame, gives.
 */
#include "fuzz.h"

#include "jumpbox/demux.h"

#include "jumpbox/buf.h"

#include <stdlib.h>
#include <string.h>

struct outcome {
	struct buf stream[2];
	int refused, boundary;
};

static void
run(const uint8_t *p, size_t n, size_t step, struct outcome *o)
{
	const uint8_t *slice;
	struct demux d;
	size_t len, part;
	int kind;
	long took;

	buf_init(&o->stream[0], n);
	buf_init(&o->stream[1], n);
	o->refused = 0;
	demux_init(&d);
	while (n > 0 && !o->refused) {
		part = n < step ? n : step;
		took = demux_next(&d, p, part, &slice, &len, &kind);
		if (took < 0) {
			o->refused = 1;
			break;
		}
		check(took >= 1 && (size_t)took <= part && len <= (size_t)took);
		if (len > 0) {
			check((kind == 1 || kind == 2) && slice >= p && slice + len == p + took);
			check(buf_add(&o->stream[kind - 1], slice, len) == 0);
		}
		p += took;
		n -= (size_t)took;
	}
	o->boundary = demux_at_boundary(&d);
}

static size_t
frame_len(const uint8_t *h)
{
	return (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
}

/* The same by the simplest road. */
static void
expect(const uint8_t *p, size_t n, struct outcome *o)
{
	size_t at = 0, len;

	buf_init(&o->stream[0], n);
	buf_init(&o->stream[1], n);
	o->refused = 0;
	while (n - at >= 8) {
		if (p[at] < 1 || p[at] > 3 || p[at + 1] || p[at + 2] || p[at + 3]) {
			o->refused = 1;
			return;
		}
		len = frame_len(p + at) < n - at - 8 ? frame_len(p + at) : n - at - 8;
		check(buf_add(&o->stream[p[at] > 1], p + at + 8, len) == 0);
		if (len < frame_len(p + at)) {
			o->boundary = 0;
			return;
		}
		at += 8 + len;
	}
	o->boundary = at == n;
}

static void
same(const struct buf *a, const struct buf *b)
{
	check(buf_len(a) == buf_len(b));
	check(memcmp(buf_ptr(a), buf_ptr(b), buf_len(a)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct outcome pieces, whole;
	int i;

	if (n == 0)
		return 0;
	run(p + 1, n - 1, p[0] + 1u, &pieces);
	expect(p + 1, n - 1, &whole);
	check(pieces.refused == whole.refused);
	check(pieces.refused || pieces.boundary == whole.boundary);
	for (i = 0; i < 2; i++) {
		same(&pieces.stream[i], &whole.stream[i]);
		buf_release(&pieces.stream[i]);
		buf_release(&whole.stream[i]);
	}
	return 0;
}
