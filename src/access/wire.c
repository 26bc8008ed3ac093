/* The SSH wire format, read and written.  Pure.  Broker and jumpboxctl. */
#include "wire.h"
#include "jumpbox/buf.h"
#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <string.h>

void
wire_init(struct wire *w, const uint8_t *p, size_t n)
{
	*w = (struct wire){ .p = p, .left = n };
}

/* n bytes, or NULL and bad. */
static const uint8_t *
take(struct wire *w, size_t n)
{
	const uint8_t *p = w->p;

	if (w->bad || n > w->left) {
		w->bad = true;
		return NULL;
	}
	w->p += n;
	w->left -= n;
	return p;
}

uint8_t
wire_u8(struct wire *w)
{
	const uint8_t *p = take(w, 1);

	return p ? p[0] : 0;
}

uint32_t
wire_u32(struct wire *w)
{
	const uint8_t *p = take(w, 4);

	return p ? load_u32(p) : 0;
}

const uint8_t *
wire_bytes(struct wire *w, size_t *n, size_t max)
{
	size_t len = wire_u32(w);
	const uint8_t *p;

	*n = 0;
	if (len > max)
		w->bad = true;
	if ((p = take(w, len)))
		*n = len;
	return p;
}

void
wire_text(struct wire *w, char *dst, size_t size)
{
	size_t n;
	const uint8_t *p = wire_bytes(w, &n, size - 1);

	dst[0] = '\0';
	if (!p)
		return;
	if (memchr(p, '\0', n)) {
		w->bad = true;
		return;
	}
	memcpy(dst, p, n);
	dst[n] = '\0';
}

void
wire_expect(struct wire *w, const char *text)
{
	size_t n;
	const uint8_t *p = wire_bytes(w, &n, strlen(text));

	if (!p || n != strlen(text) || memcmp(p, text, n) != 0)
		w->bad = true;
}

bool
wire_end(const struct wire *w)
{
	return !w->bad && w->left == 0;
}

int
wire_put_u32(struct buf *b, uint32_t v)
{
	uint8_t be[4];

	store_u32(be, v);
	return buf_add(b, be, sizeof(be));
}

int
wire_put_bytes(struct buf *b, const void *p, size_t n)
{
	int rc = wire_put_u32(b, (uint32_t)n);

	return rc == 0 ? buf_add(b, p, n) : rc;
}

int
wire_put_text(struct buf *b, const char *s)
{
	return wire_put_bytes(b, s, strlen(s));
}
