/*
 * What of the menu is drawn where: head, titles, rows, status, hints; or a
 * page in the place of the rows.  jumpbox-session; pure.
 */
#include "ui_view.h"

#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 1024 };

/* Cut to what is left of the line from x on; returns where the next piece begins. */
static unsigned
put(const struct ui_menu *m, const struct ui_canvas *c, unsigned x, enum ui_role role,
    const char *text)
{
	char fit[LINE];
	unsigned room = x < m->cols ? m->cols - x : 0;

	if (room == 0)
		return x;
	text_fit(fit, sizeof(fit), text, room, false);
	c->put(c->arg, x, room, role, false, fit);
	return x + (unsigned)text_width(fit);
}

static unsigned
put_word(const struct ui_menu *m, const struct ui_canvas *c, unsigned x, enum ui_role role,
    enum word w, const char *a1, const char *a2, const char *a3)
{
	char text[LINE];

	return put(m, c, x, role, words(text, sizeof(text), w, a1, a2, a3));
}

/* ---- the head ------------------------------------------------------------------ */

static const enum word sorts[SORT_COUNT] = {
	[SORT_RECENT] = W_UI_SORT_RECENT,
	[SORT_NAME] = W_UI_SORT_NAME,
	[SORT_NODE] = W_UI_SORT_NODE,
	[SORT_STATE] = W_UI_SORT_STATE,
	[SORT_AGE] = W_UI_SORT_AGE,
};

static void
count_text(const struct ui_menu *m, char *dst, size_t size)
{
	char shown[24], all[24];

	snprintf(shown, sizeof(shown), "%zu", m->list.n);
	snprintf(all, sizeof(all), "%zu", m->list.norder);
	words(dst, size,
	    m->loading			      ? W_UI_LOADING
		: m->list.n != m->list.norder ? W_UI_COUNT_OF
		: m->list.n == 1	      ? W_UI_COUNT_ONE
					      : W_UI_COUNT,
	    shown, all, NULL);
}

/* Which part of the page is on the screen. */
static void
part_text(const struct ui_menu *m, char *dst, size_t size)
{
	size_t n = ui_page_lines(&m->page), last = m->page.top + ui_menu_page(m);
	char from[24], to[24], all[24];

	snprintf(from, sizeof(from), "%zu", n == 0 ? 0 : m->page.top + 1);
	snprintf(to, sizeof(to), "%zu", last < n ? last : n);
	snprintf(all, sizeof(all), "%zu", n);
	words(dst, size, m->page.follow ? W_UI_FOLLOWING : W_UI_MORE, from, to, all);
}

static void
head(const struct ui_menu *m, const struct ui_place *p, const struct ui_canvas *c)
{
	bool reading = ui_menu_reading(m);
	char text[LINE], sort[64];
	unsigned x;

	words(text, sizeof(text), W_UI_WHERE, p->user, p->server, NULL);
	x = put(m, c, 0, ROLE_HEAD, text);
	count_text(m, text, sizeof(text));
	x = put(m, c, x + UI_GAP, reading ? ROLE_TITLE : ROLE_PLAIN, reading ? m->title : text);
	words(sort, sizeof(sort), sorts[m->list.sort], NULL, NULL, NULL);
	words(text, sizeof(text), W_UI_SORTED, sort, NULL, NULL);
	if (reading)
		part_text(m, text, sizeof(text));
	if (x + UI_GAP + text_width(text) <= m->cols)
		put(m, c, m->cols - (unsigned)text_width(text), ROLE_DIM, text);
}

/* ---- the list ------------------------------------------------------------------- */

static void
put_cell(const struct ui_canvas *c, unsigned x, unsigned width, enum ui_column column,
    enum ui_role role, bool lit, const char *text)
{
	char fit[UI_CELL];
	unsigned used;

	text_fit(fit, sizeof(fit), text, width, false);
	used = (unsigned)text_width(fit);
	if (ui_column_right(column) && used < width)
		x += width - used;
	c->put(c->arg, x, used, role, lit, fit);
}

static void
titles(const struct ui_layout *l, const struct ui_canvas *c)
{
	char text[UI_CELL];
	unsigned x = 1;

	for (unsigned i = 0; i < COL_COUNT; i++) {
		if (l->width[i] == 0)
			continue;
		words(text, sizeof(text), ui_column_title(i), NULL, NULL, NULL);
		put_cell(c, x, l->width[i], i, ROLE_TITLE, false, text);
		x += l->width[i] + UI_GAP;
	}
}

