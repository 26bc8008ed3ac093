/*
 * How a command ends: done, or one line on standard error, and with --json an
 * object on standard output.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

int
ctl_fail(struct ctl *c, int code, const char *fmt, ...)
{
	char s[sizeof c->e.s];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	return err_set(&c->e, code, "%s", s);
}

int
ctl_stored(struct ctl *c, int code)
{
	return code < 0 ? ctl_fail(c, code, "%s", store_error(c->st)) : code;
}

int
ctl_done(struct ctl *c, int code)
{
	if (code == 0)
		out_done(c);
	return ctl_stored(c, code);
}

/* What the operator typed and what engines answered may be in the sentence. */
static void
say(const char *s)
{
	char safe[1024];

	fprintf(stderr, "jumpboxctl: %s\n", text_safe(safe, sizeof safe, s));
}

void
ctl_warn(const char *fmt, ...)
{
	char s[sizeof(struct errtext)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	say(s);
}

/* A database that stays locked is one that cannot be reached. */
static int
exit_status(int code)
{
	return code == JB_TRY_AGAIN ? -JB_UNAVAILABLE : -code;
}

int
ctl_report(const struct ctl *c, int code)
{
	char safe[1024];
	json_t *o;

	/* A command that prints its own findings leaves no sentence. */
	if (c->e.s[0] == '\0')
		return exit_status(code);
	say(c->e.s);
	if (c->json) {
		o = json_pack("{s:{s:i,s:s}}", "error", "code", exit_status(code), "message",
		    text_safe(safe, sizeof safe, c->e.s));
		json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', stdout);
		json_decref(o);
	}
	return exit_status(code);
}
