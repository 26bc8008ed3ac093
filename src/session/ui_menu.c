/*
 * The full-screen menu: what is to be seen of it, and what a key does to it.  What
 * it does on the list alone is in ui_list_actions.c, and on a page alone in
 * ui_page_actions.c.  jumpbox-session; pure.
 */
#include "ui_actions.h"

#include "jumpbox/text.h"
#include "ui_edit.h"

#include <stdlib.h>
#include <string.h>

enum { FAR = 1 << 30 };

void
ui_menu_init(struct ui_menu *m, struct ui_model *model, unsigned cols, unsigned rows)
{
	*m = (struct ui_menu){
		.where = UI_LIST, .reading = UI_LIST, .cols = cols, .rows = rows, .loading = true
	};
	ui_list_init(&m->list, model);
	ui_page_init(&m->page);
}

void
ui_menu_reopen(struct ui_menu *m)
{
	m->where = m->reading = UI_LIST;
	m->typed[0] = m->status[0] = '\0';
	ui_list_reopen(&m->list);
	ui_menu_update(m);
}

void
ui_menu_release(struct ui_menu *m)
{
	ui_list_release(&m->list);
	ui_page_release(&m->page);
}

/* ---- what is to be seen ----------------------------------------------------- */

bool
ui_menu_reading(const struct ui_menu *m)
{
	return m->reading != UI_LIST;
}

size_t
ui_menu_page(const struct ui_menu *m)
{
	return m->rows > UI_FRAME ? m->rows - UI_FRAME : 0;
}

