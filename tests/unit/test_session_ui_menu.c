/*
 * The menu's keys: the effect of every row of the table, and what holds of
 * the table as a whole.
 */
#include "../../src/session/ui_menu.h"

#include "../../src/session/ui_input.h"
#include "jumpbox/policy.h"
#include "ui_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ui_model model;
static struct ui_menu menu;

/* 30 containers, of which 16 fit on the screen; the cursor on the sixth. */
static int
begin(void **state)
{
	(void)state;
	ui_model_init(&model);
	ui_menu_init(&menu, &model, 80, 20);
	ui_rows_add(&model, 30);
	menu.loading = false;
	ui_menu_update(&menu);
	ui_list_go(&menu.list, 5);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ui_menu_release(&menu);
	ui_model_release(&model);
	return 0;
}

static unsigned
type(const char *text)
{
	unsigned effect = 0;

	for (; *text != '\0'; text++)
		effect = ui_menu_key(&menu, *text);
	return effect;
}

/* ---- each action, where it may be -------------------------------------------------- */

/* The menu as it is where that key is to be pressed. */
static void
be(enum ui_where where)
{
	char line[32];

	if ((where & (UI_PAGE | UI_LOGS | UI_SEARCH | UI_WHO)) != 0) {
		ui_menu_read(&menu, where == UI_SEARCH ? UI_PAGE : where, W_HELP_TITLE, NULL);
		for (int i = 0; i < 50; i++) {
			snprintf(line, sizeof(line), "line %d\n", i);
			ui_page_add(&menu.page, line, strlen(line));
		}
		menu.page.follow = false;
		menu.page.top = 5;
	}
	menu.where = where;
}

static bool
reading(void)
{
	return (menu.where & (UI_PAGE | UI_LOGS | UI_WHO)) != 0;
}

static bool
connects(int32_t k)
{
	unsigned effect = ui_menu_key(&menu, k);

	return (effect & UI_CONNECT) != 0 && menu.chosen == ui_list_current(&menu.list)->ref;
}

static bool
digit(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.typed[0] == (char)k && menu.typed[1] == '\0';
}

/* What is typed there. */
static const char *
text(void)
{
	return menu.where == UI_FILTER ? menu.list.filter
	    : menu.where == UI_LIST    ? menu.typed
				       : menu.edit;
}

static bool
erases(int32_t k)
{
	type("12");
	ui_menu_key(&menu, k);
	return strcmp(text(), "1") == 0;
}

/* How far the cursor goes, or the page. */
static long
goes(int32_t k)
{
	bool page = reading();
	size_t before = page ? menu.page.top : menu.list.cursor, after;

	ui_menu_key(&menu, k);
	after = page ? menu.page.top : menu.list.cursor;
	return (long)after - (long)before;
}

static bool
up(int32_t k)
{
	return goes(k) == -1;
}

static bool
down(int32_t k)
{
	return goes(k) == 1;
}

static bool
page_up(int32_t k)
{
	return goes(k) == -5;
}

static bool
page_down(int32_t k)
{
	return goes(k) == 16;
}

static bool
first(int32_t k)
{
	return goes(k) == -5;
}

static bool
last(int32_t k)
{
	return goes(k) == (reading() ? 50 - 16 - 5 : 29 - 5);
}

static bool
left(int32_t k)
{
	menu.page.left = 12;
	ui_menu_key(&menu, k);
	return menu.page.left == 4;
}

static bool
right(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.page.left == 8;
}

static bool
filters(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.where == UI_FILTER;
}

static bool
types(int32_t k)
{
	(void)k;
	type("c-1 ~");
	return strcmp(text(), "c-1 ~") == 0;
}

static bool
keeps(int32_t k)
{
	type("c-1");
	ui_menu_key(&menu, k);
	return menu.where == UI_LIST && strcmp(menu.list.filter, "c-1") == 0 && menu.list.n == 11;
}

static bool
shows_all(int32_t k)
{
	if (menu.where == UI_LIST)
		type("/c-1\t");
	else
		type("c-1");
	assert_int_equal(menu.list.n, 11);
	return (ui_menu_key(&menu, k) & UI_EVERYTHING) != 0 && menu.where == UI_LIST &&
	    menu.list.n == 30;
}

static bool
kills(int32_t k)
{
	enum ui_where where = menu.where;

	type("one two");
	ui_menu_key(&menu, k);
	return text()[0] == '\0' && menu.where == where;
}