static void
row(const struct ui_menu *m, const struct ui_layout *l, const struct ui_entry *e, bool lit,
    int64_t now, const struct ui_canvas *c)
{
	char text[UI_CELL];
	enum ui_role role;
	unsigned x = 1;

	c->put(c->arg, 0, m->cols, ROLE_PLAIN, lit, lit ? ">" : "");
	for (unsigned i = 0; i < COL_COUNT; i++) {
		if (l->width[i] == 0)
			continue;
		role = ui_cell(e, i, now, text);
		put_cell(c, x, l->width[i], i, role, lit, text);
		x += l->width[i] + UI_GAP;
	}
}

static void
list_line(const struct ui_menu *m, int64_t now, size_t i, const struct ui_canvas *c)
{
	const struct ui_entry *e = ui_list_row(&m->list, m->top + i);
	struct ui_layout l;

	ui_layout_make(&l, &m->widths, m->cols);
	if (e != NULL)
		row(m, &l, e, m->top + i == m->list.cursor, now, c);
	else if (m->list.n == 0 && i == 1 && !m->loading)
		put_word(m, c, 1, ROLE_PLAIN, m->list.norder == 0 ? W_UI_NONE : W_UI_NO_MATCH, NULL,
		    NULL, NULL);
}

/* ---- a page -------------------------------------------------------------------- */

static void
page_line(const struct ui_menu *m, size_t i, const struct ui_canvas *c)
{
	char text[PAGE_SHOWN], fit[PAGE_SHOWN];

	ui_page_line(&m->page, m->page.top + i, text);
	text_fit(fit, sizeof(fit), text, m->cols, false);
	c->put(c->arg, 0, m->cols, ROLE_PLAIN, m->page.top + i == m->page.found, fit);
}

/* ---- the last two lines ------------------------------------------------------------- */

static unsigned
number_line(const struct ui_menu *m, const struct ui_canvas *c)
{
	const struct ui_entry *e = NULL;
	char name[UI_CELL], node[UI_CELL];
	unsigned long number = 0;

	for (const char *p = m->typed; *p != '\0'; p++)
		number = number * 10 + (unsigned long)(*p - '0');
	e = ui_model_number(m->list.model, number);
	if (e == NULL)
		return put_word(m, c, 0, ROLE_PLAIN, W_UI_NUMBER, m->typed, NULL, NULL);
	return put_word(m, c, 0, ROLE_PLAIN, W_UI_NUMBER_IS, m->typed,
	    text_safe(name, sizeof(name), e->name), text_safe(node, sizeof(node), e->node));
}

/* The end of what is typed is what has to be seen. */
static unsigned
typed_line(const struct ui_menu *m, const struct ui_canvas *c, enum word w, const char *typed)
{
	char safe[LINE];
	const char *text = text_safe(safe, sizeof(safe), typed);
	unsigned x = put_word(m, c, 0, ROLE_KEY, w, NULL, NULL, NULL);
	int32_t cp;

	while (x + text_width(text) >= m->cols && *text != '\0')
		text += text_decode(text, &cp);
	return put(m, c, x, ROLE_PLAIN, text);
}

static const enum word questions[ASK_COUNT] = {
	[ASK_USER] = W_UI_ASK_USER,
	[ASK_SHELL] = W_UI_ASK_SHELL,
	[ASK_WATCH] = W_UI_ASK_WATCH,
	[ASK_REPLAY] = W_UI_ASK_REPLAY,
};

static enum word
power_question(enum power what)
{
	return what == POWER_START ? W_CONFIRM_START
	    : what == POWER_STOP   ? W_CONFIRM_STOP
				   : W_CONFIRM_RESTART;
}

