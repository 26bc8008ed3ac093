/*
 * A command of jumpbox's own, split into words as a shell would.
 * jumpbox-session; pure.
 */
#include "cmdline.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies a quoted stretch from behind its opening quote; NULL: nothing ends it. */
static const char *
quoted(const char *p, char quote, char **out)
{
	for (; *p != quote; p++) {
		if (*p == '\0')
			return NULL;
		if (quote == '"' && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*(*out)++ = *p;
	}
	return p + 1;
}

/* One word to its end; NULL: a quote that nothing ends. */
static const char *
word(const char *p, char **out)
{
	while (p != NULL && *p != '\0' && !blank(*p)) {
		if (*p == '\'' || *p == '"') {
			p = quoted(p + 1, *p, out);
			continue;
		}
		if (*p == '\\' && p[1] != '\0')
			p++;
		*(*out)++ = *p++;
	}
	*(*out)++ = '\0';
	return p;
}

bool
cmdline_split(struct cmdline *c, const char *text)
{
	const char *p = text;
	char *out;

	memset(c, 0, sizeof(*c));
	out = c->storage = xcalloc(strlen(text) + CMDLINE_WORDS + 2, 1);
	for (;;) {
		while (blank(*p))
			p++;
		if (*p == '\0')
			return true;
		if (p[0] == '-' && p[1] == '-' && (p[2] == '\0' || blank(p[2]))) {
			c->rest = p[2] == '\0' ? p + 2 : p + 3;
			return true;
		}
		if (c->n == CMDLINE_WORDS)
			return false;
		c->word[c->n++] = out;
		if ((p = word(p, &out)) == NULL)
			return false;
	}
}

void
cmdline_release(struct cmdline *c)
{
	free(c->storage);
	memset(c, 0, sizeof(*c));
}

char *
cmdline_quote(const char *text, char *dst, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:=@%+,-";
	bool bare = text[0] != '\0' && text[strspn(text, plain)] == '\0';
	size_t n = 0;

	if (!bare && size > 3)
		dst[n++] = '\'';
	for (; *text != '\0' && n + 6 < size; text++) {
		if (*text == '\'') {
			memcpy(dst + n, "'\\''", 4);
			n += 4;
		} else {
			dst[n++] = *text;
		}
	}
	if (!bare && n + 1 < size)
		dst[n++] = '\'';
	dst[n] = '\0';
	return dst;
}