static bool
drops_word(int32_t k)
{
	type("one two ");
	ui_menu_key(&menu, k);
	return strcmp(text(), "one ") == 0;
}

static bool
sorts(int32_t k)
{
	enum ui_sort was = menu.list.sort;

	ui_menu_key(&menu, k);
	return menu.list.sort == was + 1;
}

static bool
relists(int32_t k)
{
	return (ui_menu_key(&menu, k) & UI_RELIST) != 0;
}

/* That is wanted of the container under the cursor. */
static bool
wants(int32_t k, enum ui_effect effect)
{
	return (ui_menu_key(&menu, k) & effect) != 0 &&
	    menu.chosen == ui_list_current(&menu.list)->ref && menu.name[0] == 'c';
}

static bool
details(int32_t k)
{
	return wants(k, UI_SHOW_DETAILS);
}

static bool
logs(int32_t k)
{
	return wants(k, UI_SHOW_LOGS);
}

static bool
lines(int32_t k)
{
	return wants(k, UI_SHOW_LINES);
}

static bool
asks(int32_t k)
{
	return wants(k, UI_DRAW) && menu.where == UI_ASK && menu.asking == ASK_USER;
}

static bool
power(int32_t k, enum power what)
{
	return wants(k, UI_DRAW) && menu.where == UI_CONFIRM && menu.power == what;
}

static bool
starts(int32_t k)
{
	return power(k, POWER_START);
}

static bool
stops(int32_t k)
{
	return power(k, POWER_STOP);
}

static bool
restarts(int32_t k)
{
	return power(k, POWER_RESTART);
}

static bool
agrees(int32_t k)
{
	return (ui_menu_key(&menu, k) & UI_DO_POWER) != 0 && menu.where == UI_LIST;
}

static bool
refuses(int32_t k)
{
	return ui_menu_key(&menu, k) == UI_DRAW && menu.where == UI_LIST;
}

static bool
news(int32_t k)
{
	return (ui_menu_key(&menu, k) & UI_SHOW_NEWS) != 0;
}

static bool
sessions(int32_t k)
{
	return (ui_menu_key(&menu, k) & UI_SHOW_WHO) != 0;
}

/* A question below the page; no answer leads back to it. */
static bool
plays(int32_t k, enum ui_question what)
{
	ui_menu_key(&menu, k);
	if (menu.where != UI_ASK || menu.asking != what || !ui_menu_reading(&menu))
		return false;
	ui_menu_key(&menu, K_ESC);
	if (menu.where != UI_WHO)
		return false;
	ui_menu_key(&menu, k);
	return (type("12 2\r") & UI_PLAY) != 0 && menu.where == UI_WHO && menu.asking == what &&
	    strcmp(menu.answer[what], "12 2") == 0;
}

static bool
watches(int32_t k)
{
	return plays(k, ASK_WATCH);
}

static bool
replays(int32_t k)
{
	return plays(k, ASK_REPLAY);
}

static bool
helps(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.where == UI_PAGE && ui_page_lines(&menu.page) > 20;
}

static bool
follows(int32_t k)
{
	ui_menu_key(&menu, k);
	if (!menu.page.follow || menu.page.top != 50 - 16)
		return false;
	ui_menu_key(&menu, k);
	return !menu.page.follow;
}

static bool
searches(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.where == UI_SEARCH && menu.edit[0] == '\0';
}

static bool
next(int32_t k)
{
	type("/LINE 1\r");
	assert_int_equal(menu.page.found, 10);
	ui_menu_key(&menu, k);
	return menu.page.found == 11;
}

static bool
previous(int32_t k)
{
	type("/line 1\r");
	ui_menu_key(&menu, k);
	return menu.page.found == 1;
}

static bool
accepts(int32_t k)
{
	enum ui_where was = menu.where;

	type("line 7");
	ui_menu_key(&menu, k);
	return was == UI_SEARCH ? menu.where == UI_PAGE && menu.page.found == 7
				: menu.asking == ASK_SHELL &&
		strcmp(menu.answer[ASK_USER], "line 7") == 0 && menu.edit[0] == '\0';
}

static bool
cancels(int32_t k)
{
	enum ui_where was = menu.where;

	type("line 7");
	return ui_menu_key(&menu, k) == UI_DRAW &&
	    menu.where == (was == UI_SEARCH ? UI_PAGE : UI_LIST);
}

