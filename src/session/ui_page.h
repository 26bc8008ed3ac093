/*
 * A page of text that is looked through: help, details, logs.  It has a limit,
 * and what is oldest goes first.  Pure.
 */
#ifndef SESSION_UI_PAGE_H
#define SESSION_UI_PAGE_H

#include "jumpbox/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { PAGE_BYTES = 1 << 20, PAGE_SHOWN = 2048, PAGE_NEEDLE = 127 };

struct ui_page {
	struct buf text; /* safe to show but for tabs; lines end in '\n' */
	size_t *line;	 /* where each begins */
	size_t n, room;
	size_t top;		      /* the first on the screen */
	size_t left;		      /* so many columns are to the left of it */
	bool follow;		      /* new lines are shown as they come */
	char needle[PAGE_NEEDLE + 1]; /* what is searched for; empty: nothing */
	size_t found;		      /* the line that has it; PAGE_NOWHERE */
};
#define PAGE_NOWHERE ((size_t)-1)

void ui_page_init(struct ui_page *p);
void ui_page_release(struct ui_page *p);
void ui_page_clear(struct ui_page *p); /* the text; where it is looked at stays */

void ui_page_add(struct ui_page *p, const void *text, size_t n);
/* Line i as it is on the screen, from the first column that is shown; "" beyond the last. */
char *ui_page_line(const struct ui_page *p, size_t i, char dst[static PAGE_SHOWN]);
size_t ui_page_lines(const struct ui_page *p);

/* So many lines are shown: down (or up) by some, at most to its ends. */
void ui_page_move(struct ui_page *p, long by, size_t shown);
void ui_page_sideways(struct ui_page *p, long by);
/*
 * The next line behind (or before) the one that was found, or from the top of
 * the screen on, that has the needle, whatever its case; false: there is none.
 */
bool ui_page_search(struct ui_page *p, bool forward, size_t shown);

#endif
