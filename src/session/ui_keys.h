/*
 * What each key does and where: the table that binds them is also the help
 * and the line of hints.  Pure.
 */
#ifndef SESSION_UI_KEYS_H
#define SESSION_UI_KEYS_H

#include "jumpbox/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the keyboard is for; bits, as a key may be good in several. */
enum ui_where {
	UI_LIST = 1,
	UI_FILTER = 2,	/* a filter is typed */
	UI_PAGE = 4,	/* something is read */
	UI_LOGS = 8,	/* a page that may grow */
	UI_SEARCH = 16, /* what to search a page for is typed */
	UI_CONFIRM = 32,
	UI_ASK = 64,  /* a text is typed */
	UI_WHO = 128, /* a page with sessions */
	UI_WHERES = 256,
};

enum ui_action {
	ACT_CONNECT,
	ACT_DIGIT,
	ACT_ERASE,
	ACT_UP,
	ACT_DOWN,
	ACT_PAGE_UP,
	ACT_PAGE_DOWN,
	ACT_FIRST,
	ACT_LAST,
	ACT_LEFT,
	ACT_RIGHT,
	ACT_FILTER,
	ACT_TYPE,
	ACT_FILTER_KEEP,
	ACT_FILTER_DROP,
	ACT_KILL,
	ACT_WORD,
	ACT_ALL,
	ACT_SORT,
	ACT_AGAIN,
	ACT_DETAILS,
	ACT_LOGS,
	ACT_LINES,
	ACT_AS,
	ACT_START,
	ACT_STOP,
	ACT_RESTART,
	ACT_NEWS,
	ACT_WHO,
	ACT_WATCH,
	ACT_REPLAY,
	ACT_HELP,
	ACT_FOLLOW,
	ACT_SEARCH,
	ACT_NEXT,
	ACT_PREVIOUS,
	ACT_ACCEPT,
	ACT_CANCEL,
	ACT_YES,
	ACT_NO,
	ACT_BACK,
	ACT_REDRAW,
	ACT_LEAVE,
	ACT_COUNT,
};

enum { UI_KEY_MAX = 10, UI_LABEL = 48, ANY_TEXT = -1 };

struct ui_key {
	enum ui_action action;
	unsigned where;
	uint32_t needs;		 /* permissions on the container under the cursor */
	enum word help, hint;	 /* W_COUNT: not among the hints */
	int32_t key[UI_KEY_MAX]; /* 0: no more; ANY_TEXT: every character, before other rows */
};

/* NULL: it does nothing there. */
const struct ui_key *ui_keys_find(enum ui_where where, int32_t key);
/* The rows in the order of the help; NULL: there are no more. */
const struct ui_key *ui_keys_row(size_t i);
/* "Up, k": the keys of a row that mean it there, or the first of them. */
char *ui_keys_label(
    const struct ui_key *k, enum ui_where where, bool all, char dst[static UI_LABEL]);

#endif