static bool
backs(int32_t k)
{
	return (ui_menu_key(&menu, k) & UI_CLOSE_PAGE) != 0 && menu.where == UI_LIST;
}

static bool
repaints(int32_t k)
{
	return (ui_menu_key(&menu, k) & UI_REPAINT) != 0;
}

static bool
leaves(int32_t k)
{
	return ui_menu_key(&menu, k) == UI_LEAVE;
}

static bool (*const effects[ACT_COUNT])(int32_t k) = {
	[ACT_CONNECT] = connects,
	[ACT_DIGIT] = digit,
	[ACT_ERASE] = erases,
	[ACT_UP] = up,
	[ACT_DOWN] = down,
	[ACT_PAGE_UP] = page_up,
	[ACT_PAGE_DOWN] = page_down,
	[ACT_FIRST] = first,
	[ACT_LAST] = last,
	[ACT_LEFT] = left,
	[ACT_RIGHT] = right,
	[ACT_FILTER] = filters,
	[ACT_TYPE] = types,
	[ACT_FILTER_KEEP] = keeps,
	[ACT_FILTER_DROP] = shows_all,
	[ACT_KILL] = kills,
	[ACT_WORD] = drops_word,
	[ACT_ALL] = shows_all,
	[ACT_SORT] = sorts,
	[ACT_AGAIN] = relists,
	[ACT_DETAILS] = details,
	[ACT_LOGS] = logs,
	[ACT_LINES] = lines,
	[ACT_AS] = asks,
	[ACT_START] = starts,
	[ACT_STOP] = stops,
	[ACT_RESTART] = restarts,
	[ACT_NEWS] = news,
	[ACT_WHO] = sessions,
	[ACT_WATCH] = watches,
	[ACT_REPLAY] = replays,
	[ACT_HELP] = helps,
	[ACT_FOLLOW] = follows,
	[ACT_SEARCH] = searches,
	[ACT_NEXT] = next,
	[ACT_PREVIOUS] = previous,
	[ACT_ACCEPT] = accepts,
	[ACT_CANCEL] = cancels,
	[ACT_YES] = agrees,
	[ACT_NO] = refuses,
	[ACT_BACK] = backs,
	[ACT_REDRAW] = repaints,
	[ACT_LEAVE] = leaves,
};

static void
test_every_key(void **state)
{
	const struct ui_key *k;
	char label[UI_LABEL];
	unsigned tried = 0;

	for (size_t i = 0; (k = ui_keys_row(i)) != NULL; i++) {
		for (unsigned where = 1; where < UI_WHERES; where *= 2) {
			for (unsigned n = 0; n < UI_KEY_MAX && k->key[n] != 0; n++) {
				if ((k->where & where) == 0 ||
				    (k->key[n] != ANY_TEXT && ui_keys_find(where, k->key[n]) != k))
					continue;
				end(state);
				begin(state);
				be(where);
				ui_keys_label(k, where, true, label);
				if (!effects[k->action](k->key[n]))
					fail_msg("row %zu (%s), key %u: no effect", i, label, n);
				tried++;
			}
		}
	}
	assert_true(tried > 50);
}

/* No key means two things, and a row that is good somewhere says so there. */
static void
test_the_table(void **state)
{
	const struct ui_key *k;
	char label[UI_LABEL], help[128];

	(void)state;
	for (size_t i = 0; (k = ui_keys_row(i)) != NULL; i++) {
		for (unsigned where = 1; where < UI_WHERES; where *= 2) {
			if ((k->where & where) == 0)
				continue;
			assert_string_not_equal(ui_keys_label(k, where, true, label), "");
			words(help, sizeof(help), k->help, NULL, NULL, NULL);
			assert_true(strlen(help) > 3);
			for (unsigned n = 0; n < UI_KEY_MAX && k->key[n] > 0; n++) {
				const struct ui_key *found = ui_keys_find(where, k->key[n]);

				if (found != k && found->key[0] != ANY_TEXT)
					fail_msg("row %zu (%s) is hidden by another", i, label);
			}
		}
	}
	assert_null(ui_keys_find(UI_LIST, CTRL_KEY('Z')));
	assert_null(ui_keys_find(UI_LIST, K_OTHER));
}

