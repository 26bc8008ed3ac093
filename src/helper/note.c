/*
 * What was done to which file, one line each, for whoever audits it:
 *
 *	open path="/data/a b" for=read
 *	close path="/data/a b" read=1024
 *	open path="/data/c" for=write was=4096
 *	rename path="/data/x" to="/data/y\x0a" size=10 was=20
 *	setstat path="/data/y" mode=0600 owner=1000:1000
 *
 * "was" is the size of the file that was there before: cut, or replaced.  Only
 * what has succeeded, and before the client hears of it.  Of a long path
 * the beginning and the end are kept, so that a line has at most NOTE_LEN
 * bytes.  The processes of jumpbox-helper that serve files.
 */
#include "note.h"

#include "jumpbox/text.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a path before its escapes, which make four bytes out of one: two of them fit a line. */
enum { KEEP_FIRST = 200, KEEP_LAST = 280 };

void
note_begin(struct note *n, const char *verb)
{
	n->n = (size_t)snprintf(n->s, sizeof n->s, "%s", verb);
}

static void
add(struct note *n, const char *p, size_t len)
{
	if (len > sizeof n->s - 1 - n->n) /* the line's end always fits */
		len = sizeof n->s - 1 - n->n;
	memcpy(n->s + n->n, p, len);
	n->n += len;
}

static void
add_escaped(struct note *n, const char *s, size_t len)
{
	char piece[TEXT_ESCAPE_MAX];
	const char *end = s + len;
	int32_t cp;
	size_t took;

	for (; s < end; s += took) {
		took = text_decode(s, &cp);
		if (text_unsafe(cp))
			add(n, piece, text_escape(s, cp, piece));
		else if (cp == '"' || cp == '\\')
			add(n, piece, (size_t)snprintf(piece, sizeof piece, "\\%c", *s));
		else
			add(n, s, took);
	}
}

void
note_quoted(struct note *n, const char *key, const char *value)
{
	size_t len = strlen(value), tail;

	add(n, " ", 1);
	add(n, key, strlen(key));
	add(n, "=\"", 2);
	if (len > KEEP_FIRST + KEEP_LAST) {
		add_escaped(n, value, text_cut(value, KEEP_FIRST));
		add(n, "...", 3);
		for (tail = len - KEEP_LAST; ((unsigned char)value[tail] & 0xc0) == 0x80;)
			tail++;
		value += tail;
		len -= tail;
	}
	add_escaped(n, value, len);
	add(n, "\"", 1);
}

/* A relative one begins where this process is. */
void
note_path(struct note *n, const char *key, const char *path)
{
	char here[PATH_MAX], full[2 * PATH_MAX];

	if (path[0] != '/' && getcwd(here, sizeof here) != NULL) {
		snprintf(full, sizeof full, "%s/%s", here[1] == '\0' ? "" : here, path);
		path = full;
	}
	note_quoted(n, key, path);
}

void
note_text(struct note *n, const char *key, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	add(n, " ", 1);
	add(n, key, strlen(key));
	add(n, "=", 1);
	add(n, value, strlen(value));
}

int64_t
note_size_of(int at, const char *path, int flags)
{
	struct stat st;

	return fstatat(at, path, &st, flags) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
}

void
note_size(struct note *n, const char *key, int64_t size)
{
	if (size >= 0)
		note_text(n, key, "%lld", (long long)size);
}

bool
note_write(int fd, struct note *n)
{
	size_t done = 0;
	ssize_t r;

	n->s[n->n++] = '\n';
	while (done < n->n) {
		r = write(fd, n->s + done, n->n - done);
		if (r > 0)
			done += (size_t)r;
		else if (errno != EINTR)
			return false;
	}
	return true;
}
