/*
 * The menu's keys: the effect of every row of the table, and what holds of
 * the table as a whole.
 */
#include "../../src/session/ui_menu.h"

#include "../../src/session/ui_input.h"
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

static bool
erases(int32_t k)
{
	type(menu.where == UI_FILTER ? "ab" : "12");
	ui_menu_key(&menu, k);
	return menu.where == UI_FILTER ? strcmp(menu.list.filter, "a") == 0
				       : strcmp(menu.typed, "1") == 0;
}

/* How far the cursor goes, or the help. */
static long
goes(int32_t k)
{
	size_t before, after;

	if (menu.where == UI_HELP)
		ui_menu_key(&menu, 'j');
	before = menu.where == UI_HELP ? menu.help_top : menu.list.cursor;
	ui_menu_key(&menu, k);
	after = menu.where == UI_HELP ? menu.help_top : menu.list.cursor;
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
	return menu.where == UI_HELP ? goes(k) == -1 : goes(k) == -5;
}

static bool
page_down(int32_t k)
{
	return menu.where == UI_HELP ? goes(k) > 1 : goes(k) == 16;
}

static bool
first(int32_t k)
{
	goes(k);
	return menu.where == UI_HELP ? menu.help_top == 0 : menu.list.cursor == 0;
}

static bool
last(int32_t k)
{
	goes(k);
	return menu.where == UI_HELP ? menu.help_top == ui_help_lines() - 16
				     : menu.list.cursor == 29;
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
	return strcmp(menu.list.filter, "c-1 ~") == 0;
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
	type("one two");
	ui_menu_key(&menu, k);
	return menu.list.filter[0] == '\0' && menu.where == UI_FILTER;
}

static bool
drops_word(int32_t k)
{
	type("one two ");
	ui_menu_key(&menu, k);
	return strcmp(menu.list.filter, "one ") == 0;
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

static bool
helps(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.where == UI_HELP;
}

static bool
backs(int32_t k)
{
	ui_menu_key(&menu, k);
	return menu.where == UI_LIST;
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
	[ACT_FILTER] = filters,
	[ACT_TYPE] = types,
	[ACT_FILTER_KEEP] = keeps,
	[ACT_FILTER_DROP] = shows_all,
	[ACT_KILL] = kills,
	[ACT_WORD] = drops_word,
	[ACT_ALL] = shows_all,
	[ACT_SORT] = sorts,
	[ACT_AGAIN] = relists,
	[ACT_HELP] = helps,
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
		for (unsigned where = 1; where <= UI_HELP; where *= 2) {
			for (unsigned n = 0; n < UI_KEY_MAX && k->key[n] != 0; n++) {
				if ((k->where & where) == 0 ||
				    (k->key[n] != ANY_TEXT && ui_keys_find(where, k->key[n]) != k))
					continue;
				end(state);
				begin(state);
				menu.where = where;
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
	char label[UI_LABEL], text[128];

	(void)state;
	for (size_t i = 0; (k = ui_keys_row(i)) != NULL; i++) {
		for (unsigned where = 1; where <= UI_HELP; where *= 2) {
			if ((k->where & where) == 0)
				continue;
			assert_string_not_equal(ui_keys_label(k, where, true, label), "");
			words(text, sizeof(text), k->help, NULL, NULL, NULL);
			assert_true(strlen(text) > 3);
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

static void
test_help_has_every_row(void **state)
{
	struct ui_help h;
	const struct ui_key *k;
	bool seen;

	(void)state;
	for (size_t i = 0; (k = ui_keys_row(i)) != NULL; i++) {
		seen = (k->where & (UI_LIST | UI_FILTER)) == 0;
		for (size_t line = 0; ui_help_line(line, &h); line++)
			seen |= h.key == k;
		assert_true(seen);
	}
	assert_false(ui_help_line(ui_help_lines(), &h));
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
		TEST(test_help_has_every_row),
		TEST(test_numbers),
		TEST(test_a_number_that_is_filtered_away),
		TEST(test_nothing_to_connect_to),
		TEST(test_filter_is_bounded),
		TEST(test_scrolling),
		TEST(test_reopening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
