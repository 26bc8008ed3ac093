/*
 * The sentence that goes with an error code.  Every process.
 */
#include "jumpbox/errors.h"

#include <stdarg.h>
#include <stdio.h>

int
err_set(struct errtext *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	vsnprintf(e->s, sizeof e->s, fmt, ap);
	va_end(ap);
	return code;
}