static unsigned
status(const struct ui_menu *m, const struct ui_canvas *c)
{
	switch (m->where) {
	case UI_FILTER:
		return typed_line(m, c, W_UI_FILTER, m->list.filter);
	case UI_SEARCH:
		return typed_line(m, c, W_UI_SEARCH, m->edit);
	case UI_ASK:
		return typed_line(m, c, questions[m->asking], m->edit);
	case UI_CONFIRM:
		return put_word(m, c, 0, ROLE_KEY, power_question(m->power), m->name, NULL, NULL);
	default:
		break;
	}
	if (m->typed[0] != '\0')
		return number_line(m, c);
	if (m->status[0] != '\0')
		return put(m, c, 0, m->status_bad ? ROLE_BAD : ROLE_HEAD, m->status);
	if (m->where == UI_LIST && m->list.filter[0] != '\0')
		return typed_line(m, c, W_UI_FILTER, m->list.filter);
	return 0;
}

static void
hints(const struct ui_menu *m, const struct ui_canvas *c)
{
	const struct ui_key *k;
	char label[UI_LABEL], what[64];
	unsigned x = 0;

	for (size_t i = 0; (k = ui_keys_row(i)) != NULL; i++) {
		if ((k->where & m->where) == 0 || k->hint == W_COUNT ||
		    (k->needs & ~ui_menu_perms(m)) != 0)
			continue;
		ui_keys_label(k, m->where, false, label);
		words(what, sizeof(what), k->hint, NULL, NULL, NULL);
		if (x + text_width(label) + 1 + text_width(what) > m->cols)
			return;
		x = put(m, c, x, ROLE_KEY, label) + 1;
		x = put(m, c, x, ROLE_PLAIN, what) + UI_GAP;
	}
}

/* ---- a line --------------------------------------------------------------------------- */

void
ui_view_line(const struct ui_menu *m, const struct ui_place *p, int64_t now, unsigned y,
    const struct ui_canvas *c)
{
	struct ui_layout l;

	if (m->rows <= UI_FRAME) {
		if (y == 0)
			put_word(m, c, 0, ROLE_PLAIN, W_UI_SMALL, NULL, NULL, NULL);
	} else if (y == 0) {
		head(m, p, c);
	} else if (y == m->rows - 2) {
		status(m, c);
	} else if (y == m->rows - 1) {
		hints(m, c);
	} else if (ui_menu_reading(m)) {
		if (y > 1)
			page_line(m, y - 2, c);
	} else if (y == 1) {
		ui_layout_make(&l, &m->widths, m->cols);
		titles(&l, c);
	} else {
		list_line(m, now, y - 2, c);
	}
}

static void
nowhere(void *arg, unsigned x, unsigned width, enum ui_role role, bool lit, const char *text)
{
	(void)arg;
	(void)x;
	(void)width;
	(void)role;
	(void)lit;
	(void)text;
}

void
ui_view_cursor(const struct ui_menu *m, unsigned *y, unsigned *x)
{
	const struct ui_canvas none = { nowhere, NULL };

	*x = *y = 0;
	if (m->rows <= UI_FRAME)
		return;
	if ((m->where & (UI_FILTER | UI_SEARCH | UI_ASK | UI_CONFIRM)) != 0 ||
	    (m->where == UI_LIST && m->typed[0] != '\0')) {
		*y = m->rows - 2;
		*x = status(m, &none);
		if (*x >= m->cols)
			*x = m->cols - 1;
	} else if (ui_menu_reading(m)) {
		if (m->page.found >= m->page.top && m->page.found < m->page.top + ui_menu_page(m))
			*y = (unsigned)(2 + m->page.found - m->page.top);
	} else if (m->list.n > 0) {
		*y = (unsigned)(2 + m->list.cursor - m->top);
	}
}

/* When what says how long ago that was will say something else. */
static int64_t
age_next(uint64_t since, int64_t now)
{
	int64_t age = now - (int64_t)since;
	int64_t unit = age < 3600 ? 60 : age < 86400 ? 3600 : 86400;

	return since == 0 || age < 0 ? 0 : now + unit - age % unit;
}

int64_t
ui_view_next(const struct ui_menu *m, int64_t now)
{
	const struct ui_entry *e;
	int64_t next = 0;

	for (size_t i = 0; !ui_menu_reading(m) && i < ui_menu_page(m); i++) {
		if ((e = ui_list_row(&m->list, m->top + i)) == NULL)
			break;
		next = sooner(next, age_next(ui_entry_since(e), now));
		if (strcmp(e->state, "unreachable") == 0)
			next = sooner(next, age_next(e->node_seen, now));
	}
	return next;
}
