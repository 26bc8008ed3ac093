/* What of the menu is drawn where.  Pure. */
#ifndef SESSION_UI_VIEW_H
#define SESSION_UI_VIEW_H

#include "ui_menu.h"

/* Takes pieces of a line, from left to right: text of at most `width` columns, safe to show. */
struct ui_canvas {
	void (*put)(
	    void *arg, unsigned x, unsigned width, enum ui_role role, bool lit, const char *text);
	void *arg;
};

/* Who and where: the first line. */
struct ui_place {
	const char *user, *server;
};

/* Line y of the screen, as it is at `now` (unix seconds). */
void ui_view_line(const struct ui_menu *m, const struct ui_place *p, int64_t now, unsigned y,
    const struct ui_canvas *c);
/* Where the terminal's cursor belongs: what is read aloud, or typed. */
void ui_view_cursor(const struct ui_menu *m, unsigned *y, unsigned *x);
/* When a line will look different by time alone (unix seconds); 0: never. */
int64_t ui_view_next(const struct ui_menu *m, int64_t now);

#endif
