/*
 * What each key does and where.  jumpbox-session; pure.
 */
#include "ui_keys.h"

#include "ui_input.h"

#include <stdio.h>
#include <string.h>

enum { LIST = UI_LIST, TYPED = UI_FILTER, HELP = UI_HELP, ALL = LIST | TYPED | HELP };

/* clang-format off */
static const struct ui_key keys[] = {
	/* action          where         help              hint            keys */
	{ ACT_CONNECT,     LIST | TYPED, W_DO_CONNECT,     W_HINT_CONNECT, { K_ENTER } },
	{ ACT_DIGIT,       LIST,         W_DO_NUMBER,      W_COUNT,        { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' } },
	{ ACT_FILTER,      LIST,         W_DO_FILTER,      W_HINT_FILTER,  { '/' } },
	{ ACT_TYPE,        TYPED,        W_DO_FILTER_TYPE, W_COUNT,        { ANY_TEXT } },
	{ ACT_ERASE,       LIST | TYPED, W_DO_ERASE,       W_COUNT,        { K_BACKSPACE } },
	{ ACT_WORD,        TYPED,        W_DO_WORD,        W_COUNT,        { CTRL_KEY('W') } },
	{ ACT_KILL,        TYPED,        W_DO_KILL,        W_COUNT,        { CTRL_KEY('U') } },
	{ ACT_FILTER_KEEP, TYPED,        W_DO_FILTER_KEEP, W_HINT_KEEP,    { K_TAB } },
	{ ACT_FILTER_DROP, TYPED,        W_DO_FILTER_DROP, W_HINT_ALL,     { K_ESC, CTRL_KEY('C') } },
	{ ACT_ALL,         LIST,         W_DO_ALL,         W_COUNT,        { K_ESC } },
	{ ACT_SORT,        LIST,         W_DO_SORT,        W_HINT_SORT,    { 's' } },
	{ ACT_UP,          ALL,          W_DO_UP,          W_COUNT,        { K_UP, 'k' } },
	{ ACT_DOWN,        ALL,          W_DO_DOWN,        W_COUNT,        { K_DOWN, 'j' } },
	{ ACT_PAGE_UP,     ALL,          W_DO_PAGE_UP,     W_COUNT,        { K_PGUP, CTRL_KEY('B') } },
	{ ACT_PAGE_DOWN,   ALL,          W_DO_PAGE_DOWN,   W_COUNT,        { K_PGDN, CTRL_KEY('F') } },
	{ ACT_FIRST,       ALL,          W_DO_FIRST,       W_COUNT,        { K_HOME, 'g' } },
	{ ACT_LAST,        ALL,          W_DO_LAST,        W_COUNT,        { K_END, 'G' } },
	{ ACT_AGAIN,       LIST,         W_DO_AGAIN,       W_COUNT,        { 'r' } },
	{ ACT_REDRAW,      ALL,          W_DO_REDRAW,      W_COUNT,        { CTRL_KEY('L') } },
	{ ACT_HELP,        LIST,         W_DO_HELP,        W_HINT_HELP,    { '?' } },
	{ ACT_BACK,        HELP,         W_DO_BACK,        W_HINT_BACK,    { 'q', K_ESC, '?', K_ENTER } },
	{ ACT_LEAVE,       LIST,         W_DO_LEAVE,       W_HINT_LEAVE,   { 'q', CTRL_KEY('D'), CTRL_KEY('C') } },
	{ ACT_LEAVE,       TYPED,        W_DO_LEAVE,       W_COUNT,        { CTRL_KEY('D') } },
	{ ACT_LEAVE,       HELP,         W_DO_LEAVE,       W_COUNT,        { CTRL_KEY('D'), CTRL_KEY('C') } },
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