/* What is not allowed is neither offered nor done. */
static void
test_permissions(void **state)
{
	struct ui_entry e = ui_row(105, "c-5", "two");
	char all[16384], some[16384];

	(void)state;
	e.perms = PERM_EXEC;
	memset(all, 0, sizeof(all));
	memset(some, 0, sizeof(some));
	type("?");
	memcpy(all, buf_ptr(&menu.page.text), buf_len(&menu.page.text));
	type("q");
	ui_model_add(&model, &e);
	ui_menu_update(&menu);
	assert_int_equal(ui_list_current(&menu.list)->ref, 105);
	for (const char *key = "luSTR"; *key != '\0'; key++) {
		assert_int_equal(ui_menu_key(&menu, *key), UI_DRAW);
		assert_int_equal(menu.where, UI_LIST);
		assert_non_null(strstr(menu.status, "may not"));
	}
	assert_true(type("i") & UI_SHOW_DETAILS);
	assert_true(type("j") & UI_DRAW);
	assert_true(type("l") & UI_SHOW_LOGS);
	type("k?");
	memcpy(some, buf_ptr(&menu.page.text), buf_len(&menu.page.text));
	assert_true(strlen(some) < strlen(all));
	assert_null(strstr(some, "stop it"));
	assert_non_null(strstr(all, "stop it"));
}

/* Every row that is good while the list, a filter or logs are looked at is in the help. */
static void
test_help_has_every_row(void **state)
{
	const struct ui_key *k;
	char help[16384], what[128];

	(void)state;
	memset(help, 0, sizeof(help));
	type("?");
	memcpy(help, buf_ptr(&menu.page.text), buf_len(&menu.page.text));
	for (size_t i = 0; (k = ui_keys_row(i)) != NULL; i++)
		if ((k->where & (UI_LIST | UI_FILTER | UI_LOGS | UI_WHO)) != 0)
			assert_non_null(
			    strstr(help, words(what, sizeof(what), k->help, NULL, NULL, NULL)));
}

/* An empty answer is one, too. */
static void
test_another_user(void **state)
{
	(void)state;
	type("uroot\r");
	assert_int_equal(menu.asking, ASK_SHELL);
	assert_true(type("\r") & UI_CONNECT);
	assert_string_equal(menu.answer[ASK_USER], "root");
	assert_string_equal(menu.answer[ASK_SHELL], "");
	type("\r"); /* the next one is as usual again */
	assert_string_equal(menu.answer[ASK_USER], "");
	type("u");
	assert_int_equal(ui_menu_key(&menu, CTRL_KEY('C')), UI_DRAW);
	assert_int_equal(menu.where, UI_LIST);
	/* No more than the broker takes. */
	type("u");
	for (int i = 0; i < 2 * MAX_SHELL; i++)
		type("x");
	type("\r");
	for (int i = 0; i < 2 * MAX_SHELL; i++)
		type("y");
	type("\r");
	assert_int_equal(strlen(menu.answer[ASK_USER]), MAX_RUN_AS);
	assert_in_range(strlen(menu.answer[ASK_SHELL]), MAX_RUN_AS + 1, MAX_SHELL);
}

static void
test_a_number_and_an_action(void **state)
{
	(void)state;
	type("12");
	assert_true(type("i") & UI_SHOW_DETAILS);
	assert_int_equal(menu.chosen, 111);
	assert_string_equal(menu.typed, "");
}

/* ---- numbers, filter, status ------------------------------------------------------------ */

static void
test_numbers(void **state)
{
	(void)state;
	type("12");
	assert_string_equal(ui_list_current(&menu.list)->name, "c-11"); /* shown as it is typed */
	assert_true(type("\r") & UI_CONNECT);
	assert_int_equal(menu.chosen, 111);
	assert_string_equal(menu.typed, "");
	type("77");
	assert_false(type("\r") & UI_CONNECT);
	assert_non_null(strstr(menu.status, "77"));
	type("j");
	assert_string_equal(menu.status, "");
	type("3");
	type("j"); /* another key: the number is forgotten */
	assert_string_equal(menu.typed, "");
	for (int i = 0; i < 20; i++)
		type("9");
	assert_int_equal(strlen(menu.typed), UI_NUMBER_MAX);
	type("\r0\r");
	assert_non_null(strstr(menu.status, "0"));
}

