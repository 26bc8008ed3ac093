/*
 * The frames between session and helper: the first byte says who speaks, the
 * rest is a stream.  What is read of it is written again as it came.
 */
#include "fuzz.h"

#include "jumpbox/mux.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	enum mux_side from;
	struct mux_frame f;
	struct buf b;
	long took;

	if (n == 0)
		return 0;
	from = p[0] & 1 ? MUX_HELPER : MUX_SESSION;
	p++;
	n--;
	buf_init(&b, MUX_FRAME_MAX);
	while ((took = mux_get(p, n, from, &f)) > 0) {
		check((size_t)took <= n && (f.channel == 0) == (f.type <= MUX_READY));
		check(mux_put(&b, &f) == 0 && buf_len(&b) == (size_t)took);
		check(memcmp(buf_ptr(&b), p, (size_t)took) == 0);
		check(mux_get(p, (size_t)took - 1, from, &f) == 0);
		buf_reset(&b);
		p += took;
		n -= (size_t)took;
	}
	buf_release(&b);
	return 0;
}
