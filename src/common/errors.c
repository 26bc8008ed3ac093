/*
 * The sentence that goes with an error code.  Every process.
 */
#include "jumpbox/errors.h"

#include <stdarg.h>
#include <stdio.h>

int
err_words(struct errtext *e, int code, enum word w, const char *a1, const char *a2, const char *a3)
{
	if (e == NULL)
		return code;
	words_in(LANGUAGE_EN, e->s, sizeof(e->s), w, a1, a2, a3);
	words(e->say, sizeof(e->say), w, a1, a2, a3);
	return code;
}

int
err_set(struct errtext *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	vsnprintf(e->s, sizeof e->s, fmt, ap);
	va_end(ap);
	words(e->say, sizeof(e->say), W_FAILED, NULL, NULL, NULL);
	return code;
}
