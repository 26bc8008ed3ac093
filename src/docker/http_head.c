/*
 * The head of the reply to an upgrade request, as bytes arrive: found, bounded
 * and taken apart.  Only the status and the body's length matter.  Pure.
 */
#include "engine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
http_head_init(struct http_head *h)
{
	h->len = 0;
	h->done = false;
	h->status = 0;
	h->content_length = -1;
}

static int
parse_status(struct http_head *h)
{
	const char *p = h->text;

	/* "HTTP/1.1 101 UPGRADED" */
	if (strncmp(p, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)p[7]) || p[8] != ' ')
		return JB_UNAVAILABLE;
	for (int i = 9; i < 12; i++)
		if (!isdigit((unsigned char)p[i]))
			return JB_UNAVAILABLE;
	if (isdigit((unsigned char)p[12]))
		return JB_UNAVAILABLE;
	h->status = atoi(p + 9);
	return 0;
}

static void
parse_field(struct http_head *h, const char *line)
{
	static const char name[] = "Content-Length:";
	char *end;
	long v;

	if (strncasecmp(line, name, sizeof(name) - 1) != 0)
		return;
	v = strtol(line + sizeof(name) - 1, &end, 10);
	if (end != line + sizeof(name) - 1 && v >= 0 && (*end == '\r' || *end == '\n'))
		h->content_length = v;
}

/* The text is complete and ends in a NUL: nothing below runs past it. */
static int
parse(struct http_head *h)
{
	const char *line;

	h->text[h->len] = '\0';
	if (strlen(h->text) != h->len)
		return JB_UNAVAILABLE;
	if (parse_status(h) < 0)
		return JB_UNAVAILABLE;
	for (line = strchr(h->text, '\n'); line; line = strchr(line + 1, '\n'))
		parse_field(h, line + 1);
	h->done = true;
	return 0;
}

/* A head ends at an empty line, "\r\n\r\n" or, leniently, "\n\n". */
static bool
ends(const struct http_head *h)
{
	const char *t = h->text;
	size_t n = h->len;

	if (n < 2 || t[n - 1] != '\n')
		return false;
	return t[n - 2] == '\n' || (n >= 3 && t[n - 2] == '\r' && t[n - 3] == '\n');
}

long
http_head_feed(struct http_head *h, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && !h->done; i++) {
		if (h->len + 1 >= sizeof(h->text))
			return JB_UNAVAILABLE;
		h->text[h->len++] = p[i];
		if (h->len == 5 && memcmp(h->text, "HTTP/", 5) != 0)
			return JB_UNAVAILABLE;
		if (ends(h) && parse(h) < 0)
			return JB_UNAVAILABLE;
	}
	return (long)i;
}
