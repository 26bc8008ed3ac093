/*
 * What each key does and where.  jumpbox-session; pure.
 */
#include "ui_keys.h"

#include "jumpbox/policy.h"
#include "ui_input.h"

#include <stdio.h>
#include <string.h>

enum {
	LIST = UI_LIST,
	FILT = UI_FILTER,
	VIEW = UI_PAGE | UI_LOGS | UI_WHO,
	EDIT = UI_FILTER | UI_SEARCH | UI_ASK,
	ALL = LIST | FILT | VIEW,
};

/* clang-format off */
static const struct ui_key keys[] = {
	/* action          where        needs        help              hint            keys */
	{ ACT_CONNECT,     LIST | FILT, 0,           W_DO_CONNECT,     W_HINT_CONNECT, { K_ENTER } },
	{ ACT_DIGIT,       LIST,        0,           W_DO_NUMBER,      W_COUNT,        { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' } },
	{ ACT_FILTER,      LIST,        0,           W_DO_FILTER,      W_HINT_FILTER,  { '/' } },
	{ ACT_TYPE,        FILT,        0,           W_DO_FILTER_TYPE, W_COUNT,        { ANY_TEXT } },
	{ ACT_TYPE,        EDIT & ~FILT, 0,          W_DO_TYPE,        W_COUNT,        { ANY_TEXT } },
	{ ACT_ERASE,       LIST | EDIT, 0,           W_DO_ERASE,       W_COUNT,        { K_BACKSPACE } },
	{ ACT_WORD,        EDIT,        0,           W_DO_WORD,        W_COUNT,        { CTRL_KEY('W') } },
	{ ACT_KILL,        EDIT,        0,           W_DO_KILL,        W_COUNT,        { CTRL_KEY('U') } },
	{ ACT_FILTER_KEEP, FILT,        0,           W_DO_FILTER_KEEP, W_HINT_KEEP,    { K_TAB } },
	{ ACT_FILTER_DROP, FILT,        0,           W_DO_FILTER_DROP, W_HINT_ALL,     { K_ESC, CTRL_KEY('C') } },
	{ ACT_ALL,         LIST,        0,           W_DO_ALL,         W_COUNT,        { K_ESC } },
	{ ACT_SORT,        LIST,        0,           W_DO_SORT,        W_HINT_SORT,    { 's' } },
	{ ACT_DETAILS,     LIST,        0,           W_DO_DETAILS,     W_HINT_DETAILS, { 'i' } },
	{ ACT_LOGS,        LIST,        PERM_LOGS,   W_DO_LOGS,        W_HINT_LOGS,    { 'l' } },
	{ ACT_LINES,       LIST,        0,           W_DO_LINES,       W_COUNT,        { 'c' } },
	{ ACT_AS,          LIST,        PERM_SHELL,  W_DO_AS,          W_COUNT,        { 'u' } },
	{ ACT_START,       LIST,        PERM_POWER,  W_DO_START,       W_COUNT,        { 'S' } },
	{ ACT_STOP,        LIST,        PERM_POWER,  W_DO_STOP,        W_COUNT,        { 'T' } },
	{ ACT_RESTART,     LIST,        PERM_POWER,  W_DO_RESTART,     W_COUNT,        { 'R' } },
	{ ACT_NEWS,        LIST,        0,           W_DO_NEWS,        W_COUNT,        { 'm' } },
	{ ACT_WHO,         LIST,        0,           W_DO_WHO,         W_COUNT,        { 'w' } },
	{ ACT_WATCH,       UI_WHO,      0,           W_DO_WATCH,       W_HINT_WATCH,   { 'w' } },
	{ ACT_REPLAY,      UI_WHO,      0,           W_DO_REPLAY,      W_HINT_REPLAY,  { 'p' } },
	{ ACT_FOLLOW,      UI_LOGS,     0,           W_DO_FOLLOW,      W_HINT_FOLLOW,  { 'f' } },
	{ ACT_SEARCH,      VIEW,        0,           W_DO_SEARCH,      W_HINT_SEARCH,  { '/' } },
	{ ACT_NEXT,        VIEW,        0,           W_DO_NEXT,        W_COUNT,        { 'n' } },
	{ ACT_PREVIOUS,    VIEW,        0,           W_DO_PREVIOUS,    W_COUNT,        { 'N' } },
	{ ACT_UP,          ALL,         0,           W_DO_UP,          W_COUNT,        { K_UP, 'k' } },
	{ ACT_DOWN,        ALL,         0,           W_DO_DOWN,        W_COUNT,        { K_DOWN, 'j' } },
	{ ACT_LEFT,        VIEW,        0,           W_DO_LEFT,        W_COUNT,        { K_LEFT } },
	{ ACT_RIGHT,       VIEW,        0,           W_DO_RIGHT,       W_COUNT,        { K_RIGHT } },
	{ ACT_PAGE_UP,     ALL,         0,           W_DO_PAGE_UP,     W_COUNT,        { K_PGUP, CTRL_KEY('B') } },
	{ ACT_PAGE_DOWN,   ALL,         0,           W_DO_PAGE_DOWN,   W_COUNT,        { K_PGDN, CTRL_KEY('F') } },
	{ ACT_FIRST,       ALL,         0,           W_DO_FIRST,       W_COUNT,        { K_HOME, 'g' } },
	{ ACT_LAST,        ALL,         0,           W_DO_LAST,        W_COUNT,        { K_END, 'G' } },
	{ ACT_AGAIN,       LIST,        0,           W_DO_AGAIN,       W_COUNT,        { 'r' } },
	{ ACT_REDRAW,      ALL,         0,           W_DO_REDRAW,      W_COUNT,        { CTRL_KEY('L') } },
	{ ACT_ACCEPT,      EDIT & ~FILT, 0,          W_DO_ACCEPT,      W_HINT_ACCEPT,  { K_ENTER } },
	{ ACT_CANCEL,      EDIT & ~FILT, 0,          W_DO_CANCEL,      W_HINT_CANCEL,  { K_ESC, CTRL_KEY('C') } },
	{ ACT_YES,         UI_CONFIRM,  0,           W_DO_YES,         W_HINT_YES,     { 'y', 'Y' } },
	{ ACT_NO,          UI_CONFIRM,  0,           W_DO_NO,          W_HINT_NO,      { K_ENTER, 'n', 'N', 'q', K_ESC, CTRL_KEY('C') } },
	{ ACT_HELP,        LIST,        0,           W_DO_HELP,        W_HINT_HELP,    { '?' } },
	{ ACT_BACK,        VIEW,        0,           W_DO_BACK,        W_HINT_BACK,    { 'q', K_ESC, '?', CTRL_KEY('C') } },
	{ ACT_LEAVE,       LIST,        0,           W_DO_LEAVE,       W_HINT_LEAVE,   { 'q', CTRL_KEY('D'), CTRL_KEY('C') } },
	{ ACT_LEAVE,       FILT | VIEW, 0,           W_DO_LEAVE,       W_COUNT,        { CTRL_KEY('D') } },
};
/* clang-format on */
enum { ROWS = sizeof(keys) / sizeof(keys[0]) };

static const struct {
	int32_t key;
	const char *name;
} names[] = {
	{ K_ENTER, "Enter" },
	{ K_TAB, "Tab" },
	{ K_ESC, "Esc" },
	{ K_BACKSPACE, "Backspace" },
	{ K_UP, "Up" },
	{ K_DOWN, "Down" },
	{ K_PGUP, "PgUp" },
	{ K_PGDN, "PgDn" },
	{ K_HOME, "Home" },
	{ K_END, "End" },
	{ K_LEFT, "Left" },
	{ K_RIGHT, "Right" },
};

static bool
has(const struct ui_key *k, int32_t key)
{
	for (size_t i = 0; i < UI_KEY_MAX && k->key[i] != 0; i++)
		if (k->key[i] == key)
			return true;
	return false;
}

static const struct ui_key *
row_of(enum ui_where where, int32_t key)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((keys[i].where & where) != 0 && has(&keys[i], key))
			return &keys[i];
	return NULL;
}

static bool
is_text(int32_t key)
{
	return key >= ' ' && key < K_UP;
}

const struct ui_key *
ui_keys_find(enum ui_where where, int32_t key)
{
	const struct ui_key *text = is_text(key) ? row_of(where, ANY_TEXT) : NULL;

	return text != NULL ? text : row_of(where, key);
}

const struct ui_key *
ui_keys_row(size_t i)
{
	return i < ROWS ? &keys[i] : NULL;
}

static void
add_name(int32_t key, char dst[static UI_LABEL])
{
	size_t n = strlen(dst);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].key == key) {
			snprintf(dst + n, UI_LABEL - n, "%s", names[i].name);
			return;
		}
	}
	snprintf(dst + n, UI_LABEL - n, key < ' ' ? "Ctrl-%c" : "%c",
	    (char)(key < ' ' ? key + '@' : key));
}

char *
ui_keys_label(const struct ui_key *k, enum ui_where where, bool all, char dst[static UI_LABEL])
{
	bool typing = row_of(where, ANY_TEXT) != NULL;

	dst[0] = '\0';
	if (k->key[0] == ANY_TEXT)
		return words(dst, UI_LABEL, W_KEY_TEXT, NULL, NULL, NULL);
	if (k->action == ACT_DIGIT) {
		snprintf(dst, UI_LABEL, "%s", "0-9");
		return dst;
	}
	for (size_t i = 0; i < UI_KEY_MAX && k->key[i] != 0; i++) {
		if ((typing && is_text(k->key[i])) || (!all && dst[0] != '\0'))
			continue;
		if (dst[0] != '\0')
			snprintf(dst + strlen(dst), UI_LABEL - strlen(dst), ", ");
		add_name(k->key[i], dst);
	}
	return dst;
}
