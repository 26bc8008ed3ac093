/*
 * Foreign text made safe for a person's screen.  Every process; pure.
 */
#include "jumpbox/text.h"

#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters that move the cursor, reorder their neighbours or cannot be seen. */
static const struct {
	int32_t first, last;
} unsafe[] = {
	{ 0x0000, 0x001f },   /* control */
	{ 0x007f, 0x009f },   /* DEL and C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* grapheme joiner */
	{ 0x061c, 0x061c },   /* bidi mark */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
	{ 0x180b, 0x180f },   /* Mongolian selectors */
	{ 0x200b, 0x200f },   /* zero width, bidi marks */
	{ 0x2028, 0x202e },   /* line and paragraph separators, bidi embedding */
	{ 0x2060, 0x206f },   /* invisible operators, bidi isolates */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xfdd0, 0xfdef },   /* noncharacters */
	{ 0xfe00, 0xfe0f },   /* variation selectors */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffb },   /* interlinear annotation */
	{ 0xfffe, 0xffff },   /* noncharacters */
	{ 0x13430, 0x1343f }, /* hieroglyph format controls */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, more variation selectors */
};

size_t
text_decode(const char *s, int32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;
	int32_t c;

	*cp = p[0];
	if (p[0] < 0x80)
		return 1;
	n = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	*cp = -1;
	if (n == 0)
		return 1;
	c = p[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*cp = c;
	return n;
}

size_t
text_encode(char dst[static TEXT_CHAR_MAX], int32_t cp)
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i;

	dst[0] = (char)cp;
	for (i = n; n > 1 && i-- > 1; cp >>= 6)
		dst[i] = (char)(0x80 | (cp & 0x3f));
	if (n > 1)
		dst[0] = (char)((0xf00 >> n & 0xf0) | cp);
	return n;
}

/* A character's first byte is at most three before its last. */
size_t
text_cut(const char *s, size_t max)
{
	size_t end = strnlen(s, max), n = end;

	while (n > 0 && end - n < 3 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

bool
text_unsafe(int32_t cp)
{
	size_t i;

	if (cp < 0 || (cp & 0xfffe) == 0xfffe)
		return true;
	for (i = 0; i < sizeof unsafe / sizeof unsafe[0] && cp >= unsafe[i].first; i++)
		if (cp <= unsafe[i].last)
			return true;
	return false;
}

size_t
text_escape(const char *s, int32_t cp, char out[static TEXT_ESCAPE_MAX])
{
	if (cp < 0x80)
		return (size_t)snprintf(out, TEXT_ESCAPE_MAX, "\\x%02x", (unsigned char)s[0]);
	return (size_t)snprintf(out, TEXT_ESCAPE_MAX, "\\u{%04x}", (unsigned)cp);
}

char *
text_safe(char *dst, size_t size, const char *src)
{
	char piece[TEXT_ESCAPE_MAX];
	size_t at = 0, n, len;
	int32_t cp;

	while (*src != '\0') {
		n = text_decode(src, &cp);
		if (text_unsafe(cp)) {
			len = text_escape(src, cp, piece);
		} else {
			memcpy(piece, src, n);
			len = n;
		}
		if (at + len >= size)
			break;
		memcpy(dst + at, piece, len);
		at += len;
		src += n;
	}
	if (size > 0)
		dst[at] = '\0';
	return dst;
}

char *
text_safe_lines(const char *text)
{
	enum { GROWTH = 4 }; /* a byte becomes "\xNN" at most, two of them "\u{NNNN}" */
	size_t room = GROWTH * strlen(text) + 2, at = 0, n;
	char *out = xcalloc(room, 1), *line;

	for (const char *p = text; *p != '\0'; p += n + (p[n] != '\0')) {
		n = strcspn(p, "\n");
		line = xasprintf("%.*s", (int)n, p);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		for (char *tab = line; (tab = strchr(tab, '\t')) != NULL;)
			*tab = ' ';
		text_safe(out + at, room - at, line);
		at += strlen(out + at);
		out[at++] = '\n';
		free(line);
	}
	return out;
}

/*
 * After a mismatch only the last star can take one character more, so there is nothing to go back
 * to before it: at worst strlen(pattern) * strlen(s) steps.
 */
bool
text_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;
	int32_t cp;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (*pattern == '?') {
			pattern++;
			s += text_decode(s, &cp);
		} else if (*pattern == *s) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
