/*
 * The full-screen menu: what a key does to it.  jumpbox-session; pure.
 */
#include "ui_menu.h"

#include "jumpbox/text.h"
#include "ui_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
ui_menu_init(struct ui_menu *m, struct ui_model *model, unsigned cols, unsigned rows)
{
	*m = (struct ui_menu){ .where = UI_LIST, .cols = cols, .rows = rows, .loading = true };
	ui_list_init(&m->list, model);
}

void
ui_menu_reopen(struct ui_menu *m)
{
	m->where = UI_LIST;
	m->typed[0] = m->status[0] = '\0';
	ui_list_reopen(&m->list);
	ui_menu_update(m);
}

void
ui_menu_release(struct ui_menu *m)
{
	ui_list_release(&m->list);
}

/* ---- what is to be seen ----------------------------------------------------- */

size_t
ui_menu_page(const struct ui_menu *m)
{
	return m->rows > UI_FRAME ? m->rows - UI_FRAME : 0;
}

/* The list moves only as far as the cursor makes it. */
static void
scroll(struct ui_menu *m)
{
	size_t page = ui_menu_page(m), cursor = m->list.cursor, n = m->list.n;

	if (cursor < m->top)
		m->top = cursor;
	if (page > 0 && cursor >= m->top + page)
		m->top = cursor - page + 1;
	if (m->top + page > n)
		m->top = n > page ? n - page : 0;
}

static void
scroll_help(struct ui_menu *m, size_t top)
{
	size_t page = ui_menu_page(m), n = ui_help_lines();

	m->help_top = n <= page ? 0 : top > n - page ? n - page : top;
}

void
ui_menu_update(struct ui_menu *m)
{
	const struct ui_model *model = m->list.model;

	for (size_t i = 0; i < model->n; i++)
		if (model->entry[i].touched && model->entry[i].listed)
			ui_widths_add(&m->widths, &model->entry[i]);
	ui_list_update(&m->list);
	scroll(m);
}

void
ui_menu_resize(struct ui_menu *m, unsigned cols, unsigned rows)
{
	m->cols = cols;
	m->rows = rows;
	scroll(m);
	scroll_help(m, m->help_top);
}

void
ui_menu_say(struct ui_menu *m, bool bad, enum word w, const char *a1, const char *a2)
{
	words(m->status, sizeof(m->status), w, a1, a2, NULL);
	m->status_bad = bad;
}

void
ui_menu_say_text(struct ui_menu *m, bool bad, const char *text)
{
	text_safe(m->status, sizeof(m->status), text);
	m->status_bad = bad;
}

/* The sections of the help: the rows of the key table that are good there. */
static const struct {
	enum ui_where where;
	enum word title;
} sections[] = {
	{ UI_LIST, W_HELP_TITLE },
	{ UI_FILTER, W_HELP_IN_FILTER },
};

bool
ui_help_line(size_t i, struct ui_help *h)
{
	const struct ui_key *k;

	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		*h = (struct ui_help){ NULL, sections[s].where, W_COUNT };
		if (s > 0 && i-- == 0)
			return true;
		h->title = sections[s].title;
		if (i-- == 0)
			return true;
		h->title = W_COUNT;
		for (size_t r = 0; (k = ui_keys_row(r)) != NULL; r++) {
			if ((k->where & h->where) != 0 && i-- == 0) {
				h->key = k;
				return true;
			}
		}
	}
	return false;
}

size_t
ui_help_lines(void)
{
	struct ui_help h;
	size_t n = 0;

	while (ui_help_line(n, &h))
		n++;
	return n;
}

/* ---- actions -------------------------------------------------------------------- */

static unsigned
do_connect(struct ui_menu *m, int32_t key)
{
	const struct ui_entry *e = ui_list_current(&m->list);

	(void)key;
	if (m->typed[0] != '\0' &&
	    (e = ui_model_number(m->list.model, strtoul(m->typed, NULL, 10))) == NULL)
		ui_menu_say(m, true, W_UI_NO_NUMBER, m->typed, NULL);
	m->typed[0] = '\0';
	if (e == NULL)
		return UI_DRAW;
	ui_list_find(&m->list, e->ref);
	m->chosen = e->ref;
	return UI_DRAW | UI_CONNECT;
}

/* A number that is complete shows its container, which may be filtered away. */
static void
show_typed(struct ui_menu *m)
{
	const struct ui_entry *e = ui_model_number(m->list.model, strtoul(m->typed, NULL, 10));

	if (e != NULL)
		ui_list_find(&m->list, e->ref);
}

static unsigned
do_digit(struct ui_menu *m, int32_t key)
{
	size_t n = strlen(m->typed);

	if (n < UI_NUMBER_MAX) {
		m->typed[n] = (char)key;
		m->typed[n + 1] = '\0';
	}
	show_typed(m);
	return UI_DRAW;
}

/* The last character goes, all bytes of it. */
static void
drop_last(char *text)
{
	size_t n = strlen(text);

	while (n > 1 && ((uint8_t)text[n - 1] & 0xc0) == 0x80)
		n--;
	text[n > 0 ? n - 1 : 0] = '\0';
}

static unsigned
refilter(struct ui_menu *m, const char *text)
{
	ui_list_filter(&m->list, text);
	return UI_DRAW;
}

