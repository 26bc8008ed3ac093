/*
 * The full-screen menu: what a key does to it, and what somebody else has to
 * do then.  Pure: no terminal, no broker.
 */
#ifndef SESSION_UI_MENU_H
#define SESSION_UI_MENU_H

#include "ui_columns.h"
#include "ui_keys.h"
#include "ui_list.h"

enum {
	UI_NUMBER_MAX = 6,
	UI_STATUS = 320,
	UI_FRAME = 4, /* lines that are not the list's: head, titles, status, hints */
};

/* What is left to do after a key; bits. */
enum ui_effect {
	UI_DRAW = 1,	    /* something looks different now */
	UI_REPAINT = 2,	    /* the terminal may show anything */
	UI_CONNECT = 4,	    /* to ui_menu.chosen */
	UI_RELIST = 8,	    /* ask for the whole list */
	UI_EVERYTHING = 16, /* the candidates are no more */
	UI_LEAVE = 32,
};

struct ui_menu {
	struct ui_list list;
	struct ui_widths widths;
	enum ui_where where;
	unsigned cols, rows;
	size_t top;	 /* the list's first row on the screen */
	size_t help_top; /* the help's */
	char typed[UI_NUMBER_MAX + 1];
	char status[UI_STATUS]; /* said until the next key; safe text */
	bool status_bad;
	bool loading; /* the first list is not complete yet */
	uint64_t chosen;
};

void ui_menu_init(struct ui_menu *m, struct ui_model *model, unsigned cols, unsigned rows);
/* After a release: as it was, over whatever the model has now. */
void ui_menu_reopen(struct ui_menu *m);
void ui_menu_release(struct ui_menu *m);

/* What has changed in the model is taken over. */
void ui_menu_update(struct ui_menu *m);
void ui_menu_resize(struct ui_menu *m, unsigned cols, unsigned rows);
void ui_menu_say(struct ui_menu *m, bool bad, enum word w, const char *a1, const char *a2);
void ui_menu_say_text(struct ui_menu *m, bool bad, const char *text); /* foreign text */

/* Bits of enum ui_effect. */
unsigned ui_menu_key(struct ui_menu *m, int32_t key);

/* Rows of the list that fit on the screen. */
size_t ui_menu_page(const struct ui_menu *m);

/* A line of the help: what a key does there, a title, or nothing. */
struct ui_help {
	const struct ui_key *key; /* NULL: none */
	enum ui_where where;
	enum word title; /* W_COUNT: none */
};
bool ui_help_line(size_t i, struct ui_help *h); /* false: there are not so many */
size_t ui_help_lines(void);

#endif
