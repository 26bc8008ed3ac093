/*
 * One event a line on standard error, in one write.  Every process.
 *
 *	text  2027-01-31T18:00:00.123Z info broker[4711] login.ok conn=... user=alice why="a b"
 *	json  {"time":"...","level":"info","role":"broker","pid":4711,"event":"login.ok",...}
 *
 * Nothing here allocates or opens a file: it must work out of memory and in
 * the jail.
 */
#include "jumpbox/log.h"

#include "jumpbox/errors.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line is at most what a pipe takes in one piece. */
enum { LINE_LEN = 4096, VALUE_LEN = 512 };

static struct {
	char role[32];
	int level, format;
	uint64_t conn;
} state = { "jumpbox", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, 0 };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

struct line {
	char s[LINE_LEN];
	size_t n;
};

void
log_init(const char *role, int level, int format)
{
	snprintf(state.role, sizeof state.role, "%s", role);
	state.level = level;
	state.format = format;
}

void
log_conn(uint64_t conn)
{
	state.conn = conn;
}

/* ---- pieces ----------------------------------------------------------- */

/* All of it or nothing: a piece is never cut.  Two bytes stay free for the line's end. */
static bool
add(struct line *l, const char *p, size_t n)
{
	if (n > sizeof l->s - 2 - l->n)
		return false;
	memcpy(l->s + l->n, p, n);
	l->n += n;
	return true;
}

static bool
add_str(struct line *l, const char *s)
{
	return add(l, s, strlen(s));
}

/* One character as it stands between quotes. */
static size_t
text_piece(const char *s, size_t n, int32_t cp, char out[static TEXT_ESCAPE_MAX])
{
	if (text_unsafe(cp))
		return text_escape(s, cp, out);
	if (cp == '"' || cp == '\\')
		return (size_t)snprintf(out, TEXT_ESCAPE_MAX, "\\%c", *s);
	memcpy(out, s, n);
	return n;
}

static size_t
json_piece(const char *s, size_t n, int32_t cp, char out[static TEXT_ESCAPE_MAX])
{
	if (cp < 0)
		return (size_t)snprintf(out, TEXT_ESCAPE_MAX, "\\\\x%02x", (unsigned char)*s);
	if (text_unsafe(cp) && cp > 0xffff)
		return (size_t)snprintf(out, TEXT_ESCAPE_MAX, "\\u%04x\\u%04x",
		    0xd7c0u + ((unsigned)cp >> 10), 0xdc00u + ((unsigned)cp & 0x3ff));
	if (text_unsafe(cp))
		return (size_t)snprintf(out, TEXT_ESCAPE_MAX, "\\u%04x", (unsigned)cp);
	return text_piece(s, n, cp, out);
}

/* A value between quotes, cut at a character after VALUE_LEN bytes and then marked with "...". */
static bool
add_quoted(struct line *l, const char *s, bool json)
{
	char piece[TEXT_ESCAPE_MAX];
	size_t start = l->n, n, len;
	int32_t cp;

	if (!add_str(l, "\""))
		return false;
	while (*s != '\0') {
		n = text_decode(s, &cp);
		len = json ? json_piece(s, n, cp, piece) : text_piece(s, n, cp, piece);
		if (l->n - start + len > VALUE_LEN)
			return add_str(l, "...\"");
		if (!add(l, piece, len))
			return false;
		s += n;
	}
	return add_str(l, "\"");
}

/* Needs no quotes in a text line. */
static bool
plain(const char *s)
{
	size_t n;
	int32_t cp;

	for (n = 0; n < VALUE_LEN && s[n] != '\0'; n++)
		if (s[n] == ' ' || s[n] == '"' || s[n] == '\\' || s[n] == '=')
			return false;
	if (n == 0 || s[n] != '\0')
		return false;
	for (; *s != '\0'; s += n) {
		n = text_decode(s, &cp);
		if (text_unsafe(cp))
			return false;
	}
	return true;
}

/* A whole field or none of it. */
static void
add_field(struct line *l, const struct log_field *f, bool json)
{
	char num[24];
	size_t start = l->n;
	bool ok;

	ok = add_str(l, json ? ",\"" : " ") && add_str(l, f->key) && add_str(l, json ? "\":" : "=");
	snprintf(num, sizeof num, "%" PRId64, f->num);
	if (f->str == NULL)
		ok = ok && add_str(l, num);
	else if (!json && plain(f->str))
		ok = ok && add_str(l, f->str);
	else
		ok = ok && add_quoted(l, f->str, json);
	if (!ok)
		l->n = start;
}

/* ---- lines ------------------------------------------------------------ */

static void
add_head(struct line *l, int level, const char *event, bool json)
{
	char when[32], head[256];
	int64_t ms = now_unix_ms();
	int n;

	when_format(ms / 1000, when);
	when[strcspn(when, "Z")] = '\0';
	n = snprintf(head, sizeof head,
	    json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"role\":\"%s\",\"pid\":%d,"
		   "\"event\":\"%.64s\""
		 : "%s.%03dZ %s %s[%d] %.64s",
	    when, (int)(ms % 1000), level_names[level], state.role, (int)getpid(), event);
	add(l, head, (size_t)n);
}

void
log_write(int level, const char *event, const struct log_field *fields)
{
	struct line l = { .n = 0 };
	bool json = state.format == LOG_FORMAT_JSON;
	char conn[24];
	const struct log_field *f;
	ssize_t n;

	if (level > state.level || level < 0 || level > LOG_LEVEL_DEBUG)
		return;
	add_head(&l, level, event, json);
	if (state.conn != 0) {
		snprintf(conn, sizeof conn, "%016" PRIx64, state.conn);
		add_field(&l, &F_STR("conn", conn), json);
	}
	for (f = fields; f->key != NULL; f++)
		add_field(&l, f, json);
	if (json)
		l.s[l.n++] = '}';
	l.s[l.n++] = '\n';
	do
		n = write(STDERR_FILENO, l.s, l.n);
	while (n < 0 && errno == EINTR);
}

void
fatal(int code, const char *fmt, ...)
{
	char event[64], why[VALUE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	snprintf(event, sizeof event, "%s.fatal", state.role);
	log_error(event, F_STR("why", why));
	_exit(-code);
}
