/*
 * A growable byte buffer with a maximum set at birth.  Data is appended at
 * the end and consumed at the front.  Storage is wiped before it is freed.
 */
#ifndef JUMPBOX_BUF_H
#define JUMPBOX_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* allocation */
	size_t off;    /* first unconsumed byte */
	size_t end;    /* one past the last byte */
	size_t cap;
	size_t max; /* never more than this many unconsumed bytes */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b); /* wipes */
void buf_reset(struct buf *b);	 /* drops the content, keeps the storage */

size_t buf_len(const struct buf *b);
size_t buf_room(const struct buf *b);
const uint8_t *buf_ptr(const struct buf *b);

/* 0, or JB_INTERNAL when it does not fit; nothing is added then. */
int buf_add(struct buf *b, const void *p, size_t n);
/* Room for exactly n more bytes, to be filled in place and then committed. NULL when over the
 * maximum. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
void buf_consume(struct buf *b, size_t n);

#endif
