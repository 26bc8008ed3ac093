/* Any bytes as a reply head, whole and in pieces: both ways must agree. */
#include "../../src/docker/engine.h"
#include "fuzz.h"

#include <stdlib.h>

static long
feed(struct http_head *h, const uint8_t *p, size_t n, size_t piece)
{
	size_t off = 0;
	long took;

	http_head_init(h);
	while (off < n && !h->done) {
		took = http_head_feed(h, (const char *)p + off, n - off < piece ? n - off : piece);
		if (took < 0)
			return took;
		off += (size_t)took;
	}
	return (long)off;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head whole, bytes;
	long a, b;

	if (size == 0)
		return 0;
	a = feed(&whole, data, size, size);
	b = feed(&bytes, data, size, 1);
	if (a != b || whole.done != bytes.done || whole.status != bytes.status ||
	    whole.content_length != bytes.content_length)
		abort();
	if (whole.done && (whole.status < 0 || whole.status > 999 || a > (long)size))
		abort();
	return 0;
}
