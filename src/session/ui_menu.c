/*
 * The full-screen menu: what a key does to it.  jumpbox-session; pure.
 */
#include "ui_menu.h"

#include "jumpbox/policy.h"
#include "jumpbox/text.h"
#include "ui_edit.h"
#include "ui_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAR = 1 << 30, SIDEWAYS = 8 };

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

/* ---- the list's actions -------------------------------------------------------- */

/* The container of the number that is typed, or that under the cursor; NULL: there is none. */
static const struct ui_entry *
meant(const struct ui_menu *m)
{
	if (m->typed[0] != '\0')
		return ui_model_number(m->list.model, strtoul(m->typed, NULL, 10));
	return ui_list_current(&m->list);
}

/* It is what is spoken of; false: none is. */
static bool
choose(struct ui_menu *m)
{
	const struct ui_entry *e = meant(m);

	if (m->typed[0] != '\0' && e == NULL)
		ui_menu_say(m, true, W_UI_NO_NUMBER, m->typed, NULL);
	m->typed[0] = '\0';
	if (e == NULL)
		return false;
	ui_list_find(&m->list, e->ref);
	m->chosen = e->ref;
	text_safe(m->name, sizeof(m->name), e->name);
	return true;
}

static unsigned
do_connect(struct ui_menu *m, int32_t key)
{
	(void)key;
	memset(m->answer, 0, sizeof(m->answer));
	return choose(m) ? UI_DRAW | UI_CONNECT : UI_DRAW;
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
	ui_edit_add(m->typed, sizeof(m->typed), key);
	show_typed(m);
	return UI_DRAW;
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
	ui_list_filter(&m->list, "");
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
do_details(struct ui_menu *m, int32_t key)
{
	(void)key;
	return choose(m) ? UI_DRAW | UI_SHOW_DETAILS : UI_DRAW;
}

static unsigned
do_logs(struct ui_menu *m, int32_t key)
{
	(void)key;
	return choose(m) ? UI_DRAW | UI_SHOW_LOGS : UI_DRAW;
}

static unsigned
do_lines(struct ui_menu *m, int32_t key)
{
	(void)key;
	return choose(m) ? UI_DRAW | UI_SHOW_LINES : UI_DRAW;
}

static unsigned
do_news(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_DRAW | UI_SHOW_NEWS;
}

static unsigned
do_who(struct ui_menu *m, int32_t key)
{
	(void)m;
	(void)key;
	return UI_DRAW | UI_SHOW_WHO;
}

static unsigned
do_power(struct ui_menu *m, enum power what)
{
	if (choose(m)) {
		m->power = what;
		m->where = UI_CONFIRM;
	}
	return UI_DRAW;
}

static unsigned
do_start(struct ui_menu *m, int32_t key)
{
	(void)key;
	return do_power(m, POWER_START);
}

static unsigned
do_stop(struct ui_menu *m, int32_t key)
{
	(void)key;
	return do_power(m, POWER_STOP);
}

static unsigned
do_restart(struct ui_menu *m, int32_t key)
{
	(void)key;
	return do_power(m, POWER_RESTART);
}

static unsigned
do_yes(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = UI_LIST;
	return UI_DRAW | UI_DO_POWER;
}

static unsigned
ask(struct ui_menu *m, enum ui_question what)
{
	m->where = UI_ASK;
	m->asking = what;
	m->edit[0] = '\0';
	return UI_DRAW;
}

static unsigned
do_as(struct ui_menu *m, int32_t key)
{
	(void)key;
	return choose(m) ? ask(m, ASK_USER) : UI_DRAW;
}

static unsigned
do_watch(struct ui_menu *m, int32_t key)
{
	(void)key;
	return ask(m, ASK_WATCH);
}

static unsigned
do_replay(struct ui_menu *m, int32_t key)
{
	(void)key;
	return ask(m, ASK_REPLAY);
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
		show_typed(m);
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

/* ---- pages -------------------------------------------------------------------------- */

static void
search(struct ui_menu *m, bool forward)
{
	char safe[4 * PAGE_NEEDLE];

	if (m->page.needle[0] != '\0' && !ui_page_search(&m->page, forward, ui_menu_page(m)))
		ui_menu_say(
		    m, true, W_UI_NOT_FOUND, text_safe(safe, sizeof(safe), m->page.needle), NULL);
}

/* As whom leads to the question for a shell; the other answers are the last. */
static unsigned
answered(struct ui_menu *m)
{
	memcpy(m->answer[m->asking], m->edit, sizeof(m->edit));
	if (m->asking == ASK_USER)
		return ask(m, ASK_SHELL);
	m->where = m->reading;
	return UI_DRAW | (m->asking == ASK_SHELL ? UI_CONNECT : UI_PLAY);
}

static unsigned
do_accept(struct ui_menu *m, int32_t key)
{
	(void)key;
	if (m->where == UI_ASK)
		return answered(m);
	m->where = m->reading;
	memcpy(m->page.needle, m->edit, sizeof(m->page.needle));
	m->page.found = PAGE_NOWHERE;
	search(m, true);
	return UI_DRAW;
}

static unsigned
do_cancel(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = m->reading;
	return UI_DRAW;
}

static unsigned
do_search(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->where = UI_SEARCH;
	m->edit[0] = '\0';
	return UI_DRAW;
}

static unsigned
do_next(struct ui_menu *m, int32_t key)
{
	(void)key;
	search(m, true);
	return UI_DRAW;
}

static unsigned
do_previous(struct ui_menu *m, int32_t key)
{
	(void)key;
	search(m, false);
	return UI_DRAW;
}

static unsigned
do_follow(struct ui_menu *m, int32_t key)
{
	(void)key;
	m->page.follow = !m->page.follow;
	ui_menu_grown(m);
	return UI_DRAW;
}

static unsigned
do_help(struct ui_menu *m, int32_t key)
{
	(void)key;
	ui_menu_read(m, UI_PAGE, W_HELP_TITLE, NULL);
	ui_help(&m->page, ui_menu_perms(m));
	return UI_DRAW;
}

static unsigned
do_back(struct ui_menu *m, int32_t key)
{
	(void)key;
	ui_menu_list(m);
	return UI_DRAW | UI_CLOSE_PAGE;
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
do_left(struct ui_menu *m, int32_t key)
{
	(void)key;
	ui_page_sideways(&m->page, -SIDEWAYS);
	return UI_DRAW;
}

static unsigned
do_right(struct ui_menu *m, int32_t key)
{
	(void)key;
	ui_page_sideways(&m->page, SIDEWAYS);
	return UI_DRAW;
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

/* ---- a key ------------------------------------------------------------------------------ */

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
	[ACT_LEFT] = do_left,
	[ACT_RIGHT] = do_right,
	[ACT_FILTER] = do_filter,
	[ACT_TYPE] = do_type,
	[ACT_FILTER_KEEP] = do_keep,
	[ACT_FILTER_DROP] = do_all,
	[ACT_KILL] = do_kill,
	[ACT_WORD] = do_word,
	[ACT_ALL] = do_all,
	[ACT_SORT] = do_sort,
	[ACT_AGAIN] = do_again,
	[ACT_DETAILS] = do_details,
	[ACT_LOGS] = do_logs,
	[ACT_LINES] = do_lines,
	[ACT_AS] = do_as,
	[ACT_START] = do_start,
	[ACT_STOP] = do_stop,
	[ACT_RESTART] = do_restart,
	[ACT_NEWS] = do_news,
	[ACT_WHO] = do_who,
	[ACT_WATCH] = do_watch,
	[ACT_REPLAY] = do_replay,
	[ACT_HELP] = do_help,
	[ACT_FOLLOW] = do_follow,
	[ACT_SEARCH] = do_search,
	[ACT_NEXT] = do_next,
	[ACT_PREVIOUS] = do_previous,
	[ACT_ACCEPT] = do_accept,
	[ACT_CANCEL] = do_cancel,
	[ACT_YES] = do_yes,
	[ACT_NO] = do_keep,
	[ACT_BACK] = do_back,
	[ACT_REDRAW] = do_redraw,
	[ACT_LEAVE] = do_leave,
};

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
	const struct ui_entry *e = meant(m);
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
	effect |= actions[k->action](m, key);
	scroll(m);
	return effect;
}
