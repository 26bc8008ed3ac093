/*
 * What keys do on the list of the full-screen menu: to the container that is
 * meant, to the filter, to the order.  jumpbox-session; pure.
 */
#include "ui_actions.h"

#include "jumpbox/text.h"
#include "ui_edit.h"

#include <string.h>

/* It is what is spoken of; false: none is. */
static bool
choose(struct ui_menu *m)
{
	const struct ui_entry *e = ui_menu_meant(m);

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

static unsigned
do_digit(struct ui_menu *m, int32_t key)
{
	ui_edit_add(m->typed, sizeof(m->typed), key);
	ui_menu_show_typed(m);
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
do_as(struct ui_menu *m, int32_t key)
{
	(void)key;
	return choose(m) ? ui_menu_ask(m, ASK_USER) : UI_DRAW;
}

unsigned (*const ui_list_actions[ACT_COUNT])(struct ui_menu *m, int32_t key) = {
	[ACT_CONNECT] = do_connect,
	[ACT_DIGIT] = do_digit,
	[ACT_FILTER] = do_filter,
	[ACT_FILTER_KEEP] = do_keep,
	[ACT_FILTER_DROP] = do_all,
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
	[ACT_YES] = do_yes,
	[ACT_NO] = do_keep,
};
