/*
 * A growable byte buffer with a maximum.  Every process.
 */
#include "jumpbox/buf.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST = 256 };

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void
buf_release(struct buf *b)
{
	wipe(b->data, b->cap);
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->off = b->end = 0;
}

size_t
buf_len(const struct buf *b)
{
	return b->end - b->off;
}

size_t
buf_room(const struct buf *b)
{
	return b->max - buf_len(b);
}

const uint8_t *
buf_ptr(const struct buf *b)
{
	return b->data == NULL ? (const uint8_t *)"" : b->data + b->off;
}

/* New storage of at least `need` bytes; the old one is wiped, which realloc would not do. */
static void
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap, len = buf_len(b);
	uint8_t *data;

	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	data = xreallocarray(NULL, cap, 1);
	if (len > 0)
		memcpy(data, b->data + b->off, len);
	wipe(b->data, b->cap);
	free(b->data);
	b->data = data;
	b->cap = cap;
	b->off = 0;
	b->end = len;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	size_t len = buf_len(b);

	if (n > buf_room(b))
		return NULL;
	if (b->data == NULL || len + n > b->cap) {
		grow(b, len + n);
	} else if (n > b->cap - b->end) {
		memmove(b->data, b->data + b->off, len);
		b->off = 0;
		b->end = len;
	}
	return b->data + b->end;
}

void
buf_commit(struct buf *b, size_t n)
{
	if (n > b->cap - b->end)
		abort();
	b->end += n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);

	if (to == NULL)
		return JB_INTERNAL;
	if (n > 0)
		memcpy(to, p, n);
	buf_commit(b, n);
	return 0;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n > buf_len(b))
		abort();
	b->off += n;
	if (b->off == b->end)
		buf_reset(b);
}
