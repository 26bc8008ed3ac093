/*
 * Foreign text: whatever goes in, what comes out is safe, fits and needs no
 * second escaping.  The first byte is a size, the second a width.
 */
#include "fuzz.h"

#include "jumpbox/text.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

static void
check_safe(const char *s)
{
	int32_t cp;

	while (*s != '\0') {
		s += text_decode(s, &cp);
		check(!text_unsafe(cp));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *src, *dst, *fit;
	size_t size, width;

	if (n < 2)
		return 0;
	size = p[0] + 1u;
	width = p[1];
	src = xcalloc(n - 1, 1);
	memcpy(src, p + 2, n - 2);
	dst = xcalloc(size, 1);
	fit = xcalloc(size, 1);
	text_safe(dst, size, src);
	check_safe(dst);
	text_fit(fit, size, dst, width, (n & 1) != 0);
	check_safe(fit);
	check(strlen(fit) < size && text_width(fit) <= width);
	check(text_glob("*", src) && text_glob(dst, dst));
	text_glob(src, dst);
	free(src);
	free(dst);
	free(fit);
	return 0;
}
