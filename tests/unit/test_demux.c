/*
 * Frames of a stream without a terminal, however they are cut.
 */
#include "jumpbox/demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct sink {
	uint8_t out[1024], err[1024];
	size_t nout, nerr;
};

static size_t
frame(uint8_t *to, uint8_t kind, size_t n, char fill)
{
	memset(to, 0, 8);
	to[0] = kind;
	to[6] = (uint8_t)(n >> 8);
	to[7] = (uint8_t)n;
	memset(to + 8, fill, n);
	return 8 + n;
}

static size_t
sample(uint8_t *to)
{
	size_t n = 0;

	n += frame(to + n, 1, 5, 'a');
	n += frame(to + n, 2, 3, 'b');
	n += frame(to + n, 1, 0, 'x');
	n += frame(to + n, 1, 300, 'c');
	n += frame(to + n, 3, 4, 'd');
	return n;
}

/* Feeds p as pieces of at most `step`; -1 if it was refused. */
static int
feed(struct demux *d, const uint8_t *p, size_t n, size_t step, struct sink *s)
{
	const uint8_t *slice = NULL;
	size_t len, part;
	int kind = 0;
	long took;

	while (n > 0) {
		part = n < step ? n : step;
		took = demux_next(d, p, part, &slice, &len, &kind);
		if (took < 0)
			return -1;
		assert_true(took >= 1 && (size_t)took <= part);
		if (len > 0) {
			assert_true(slice >= p && slice + len == p + took);
			assert_true(kind == 1 || kind == 2);
			memcpy(kind == 1 ? s->out + s->nout : s->err + s->nerr, slice, len);
			*(kind == 1 ? &s->nout : &s->nerr) += len;
		}
		p += took;
		n -= (size_t)took;
	}
	return 0;
}

static void
cut_anywhere(void **state)
{
	uint8_t wire[512];
	size_t n = sample(wire), step;
	struct demux d;
	struct sink s;

	(void)state;
	for (step = 1; step <= n; step++) {
		memset(&s, 0, sizeof s);
		demux_init(&d);
		assert_int_equal(feed(&d, wire, n, step, &s), 0);
		assert_true(demux_at_boundary(&d));
		assert_int_equal(s.nout, 305);
		assert_memory_equal(s.out, "aaaaac", 6);
		assert_int_equal(s.nerr, 7);
		assert_memory_equal(s.err, "bbbdddd", 7);
	}
}

static void
the_boundary_is_known(void **state)
{
	uint8_t wire[512];
	const size_t ends[] = { 0, 13, 24, 32, 340, 352 };
	size_t n = sample(wire), cut, i;
	struct demux d;
	struct sink s;
	int want;

	(void)state;
	assert_int_equal(n, 352);
	for (cut = 0; cut <= n; cut++) {
		memset(&s, 0, sizeof s);
		demux_init(&d);
		assert_int_equal(feed(&d, wire, cut, n, &s), 0);
		for (want = 0, i = 0; i < sizeof ends / sizeof ends[0]; i++)
			want |= cut == ends[i];
		assert_int_equal(demux_at_boundary(&d), want);
	}
}

static void
malformed_headers(void **state)
{
	static const uint8_t heads[][8] = {
		{ 0, 0, 0, 0, 0, 0, 0, 1 },
		{ 4, 0, 0, 0, 0, 0, 0, 1 },
		{ 255, 0, 0, 0, 0, 0, 0, 1 },
		{ 1, 1, 0, 0, 0, 0, 0, 1 },
		{ 1, 0, 1, 0, 0, 0, 0, 1 },
		{ 1, 0, 0, 1, 0, 0, 0, 1 },
		{ 'H', 'T', 'T', 'P', '/', '1', '.', '1' },
	};
	struct demux d;
	struct sink s = { .nout = 0 };
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		for (step = 1; step <= 8; step++) {
			demux_init(&d);
			assert_int_equal(feed(&d, heads[i], 8, step, &s), -1);
		}
	}
	assert_int_equal(s.nout + s.nerr, 0);
}