/* The numbers stay, whatever is shown. */
static void
test_a_number_that_is_filtered_away(void **state)
{
	(void)state;
	type("/c-1\t");
	assert_int_equal(menu.list.n, 11);
	type("30");
	assert_true(type("\r") & UI_CONNECT);
	assert_int_equal(menu.chosen, 129);
	assert_int_equal(menu.list.n, 11);
}

/* What may be done is judged by the container that is meant, wherever the cursor is. */
static void
test_a_number_and_what_is_allowed(void **state)
{
	struct ui_entry e = ui_row(129, "c-29", "two");

	(void)state;
	e.perms = PERM_SHELL;
	ui_model_add(&model, &e);
	ui_menu_update(&menu);
	type("/c-1\t30");
	assert_false(type("l") & UI_SHOW_LOGS);
	assert_non_null(strstr(menu.status, "c-29"));
	e = ui_row(129, "c-29", "two");
	ui_model_add(&model, &e);
	e = ui_row(101, "c-1", "two");
	e.perms = PERM_SHELL;
	ui_model_add(&model, &e);
	ui_menu_update(&menu);
	ui_list_find(&menu.list, 101);
	type("30");
	assert_true(type("l") & UI_SHOW_LOGS);
	assert_int_equal(menu.chosen, 129);
}

/* The one used last comes first at once. */
static void
test_used_last(void **state)
{
	(void)state;
	type("G");
	ui_model_used(&model, 129, NOW);
	ui_menu_update(&menu);
	assert_int_equal(ui_list_row(&menu.list, 0)->ref, 129);
	assert_int_equal(ui_list_current(&menu.list)->ref, 129);
	ui_model_used(&model, 4711, NOW); /* of another list */
}

static void
test_nothing_to_connect_to(void **state)
{
	(void)state;
	type("/no such thing");
	assert_int_equal(type("\r") & UI_CONNECT, 0);
	assert_int_equal(menu.list.n, 0);
	ui_menu_key(&menu, K_ESC);
	assert_int_equal(menu.list.n, 30);
}

static void
test_filter_is_bounded(void **state)
{
	(void)state;
	type("/");
	for (int i = 0; i < 1000; i++)
		ui_menu_key(&menu, 0x5bb9);
	assert_int_equal(strlen(menu.list.filter), UI_FILTER_MAX / 3 * 3);
	for (int i = 0; i < 42; i++)
		ui_menu_key(&menu, K_BACKSPACE);
	assert_string_equal(menu.list.filter, "");
}

static void
test_scrolling(void **state)
{
	(void)state;
	ui_menu_key(&menu, K_END);
	assert_int_equal(menu.top, 14);
	ui_menu_key(&menu, K_UP);
	assert_int_equal(menu.top, 14);
	ui_menu_key(&menu, K_HOME);
	assert_int_equal(menu.top, 0);
	ui_menu_key(&menu, K_END);
	ui_menu_resize(&menu, 80, 40);
	assert_int_equal(menu.top, 0);
	ui_menu_resize(&menu, 80, 9);
	assert_int_equal(menu.top, 25);
	ui_menu_resize(&menu, 10, 2);
	ui_menu_key(&menu, K_PGDN);
	ui_menu_resize(&menu, 80, 20);
	assert_int_equal(menu.list.cursor, 29);
}

/* After a shell: the same order and filter, over what there is by then. */
static void
test_reopening(void **state)
{
	struct ui_entry e = ui_row(129, "c-29", "two");

	(void)state;
	type("/c-2\tG");
	assert_string_equal(ui_list_current(&menu.list)->name, "c-29");
	ui_menu_release(&menu);
	e.used = NOW;
	ui_model_add(&model, &e);
	ui_model_gone(&model, 120);
	ui_menu_reopen(&menu);
	assert_string_equal(menu.list.filter, "c-2");
	assert_string_equal(ui_list_row(&menu.list, 0)->name, "c-29");
	assert_string_equal(ui_list_current(&menu.list)->name, "c-29");
	assert_int_equal(menu.list.n, 10);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_every_key),
		TEST(test_the_table),
		TEST(test_permissions),
		TEST(test_help_has_every_row),
		TEST(test_another_user),
		TEST(test_a_number_and_an_action),
		TEST(test_numbers),
		TEST(test_a_number_that_is_filtered_away),
		TEST(test_a_number_and_what_is_allowed),
		TEST(test_used_last),
		TEST(test_nothing_to_connect_to),
		TEST(test_filter_is_bounded),
		TEST(test_scrolling),
		TEST(test_reopening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
