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

/* As the session does: what has come waits in one buffer, and payloads join there. */
static void
run_joined(const uint8_t *p, size_t n, size_t step, struct outcome *o)
{
	const uint8_t *payload;
	struct demux d;
	struct buf raw;
	size_t part, slice = 0;
	int kind = 1;
	long took;

	buf_init(&raw, n);
	buf_init(&o->stream[0], n);
	buf_init(&o->stream[1], n);
	o->refused = 0;
	demux_init(&d);
	for (; n > 0 && !o->refused; p += part, n -= part) {
		part = n < step ? n : step;
		check(buf_add(&raw, p, part) == 0);
		while (buf_len(&raw) > 0) {
			took =
			    demux_next(&d, buf_ptr(&raw), buf_len(&raw), &payload, &slice, &kind);
			if (took < 0) {
				o->refused = 1;
				break;
			}
			buf_consume(&raw, (size_t)took - slice);
			if (slice == 0)
				continue;
			buf_consume(&raw,
			    demux_join(&d, raw.data + raw.off, buf_len(&raw), kind, step, &slice));
			check(buf_add(&o->stream[kind - 1], buf_ptr(&raw), slice) == 0);
			buf_consume(&raw, slice);
		}
	}
	buf_release(&raw);
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

static void
compare(struct outcome *got, const struct outcome *whole)
{
	int i;

	check(got->refused == whole->refused);
	check(got->refused || got->boundary == whole->boundary);
	for (i = 0; i < 2; i++) {
		same(&got->stream[i], &whole->stream[i]);
		buf_release(&got->stream[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct outcome got, whole;
	int i;

	if (n == 0)
		return 0;
	expect(p + 1, n - 1, &whole);
	run(p + 1, n - 1, p[0] + 1u, &got);
	compare(&got, &whole);
	run_joined(p + 1, n - 1, p[0] + 1u, &got);
	compare(&got, &whole);
	for (i = 0; i < 2; i++)
		buf_release(&whole.stream[i]);
	return 0;
}