/* A length of 4 GiB less one is a long frame, not an overflow. */
static void
the_longest_frame(void **state)
{
	static const uint8_t head[8] = { 1, 0, 0, 0, 255, 255, 255, 255 };
	static uint8_t block[65536];
	const uint8_t *slice;
	struct demux d;
	uint64_t left = UINT32_MAX;
	size_t len;
	int kind;
	long took;

	(void)state;
	demux_init(&d);
	assert_int_equal(demux_next(&d, head, 8, &slice, &len, &kind), 8);
	assert_int_equal(len, 0);
	while (left > 0) {
		took = demux_next(&d, block, sizeof block, &slice, &len, &kind);
		assert_true(took > 0);
		assert_int_equal(len, left < sizeof block ? left : sizeof block);
		left -= len;
	}
	assert_true(demux_at_boundary(&d));
	assert_int_equal(took, 65535);
}

struct joined {
	struct demux d;
	uint8_t wire[512];
	size_t n, slice, free;
};

/* The first payload of `a` 5, `a` 3, `b` 2 bytes and half a header, joined up to `most`. */
static void
join(struct joined *j, size_t most)
{
	const uint8_t *slice;
	size_t len = 0;
	int kind = 0;

	j->n = frame(j->wire, 1, 5, 'a');
	j->n += frame(j->wire + j->n, 1, 3, 'b');
	j->n += frame(j->wire + j->n, 1, 4, 'c');
	j->n += frame(j->wire + j->n, 2, 2, 'e');
	j->n += frame(j->wire + j->n, 1, 9, 'd');
	demux_init(&j->d);
	assert_int_equal(demux_next(&j->d, j->wire, j->n, &slice, &len, &kind), 13);
	j->slice = len;
	j->n -= 8; /* what is left begins with the payload */
	memmove(j->wire, slice, j->n);
	j->free = demux_join(&j->d, j->wire, j->n, kind, most, &j->slice);
}

static void
payloads_join_until_there_is_enough(void **state)
{
	struct joined j;

	(void)state;
	join(&j, 5);
	assert_int_equal(j.slice, 5);
	assert_int_equal(j.free, 0);
	join(&j, 6);
	assert_int_equal(j.slice, 8);
	assert_int_equal(j.free, 8);
	assert_memory_equal(j.wire + j.free, "aaaaabbb", 8);
}

static void
another_stream_joins_nothing(void **state)
{
	const uint8_t *slice;
	struct joined j;
	size_t len;
	int kind;

	(void)state;
	join(&j, 100);
	assert_int_equal(j.slice, 12);
	assert_int_equal(j.free, 16);
	assert_memory_equal(j.wire + j.free, "aaaaabbbcccc", 12);
	assert_int_equal(demux_next(&j.d, j.wire + 28, j.n - 28, &slice, &len, &kind), 10);
	assert_int_equal(kind, 2);
	assert_memory_equal(slice, "ee", len);
}

/* A frame that goes on has no header of its own behind the slice; one whose header is cut waits. */
static void
what_has_not_come_does_not_join(void **state)
{
	uint8_t wire[64];
	const uint8_t *slice;
	struct demux d;
	size_t n = frame(wire, 1, 6, 'a'), len = 0, have;
	int kind = 0;

	(void)state;
	n += frame(wire + n, 1, 4, 'b');
	demux_init(&d);
	assert_int_equal(demux_next(&d, wire, 10, &slice, &len, &kind), 10);
	have = len;
	assert_int_equal(have, 2);
	assert_int_equal(demux_join(&d, wire + 8, 2, kind, 100, &have), 0);
	assert_int_equal(have, 2);
	assert_int_equal(demux_join(&d, wire + 8, 6 + 3, kind, 100, &have), 0);
	assert_int_equal(have, 6);
	assert_int_equal(demux_join(&d, wire + 8, 6 + 12, kind, 100, &have), 8);
	assert_int_equal(have, 10);
	assert_memory_equal(wire + 16, "aaaaaabbbb", 10);
	assert_true(demux_at_boundary(&d));
	assert_int_equal(n, 26);
}

static void
nothing_takes_nothing(void **state)
{
	const uint8_t *slice;
	struct demux d;
	size_t len = 9;
	int kind;

	(void)state;
	demux_init(&d);
	assert_int_equal(demux_next(&d, (const uint8_t *)"", 0, &slice, &len, &kind), 0);
	assert_int_equal(len, 0);
	assert_true(demux_at_boundary(&d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(the_boundary_is_known),
		cmocka_unit_test(malformed_headers),
		cmocka_unit_test(the_longest_frame),
		cmocka_unit_test(payloads_join_until_there_is_enough),
		cmocka_unit_test(another_stream_joins_nothing),
		cmocka_unit_test(what_has_not_come_does_not_join),
		cmocka_unit_test(nothing_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
