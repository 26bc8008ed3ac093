/*
 * The records of a copy: what is read of them is written again as it came, and
 * a name is never more than a name.
 */
#include "fuzz.h"

#include "../../src/helper/copy.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t wire[COPY_RECORD_MAX];
	struct copy_record r;
	long took;

	for (; (took = copy_get(p, n, &r)) > 0; p += took, n -= (size_t)took) {
		check(took >= COPY_HEAD && (size_t)took <= n && took <= COPY_RECORD_MAX);
		if (r.type == COPY_DATA) {
			check(r.bytes + r.nbytes == p + took);
			continue;
		}
		if (r.type == COPY_DIR || r.type == COPY_FILE || r.type == COPY_LINK)
			check(strchr(r.text, '/') == NULL && strcmp(r.text, "..") != 0);
		check(copy_put(wire, &r) == (size_t)took && memcmp(wire, p, (size_t)took) == 0);
		check(copy_get(p, (size_t)took - 1, &r) == 0);
	}
	return 0;
}
