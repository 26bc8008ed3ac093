/*
 * Reading the SSH wire format (RFC 4251 section 5) out of bytes that are not
 * ours.  Errors are sticky: read all fields, then ask wire_end().
 */
#ifndef ACCESS_WIRE_H
#define ACCESS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct wire {
	const uint8_t *p;
	size_t left;
	bool bad;
};

void wire_init(struct wire *w, const uint8_t *p, size_t n);
uint8_t wire_u8(struct wire *w);
uint32_t wire_u32(struct wire *w);
/* A view of the next string; NULL and bad if there is none of at most max bytes. */
const uint8_t *wire_bytes(struct wire *w, size_t *n, size_t max);
/* A copy into dst[size] of a string that fits and has no NUL in it; otherwise bad, and "". */
void wire_text(struct wire *w, char *dst, size_t size);
/* The next string is exactly this text; otherwise bad. */
void wire_expect(struct wire *w, const char *text);
/* Nothing went wrong and every byte was used. */
bool wire_end(const struct wire *w);

/* Writing: 0, or JB_INTERNAL when the buffer is full. */
int wire_put_u32(struct buf *b, uint32_t v);
int wire_put_bytes(struct buf *b, const void *p, size_t n);
int wire_put_text(struct buf *b, const char *s);

#endif
