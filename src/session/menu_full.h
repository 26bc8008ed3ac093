/* What menu_full.c and menu_pages.c share. */
#ifndef SESSION_MENU_FULL_H
#define SESSION_MENU_FULL_H

#include "conn.h"

#include "log_text.h"
#include "ui_input.h"
#include "ui_menu.h"
#include "ui_screen.h"
#include "ui_stats.h"
#include "ui_table.h"

struct menu_full {
	struct ui_menu ui;
	struct ui_input input;
	struct ui_screen *screen; /* NULL: the terminal is not ours */
	bool lent;		  /* the terminal, for a recording */
	bool draw, repaint;	  /* now */
	bool listing, again;	  /* a list is on its way; and is old already */
	bool stale;		  /* it may wait */
	int64_t drawn;		  /* monotonic ms */
	int64_t tick;		  /* when a time on the screen will say something else; 0: never */
	int64_t give_up;	  /* when what is held of a key is one; 0: nothing is */

	/* requests that are open; 0: none */
	uint32_t power, details, stats, logs, query;
	enum query asked;
	struct table table; /* its answer, so far */
	struct buf facts;   /* details as text; sessions */
	bool have_figures;
	struct ui_stats figures;
	struct log_stream stream; /* of ch->fd */
	size_t fresh;		  /* bytes of the logs that were not drawn yet */
	bool settled;		  /* what there was when they were asked for has come */
};

/* ---- menu_pages.c ------------------------------------------------------- */

/* Does what a key has asked for: bits of enum ui_effect. */
void menu_pages_open(struct channel *ch, unsigned effect);
/* Nobody reads the page any more. */
void menu_pages_close(struct channel *ch);
/* The terminal is given away: nothing is waited for any more. */
void menu_pages_forget(struct channel *ch);
bool menu_pages_work(struct channel *ch); /* true: something was read */
/* What a user is told unasked, as the first line of the menu; false: nothing. */
bool menu_pages_news(struct channel *ch, char *dst, size_t size);

#endif
