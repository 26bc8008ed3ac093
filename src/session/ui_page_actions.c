/*
 * What keys do on a page of the full-screen menu, and with the answers to its
 * questions.  jumpbox-session; pure.
 */
#include "ui_actions.h"

#include "jumpbox/text.h"

#include <string.h>

enum { SIDEWAYS = 8 };

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
		return ui_menu_ask(m, ASK_SHELL);
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

static unsigned
do_watch(struct ui_menu *m, int32_t key)
{
	(void)key;
	return ui_menu_ask(m, ASK_WATCH);
}

static unsigned
do_replay(struct ui_menu *m, int32_t key)
{
	(void)key;
	return ui_menu_ask(m, ASK_REPLAY);
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

unsigned (*const ui_page_actions[ACT_COUNT])(struct ui_menu *m, int32_t key) = {
	[ACT_LEFT] = do_left,
	[ACT_RIGHT] = do_right,
	[ACT_WATCH] = do_watch,
	[ACT_REPLAY] = do_replay,
	[ACT_HELP] = do_help,
	[ACT_FOLLOW] = do_follow,
	[ACT_SEARCH] = do_search,
	[ACT_NEXT] = do_next,
	[ACT_PREVIOUS] = do_previous,
	[ACT_ACCEPT] = do_accept,
	[ACT_BACK] = do_back,
};
