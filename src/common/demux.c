/*
 * The 8-byte headers of a stream without a terminal.  Session.
 *
 *	+------+---+---+---+-----------+----------------
 *	| kind | 0 | 0 | 0 | u32 big-e | that many bytes
 *	+------+---+---+---+-----------+----------------
 *
 * Kind 1 is standard output and 2 standard error.  3 is the engine's own
 * complaint: a person should see it and a pipe should not, so it is shown as 2.
 */
#include "jumpbox/demux.h"

#include "jumpbox/util.h"

#include <string.h>

enum { KIND_STDOUT = 1, KIND_STDERR, KIND_ENGINE };

void
demux_init(struct demux *d)
{
	memset(d, 0, sizeof *d);
}

static int
parse_head(struct demux *d)
{
	const uint8_t *h = d->head;

	if (h[0] < KIND_STDOUT || h[0] > KIND_ENGINE || (h[1] | h[2] | h[3]) != 0)
		return -1;
	d->kind = h[0] == KIND_ENGINE ? KIND_STDERR : h[0];
	d->remain = load_u32(h + 4);
	return 0;
}

long
demux_next(struct demux *d, const uint8_t *p, size_t n, const uint8_t **slice, size_t *slice_len,
    int *kind)
{
	size_t took = 0, len;

	*slice_len = 0;
	if (d->remain == 0) {
		took = sizeof d->head - d->have;
		if (took > n)
			took = n;
		memcpy(d->head + d->have, p, took);
		d->have += (unsigned)took;
		if (d->have < sizeof d->head)
			return (long)took;
		if (parse_head(d) < 0)
			return -1;
		d->have = 0;
	}
	len = n - took;
	if (len > d->remain)
		len = d->remain;
	if (len > 0) {
		*slice = p + took;
		*slice_len = len;
		*kind = d->kind;
		d->remain -= (uint32_t)len;
	}
	return (long)(took + len);
}

/* Each payload moves once, back over its header; then all of them to where the last one ended. */
size_t
demux_join(struct demux *d, uint8_t *p, size_t n, int kind, size_t most, size_t *slice)
{
	size_t to = *slice, from = *slice, len;
	const uint8_t *payload;
	struct demux next;
	long took;
	int k;

	while (to < most && from < n) {
		next = *d;
		took = demux_next(&next, p + from, n - from, &payload, &len, &k);
		if (took < 0 || len == 0 || k != kind)
			break;
		memmove(p + to, payload, len);
		to += len;
		from += (size_t)took;
		*d = next;
	}
	memmove(p + from - to, p, to);
	*slice = to;
	return from - to;
}

int
demux_at_boundary(const struct demux *d)
{
	return d->have == 0 && d->remain == 0;
}
