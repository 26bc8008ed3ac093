/*
 * The menu on a terminal: what ncurses makes of it, as bytes for the client.
 */
#ifndef SESSION_UI_SCREEN_H
#define SESSION_UI_SCREEN_H

#include "jumpbox/buf.h"
#include "ui_view.h"

struct ui_screen;

enum { SCREEN_COLS = 300, SCREEN_ROWS = 100 }; /* the largest part of a terminal that is used */

/* Makes the pair through which ncurses writes: before the sandbox, which lets nobody make one. */
void ui_screen_prepare(void);

struct ui_screen *ui_screen_open(const char *term, bool colour); /* NULL: not known */
/* Takes the terminal over, if that was not done, and adds what is to be sent to out: what has changed; all of it, if the terminal may show anything. */
void ui_screen_draw(struct ui_screen *s, const struct ui_menu *m, const struct ui_place *p,
    int64_t now, bool repaint, struct buf *out);
/* Gives the terminal back as it was, if it was taken, and frees; out NULL: nobody is there any more. */
void ui_screen_close(struct ui_screen *s, struct buf *out);

#endif