uint32_t
ui_menu_perms(const struct ui_menu *m)
{
	const struct ui_entry *e = ui_list_current(&m->list);

	return e == NULL ? 0 : e->perms;
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
ui_menu_grown(struct ui_menu *m)
{
	ui_page_move(&m->page, m->page.follow ? FAR : 0, ui_menu_page(m));
}

void
ui_menu_resize(struct ui_menu *m, unsigned cols, unsigned rows)
{
	m->cols = cols;
	m->rows = rows;
	scroll(m);
	ui_menu_grown(m);
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

void
ui_menu_read(struct ui_menu *m, enum ui_where where, enum word title, const char *a1)
{
	ui_page_release(&m->page);
	ui_page_init(&m->page);
	m->page.follow = where == UI_LOGS;
	m->where = m->reading = where;
	words(m->title, sizeof(m->title), title, a1, NULL, NULL);
}

void
ui_menu_list(struct ui_menu *m)
{
	m->where = m->reading = UI_LIST;
	ui_page_release(&m->page);
}

/* ---- what is spoken of --------------------------------------------------------- */

/* The container of the number that is typed, or that under the cursor; NULL: there is none. */
const struct ui_entry *
ui_menu_meant(const struct ui_menu *m)
{
	if (m->typed[0] != '\0')
		return ui_model_number(m->list.model, strtoul(m->typed, NULL, 10));
	return ui_list_current(&m->list);
}

/* A number that is complete shows its container, which may be filtered away. */
void
ui_menu_show_typed(struct ui_menu *m)
{
	const struct ui_entry *e = ui_model_number(m->list.model, strtoul(m->typed, NULL, 10));

	if (e != NULL)
		ui_list_find(&m->list, e->ref);
}

unsigned
ui_menu_ask(struct ui_menu *m, enum ui_question what)
{
	m->where = UI_ASK;
	m->asking = what;
	m->edit[0] = '\0';
	return UI_DRAW;
}

/* ---- typing ----------------------------------------------------------------------- */

/* What is typed where: the filter takes effect at once. */
static unsigned
edited(struct ui_menu *m, const char *text)
{
	if (m->where == UI_FILTER)
		ui_list_filter(&m->list, text);
	else
		memmove(m->edit, text, strlen(text) + 1);
	return UI_DRAW;
}

static const char *
to_edit(const struct ui_menu *m, char text[static UI_FILTER_MAX + 1])
{
	const char *from = m->where == UI_FILTER ? m->list.filter : m->edit;

	return memcpy(text, from, strlen(from) + 1);
}

static unsigned
do_type(struct ui_menu *m, int32_t key)
{
	char text[UI_FILTER_MAX + 1];
	size_t room = m->where == UI_ASK && m->asking == ASK_USER ? MAX_RUN_AS + 1 : sizeof(text);

	to_edit(m, text);
	return ui_edit_add(text, room, key) ? edited(m, text) : 0;
}

static unsigned
do_erase(struct ui_menu *m, int32_t key)
{
	char text[UI_FILTER_MAX + 1];

	(void)key;
	if (m->where == UI_LIST) {
		ui_edit_erase(m->typed);
		ui_menu_show_typed(m);
		return UI_DRAW;
	}
	to_edit(m, text);
	ui_edit_erase(text);
	return edited(m, text);
}

static unsigned
do_word(struct ui_menu *m, int32_t key)
{
	char text[UI_FILTER_MAX + 1];

	(void)key;
	to_edit(m, text);
	ui_edit_erase_word(text);
	return edited(m, text);
}

static unsigned
do_kill(struct ui_menu *m, int32_t key)
{
	(void)key;
	return edited(m, "");
}

static unsigned
do_cancel(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = m->reading;
	return UI_DRAW;
}

/* ---- moving -------------------------------------------------------------------------- */

/* By so many lines, of whatever there is; beyond its ends: to its ends. */
static unsigned
move(struct ui_menu *m, long by)
{
	if (!ui_menu_reading(m)) {
		ui_list_move(&m->list, by);
		return UI_DRAW;
	}
	m->page.follow = m->page.follow && by > 0;
	ui_page_move(&m->page, by, ui_menu_page(m));
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

static unsigned
do_redraw(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_DRAW | UI_REPAINT;
}

static unsigned
do_leave(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_LEAVE;
}

/* ---- a key ------------------------------------------------------------------------------ */

static unsigned (*const actions[ACT_COUNT])(struct ui_menu *m, int32_t key) = {
	[ACT_ERASE] = do_erase,
	[ACT_UP] = do_up,
	[ACT_DOWN] = do_down,
	[ACT_PAGE_UP] = do_page_up,
	[ACT_PAGE_DOWN] = do_page_down,
	[ACT_FIRST] = do_first,
	[ACT_LAST] = do_last,
	[ACT_TYPE] = do_type,
	[ACT_KILL] = do_kill,
	[ACT_WORD] = do_word,
	[ACT_CANCEL] = do_cancel,
	[ACT_REDRAW] = do_redraw,
	[ACT_LEAVE] = do_leave,
};

static unsigned
act(struct ui_menu *m, const struct ui_key *k, int32_t key)
{
	if (ui_list_actions[k->action] != NULL)
		return ui_list_actions[k->action](m, key);
	if (ui_page_actions[k->action] != NULL)
		return ui_page_actions[k->action](m, key);
	return actions[k->action](m, key);
}

/* A number stands until it has been used, or a key has nothing to do with one. */
static bool
keeps_number(const struct ui_key *k)
{
	switch (k->action) {
	case ACT_DIGIT:
	case ACT_ERASE:
	case ACT_CONNECT:
	case ACT_DETAILS:
	case ACT_LOGS:
	case ACT_LINES:
	case ACT_AS:
	case ACT_START:
	case ACT_STOP:
	case ACT_RESTART:
	case ACT_REDRAW:
		return true;
	default:
		return false;
	}
}

/* The broker decides; this spares the way there. */
static bool
may(struct ui_menu *m, const struct ui_key *k)
{
	const struct ui_entry *e = ui_menu_meant(m);
	char safe[UI_NAME];

	if (e == NULL || (k->needs & ~e->perms) == 0)
		return true;
	ui_menu_say(m, true, W_UI_MAY_NOT, text_safe(safe, sizeof(safe), e->name), NULL);
	m->typed[0] = '\0'; /* it would hide that */
	return false;
}

unsigned
ui_menu_key(struct ui_menu *m, int32_t key)
{
	const struct ui_key *k = ui_keys_find(m->where, key);
	unsigned effect = m->status[0] != '\0' ? UI_DRAW : 0;

	if (k == NULL)
		return 0;
	m->status[0] = '\0';
	if (!keeps_number(k))
		m->typed[0] = '\0';
	if (!may(m, k))
		return UI_DRAW;
	effect |= act(m, k, key);
	scroll(m);
	return effect;
}
