/*
 * A page of text that is looked through: lines, where it is looked at, and
 * searching.  jumpbox-session; pure.
 */
#include "ui_page.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { TAB = 8, CHUNK = 64 * 1024 };

void
ui_page_init(struct ui_page *p)
{
	*p = (struct ui_page){ .found = PAGE_NOWHERE };
	buf_init(&p->text, PAGE_BYTES);
}

void
ui_page_release(struct ui_page *p)
{
	buf_release(&p->text);
	free(p->line);
	p->line = NULL;
	p->n = p->room = 0;
}

void
ui_page_clear(struct ui_page *p)
{
	buf_reset(&p->text);
	p->n = 0;
	p->found = PAGE_NOWHERE;
}

/* ---- adding ------------------------------------------------------------------- */

/* A last line that has nothing yet is none. */
size_t
ui_page_lines(const struct ui_page *p)
{
	return p->n > 0 && p->line[p->n - 1] == buf_len(&p->text) ? p->n - 1 : p->n;
}

static void
drop_oldest(struct ui_page *p)
{
	size_t lines = p->n / 4 + 1, bytes;

	if (lines >= p->n) { /* one line without an end */
		ui_page_clear(p);
		p->top = 0;
		return;
	}
	bytes = p->line[lines];
	buf_consume(&p->text, bytes);
	p->n -= lines;
	for (size_t i = 0; i < p->n; i++)
		p->line[i] = p->line[i + lines] - bytes;
	p->top = p->top > lines ? p->top - lines : 0;
	if (p->found != PAGE_NOWHERE)
		p->found = p->found >= lines ? p->found - lines : PAGE_NOWHERE;
}

static void
new_line(struct ui_page *p)
{
	if (p->n == p->room) {
		p->room = p->room == 0 ? 64 : p->room * 2;
		p->line = xreallocarray(p->line, p->room, sizeof(*p->line));
	}
	p->line[p->n++] = buf_len(&p->text);
}

static void
add_chunk(struct ui_page *p, const char *text, size_t n)
{
	const char *nl;
	size_t len;

	while (buf_room(&p->text) < n)
		drop_oldest(p);
	if (p->n == 0)
		new_line(p);
	while (n > 0) {
		nl = memchr(text, '\n', n);
		len = nl != NULL ? (size_t)(nl - text) + 1 : n;
		buf_add(&p->text, text, len);
		if (nl != NULL)
			new_line(p);
		text += len;
		n -= len;
	}
}

void
ui_page_add(struct ui_page *p, const void *text, size_t n)
{
	const char *at = text;
	size_t some;

	for (; n > 0; at += some, n -= some) {
		some = n < CHUNK ? n : CHUNK;
		add_chunk(p, at, some);
	}
}

/* ---- looking at it ---------------------------------------------------------------- */

static const char *
line_at(const struct ui_page *p, size_t i, size_t *len)
{
	const char *text = (const char *)buf_ptr(&p->text);
	size_t end = i + 1 < p->n ? p->line[i + 1] - 1 : buf_len(&p->text);

	*len = end - p->line[i];
	return text + p->line[i];
}

/* Columns, with tabs; what is to the left of `left` is not added. */
static void
show(const char *s, size_t len, size_t left, char dst[static PAGE_SHOWN])
{
	char one[TEXT_CHAR_MAX + 1];
	size_t n = 0, column = 0, at = 0, bytes, width;
	int32_t cp;

	while (at < len && n + TAB + TEXT_CHAR_MAX < PAGE_SHOWN) {
		if (s[at] == '\t') {
			for (width = TAB - column % TAB; width > 0; width--, column++)
				if (column >= left)
					dst[n++] = ' ';
			at++;
			continue;
		}
		for (bytes = 1; bytes < TEXT_CHAR_MAX && at + bytes < len &&
		     ((unsigned char)s[at + bytes] & 0xc0) == 0x80;)
			bytes++;
		memcpy(one, s + at, bytes);
		one[bytes] = '\0';
		if (text_decode(one, &cp) == bytes) {
			width = text_width(one);
			if (column >= left) {
				memcpy(dst + n, one, bytes);
				n += bytes;
			}
			column += width;
		}
		at += bytes;
	}
	dst[n] = '\0';
}

char *
ui_page_line(const struct ui_page *p, size_t i, char dst[static PAGE_SHOWN])
{
	const char *s;
	size_t len;

	dst[0] = '\0';
	if (i >= ui_page_lines(p))
		return dst;
	s = line_at(p, i, &len);
	show(s, len, p->left, dst);
	return dst;
}

void
ui_page_move(struct ui_page *p, long by, size_t shown)
{
	size_t n = ui_page_lines(p), last = n > shown ? n - shown : 0;

	if (by < 0)
		p->top = p->top > (size_t)-by ? p->top - (size_t)-by : 0;
	else
		p->top += (size_t)by;
	if (p->top > last)
		p->top = last;
}

void
ui_page_sideways(struct ui_page *p, long by)
{
	enum { MOST = 4096 };

	if (by < 0)
		p->left = p->left > (size_t)-by ? p->left - (size_t)-by : 0;
	else if (p->left + (size_t)by <= MOST)
		p->left += (size_t)by;
}

/* ---- searching ----------------------------------------------------------------------- */

static bool
has(const struct ui_page *p, size_t i)
{
	size_t len, n = strlen(p->needle);
	const char *s = line_at(p, i, &len);

	for (; len >= n; s++, len--)
		if (strncasecmp(s, p->needle, n) == 0)
			return true;
	return false;
}

bool
ui_page_search(struct ui_page *p, bool forward, size_t shown)
{
	size_t n = ui_page_lines(p), from = p->found != PAGE_NOWHERE ? p->found : p->top;
	size_t i = from;

	if (n == 0 || p->needle[0] == '\0')
		return false;
	if (p->found == PAGE_NOWHERE) /* the top itself may have it */
		i = forward ? (from + n - 1) % n : (from + 1) % n;
	for (size_t tried = 0; tried < n; tried++) {
		i = forward ? (i + 1) % n : (i + n - 1) % n;
		if (!has(p, i))
			continue;
		p->found = i;
		p->follow = false;
		if (i < p->top || i >= p->top + shown)
			p->top = i;
		ui_page_move(p, 0, shown);
		return true;
	}
	return false;
}