static unsigned
do_erase(struct ui_menu *m, int32_t key)
{
	char text[UI_FILTER_MAX + 1];

	(void)key;
	if (m->where != UI_FILTER) {
		drop_last(m->typed);
		show_typed(m);
		return UI_DRAW;
	}
	memcpy(text, m->list.filter, sizeof(text));
	drop_last(text);
	return refilter(m, text);
}

static unsigned
do_word(struct ui_menu *m, int32_t key)
{
	char text[UI_FILTER_MAX + 1];
	size_t n;

	(void)key;
	memcpy(text, m->list.filter, sizeof(text));
	for (n = strlen(text); n > 0 && text[n - 1] == ' ';)
		text[--n] = '\0';
	while (n > 0 && text[n - 1] != ' ')
		text[--n] = '\0';
	return refilter(m, text);
}

static unsigned
do_kill(struct ui_menu *m, int32_t key)
{
	(void)key;
	return refilter(m, "");
}

static unsigned
do_type(struct ui_menu *m, int32_t key)
{
	char text[UI_FILTER_MAX + 1 + 4];
	size_t n = strlen(m->list.filter);

	memcpy(text, m->list.filter, n);
	n += text_encode(text + n, key);
	text[n] = '\0';
	return n > UI_FILTER_MAX ? 0 : refilter(m, text);
}

static unsigned
do_filter(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = UI_FILTER;
	return UI_DRAW;
}

static unsigned
do_keep(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = UI_LIST;
	return UI_DRAW;
}

static unsigned
do_all(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = UI_LIST;
	refilter(m, "");
	return UI_DRAW | UI_EVERYTHING;
}

static unsigned
do_sort(struct ui_menu *m, int32_t key)
{
	(void)key;
	ui_list_sort(&m->list, (m->list.sort + 1) % SORT_COUNT);
	return UI_DRAW;
}

static unsigned
do_again(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_DRAW | UI_RELIST;
}

static unsigned
do_redraw(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_DRAW | UI_REPAINT;
}

static unsigned
do_help(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = UI_HELP;
	m->help_top = 0;
	return UI_DRAW;
}

static unsigned
do_leave(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_LEAVE;
}

/* By so many lines, of whatever there is; beyond its ends: to its ends. */
static unsigned
move(struct ui_menu *m, long by)
{
	if (m->where != UI_HELP)
		ui_list_move(&m->list, by);
	else if (by < 0 && (size_t)-by > m->help_top)
		m->help_top = 0;
	else
		scroll_help(m, m->help_top + (size_t)by);
	return UI_DRAW;
}

static unsigned
do_up(struct ui_menu *m, int32_t key)
{
	(void)key;
	return move(m, -1);
}

static unsigned
do_down(struct ui_menu *m, int32_t key)
{
	(void)key;
	return move(m, 1);
}

static unsigned
do_page_up(struct ui_menu *m, int32_t key)
{
	(void)key;
	return move(m, -(long)ui_menu_page(m));
}

static unsigned
do_page_down(struct ui_menu *m, int32_t key)
{
	(void)key;
	return move(m, (long)ui_menu_page(m));
}

enum { FAR = 1 << 30 };

static unsigned
do_first(struct ui_menu *m, int32_t key)
{
	(void)key;
	return move(m, -FAR);
}

static unsigned
do_last(struct ui_menu *m, int32_t key)
{
	(void)key;
	return move(m, FAR);
}

static unsigned (*const actions[ACT_COUNT])(struct ui_menu *m, int32_t key) = {
	[ACT_CONNECT] = do_connect,
	[ACT_DIGIT] = do_digit,
	[ACT_ERASE] = do_erase,
	[ACT_UP] = do_up,
	[ACT_DOWN] = do_down,
	[ACT_PAGE_UP] = do_page_up,
	[ACT_PAGE_DOWN] = do_page_down,
	[ACT_FIRST] = do_first,
	[ACT_LAST] = do_last,
	[ACT_FILTER] = do_filter,
	[ACT_TYPE] = do_type,
	[ACT_FILTER_KEEP] = do_keep,
	[ACT_FILTER_DROP] = do_all,
	[ACT_KILL] = do_kill,
	[ACT_WORD] = do_word,
	[ACT_ALL] = do_all,
	[ACT_SORT] = do_sort,
	[ACT_AGAIN] = do_again,
	[ACT_HELP] = do_help,
	[ACT_BACK] = do_keep,
	[ACT_REDRAW] = do_redraw,
	[ACT_LEAVE] = do_leave,
};

/* A number stands until another key than its own is pressed. */
static bool
keeps_number(enum ui_action a)
{
	return a == ACT_DIGIT || a == ACT_ERASE || a == ACT_CONNECT || a == ACT_REDRAW;
}

unsigned
ui_menu_key(struct ui_menu *m, int32_t key)
{
	const struct ui_key *k = ui_keys_find(m->where, key);
	unsigned effect = m->status[0] != '\0' ? UI_DRAW : 0;

	if (k == NULL)
		return 0;
	m->status[0] = '\0';
	if (!keeps_number(k->action))
		m->typed[0] = '\0';
	effect |= actions[k->action](m, key);
	scroll(m);
	return effect;
}
