/*
 * The full-screen menu: what a key does to it, and what somebody else has to
 * do then.  Pure: no terminal, no broker.
 */
#ifndef SESSION_UI_MENU_H
#define SESSION_UI_MENU_H

#include "jumpbox/proto.h"
#include "ui_columns.h"
#include "ui_keys.h"
#include "ui_list.h"
#include "ui_page.h"

enum {
	UI_NUMBER_MAX = 6,
	UI_STATUS = 320,
	UI_NAME = 160,
	UI_FRAME = 4, /* lines that are not the list's: head, titles, status, hints */
};

/* What is left to do after a key; bits. */
enum ui_effect {
	UI_DRAW = 1,	   /* something looks different now */
	UI_REPAINT = 2,	   /* the terminal may show anything */
	UI_RELIST = 4,	   /* ask for the whole list */
	UI_EVERYTHING = 8, /* the candidates are no more */
	UI_CONNECT = 16,   /* the rest is about ui_menu.chosen: a shell, as answer[] say */
	UI_SHOW_DETAILS = 32,
	UI_SHOW_LOGS = 64,
	UI_SHOW_LINES = 128,
	UI_DO_POWER = 256, /* .power */
	UI_SHOW_NEWS = 512,
	UI_CLOSE_PAGE = 1024, /* nobody reads it any more */
	UI_LEAVE = 2048,
	UI_SHOW_WHO = 4096,
	UI_PLAY = 8192, /* the session of answer[asking] */
};

/* What is asked for, one after the other. */
enum ui_question { ASK_USER, ASK_SHELL, ASK_WATCH, ASK_REPLAY, ASK_COUNT };

struct ui_menu {
	struct ui_list list;
	struct ui_widths widths;
	enum ui_where where;
	unsigned cols, rows;
	size_t top; /* the list's first row on the screen */
	char typed[UI_NUMBER_MAX + 1];
	char status[UI_STATUS]; /* said until the next key; safe text */
	bool status_bad;
	bool loading; /* the first list is not complete yet */

	/* the container that is spoken of */
	uint64_t chosen;
	char name[UI_NAME]; /* safe */
	enum power power;

	struct ui_page page;
	char title[UI_STATUS]; /* of the page; safe */
	enum ui_where
	    reading; /* UI_LIST, or which page is on the screen: what typing leads back to */

	char edit[UI_FILTER_MAX + 1]; /* in UI_SEARCH and UI_ASK */
	enum ui_question asking;
	char answer[ASK_COUNT][UI_FILTER_MAX + 1];
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

/* An empty page in the place of the list; where: UI_PAGE, UI_LOGS or UI_WHO. */
void ui_menu_read(struct ui_menu *m, enum ui_where where, enum word title, const char *a1);
/* It has grown: shown at its end, if that is followed. */
void ui_menu_grown(struct ui_menu *m);
/* The list again. */
void ui_menu_list(struct ui_menu *m);

bool ui_menu_reading(const struct ui_menu *m); /* a page is on the screen */
/* Rows of the list, or lines of the page, that fit on the screen. */
size_t ui_menu_page(const struct ui_menu *m);
/* On the container under the cursor. */
uint32_t ui_menu_perms(const struct ui_menu *m);

/* ui_help.c: the keys, for somebody with these permissions. */
void ui_help(struct ui_page *p, uint32_t perms);

#endif
