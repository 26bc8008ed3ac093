/*
 * What a menu shows: order, filter, and the cursor that follows its container.
 */
#include "../../src/session/ui_list.h"

#include "ui_fixture.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct ui_model model;
static struct ui_list list;

static int
begin(void **state)
{
	(void)state;
	ui_model_init(&model);
	ui_list_init(&list, &model);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ui_list_release(&list);
	ui_model_release(&model);
	return 0;
}

static void
add(uint64_t ref, const char *name, uint64_t used)
{
	struct ui_entry e = ui_row(ref, name, "one");

	e.used = used;
	ui_model_add(&model, &e);
}

/* The names of the rows, with a blank between, and the cursor's in brackets. */
static const char *
rows(void)
{
	static char text[1024];
	const struct ui_entry *e;

	text[0] = '\0';
	for (size_t i = 0; (e = ui_list_row(&list, i)) != NULL; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    i == list.cursor ? "[%s] " : "%s ", e->name);
	return text;
}

static void
test_recent_first_then_by_name(void **state)
{
	(void)state;
	add(1, "web-10", 0);
	add(2, "web-9", 0);
	add(3, "db", 50);
	add(4, "zoo", 70);
	ui_list_update(&list);
	assert_string_equal(rows(), "[zoo] db web-9 web-10 ");
	ui_list_sort(&list, SORT_NAME);
	assert_string_equal(rows(), "[db] web-9 web-10 zoo ");
}

static void
test_other_orders(void **state)
{
	struct ui_entry a = ui_row(1, "a", "two"), b = ui_row(2, "b", "one"),
			c = ui_row(3, "c", "one");

	(void)state;
	a.started = 10;
	b.state = "exited";
	b.started = 20;
	b.finished = 90;
	c.started = 30;
	ui_model_add(&model, &a);
	ui_model_add(&model, &b);
	ui_model_add(&model, &c);
	ui_list_sort(&list, SORT_NODE);
	assert_string_equal(rows(), "[b] c a ");
	ui_list_sort(&list, SORT_STATE);
	assert_string_equal(rows(), "[b] a c ");
	ui_list_sort(&list, SORT_AGE);
	assert_string_equal(rows(), "[b] c a ");
}

static void
test_cursor_follows_its_container(void **state)
{
	(void)state;
	add(1, "b", 0);
	add(2, "d", 0);
	add(3, "f", 0);
	ui_list_update(&list);
	ui_list_move(&list, 1);
	assert_string_equal(rows(), "b [d] f ");
	add(4, "a", 0);
	add(5, "c", 0);
	ui_list_update(&list);
	assert_string_equal(rows(), "a b c [d] f ");
	add(2, "z", 0); /* renamed */
	ui_list_update(&list);
	assert_string_equal(rows(), "a b c f [z] ");
	ui_list_sort(&list, SORT_AGE);
	assert_string_equal(rows(), "a b c f [z] ");
	ui_list_go(&list, 1);
	ui_model_gone(&model, 1);
	ui_list_update(&list);
	assert_string_equal(rows(), "a [c] f z "); /* its row, when it has gone */
	ui_list_go(&list, 99);
	ui_model_gone(&model, 2);
	ui_list_update(&list);
	assert_string_equal(rows(), "a c [f] ");
	ui_list_move(&list, -99);
	assert_string_equal(rows(), "[a] c f ");
}

/* Until somebody moves the cursor it is on the container used last, whatever comes later. */
/* Made anew, at once or a moment later; unless the user has gone elsewhere meanwhile. */
static void
test_cursor_follows_its_name(void **state)
{
	struct ui_entry elsewhere = ui_row(8, "b", "two");

	(void)state;
	add(1, "a", 0);
	add(2, "b", 0);
	add(3, "c", 0);
	ui_list_update(&list);
	ui_list_go(&list, 1);
	ui_model_gone(&model, 2);
	add(4, "b", 0);
	ui_list_update(&list);
	assert_string_equal(rows(), "a [b] c ");
	assert_int_equal(list.at, 4);
	ui_model_gone(&model, 4);
	ui_list_update(&list);
	assert_string_equal(rows(), "a [c] ");
	ui_model_add(&model, &elsewhere);
	ui_list_update(&list);
	assert_string_equal(rows(), "a b [c] ");
	add(5, "b", 0);
	add(6, "0", 0);
	ui_list_update(&list);
	assert_int_equal(list.at, 5);
	ui_model_gone(&model, 5);
	ui_list_update(&list);
	ui_list_move(&list, -1);
	add(7, "b", 0);
	ui_list_update(&list);
	assert_int_not_equal(list.at, 7);
}

static void
test_the_last_used_is_preselected(void **state)
{
	(void)state;
	add(1, "a", 0);
	ui_list_update(&list);
	add(2, "b", 5);
	ui_list_update(&list);
	assert_string_equal(rows(), "[b] a ");
	add(3, "c", 6);
	ui_list_update(&list);
	assert_string_equal(rows(), "[c] b a ");
}

static void
test_filter(void **state)
{
	struct ui_entry e = ui_row(9, "plain", "far-node");

	(void)state;
	add(1, "Web-Front", 0);
	add(2, "web-back", 0);
	add(3, "db.main", 0);
	e.id = "feedface0000";
	e.image = "registry.example.org/team/app:2";
	e.labels = "{\"tier\":\"gold\",\"say\":\"a \\\"quoted\\\" word\"}";
	e.owner = "zoe";
	e.region = "eu-west";
	e.service = "shop/cart";
	ui_model_add(&model, &e);
	ui_list_update(&list);
	ui_list_filter(&list, "WEB");
	assert_string_equal(rows(), "[Web-Front] web-back ");
	ui_list_filter(&list, "  web   back ");
	assert_string_equal(rows(), "[web-back] ");
	ui_list_filter(&list, "d.*");
	assert_string_equal(rows(), "");
	assert_null(ui_list_current(&list));
	ui_list_filter(&list, "db.");
	assert_string_equal(rows(), "[db.main] ");
	for (const char *const *w = (const char *const[]){ "feedface", "team/app", "far-node",
		 "tier=gold", "say=a", "\"quoted\"", "ZOE", "eu-w", "shop/cart", NULL };
	     *w != NULL; w++) {
		ui_list_filter(&list, *w);
		assert_string_equal(rows(), "[plain] ");
	}
	ui_list_filter(&list, "plainfeed"); /* no word spans two fields */
	assert_string_equal(rows(), "");
	ui_list_filter(&list, "");
	assert_int_equal(list.n, 4);
}

static void
test_filter_knows_letters(void **state)
{
	(void)state;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	add(1, "\xc3\x84pfel", 0);
	add(2, "\xe5\xae\xb9\xe5\x99\xa8", 0);
	ui_list_update(&list);
	ui_list_filter(&list, "\xc3\xa4PFEL");
	assert_string_equal(rows(), "[\xc3\x84pfel] ");
	ui_list_filter(&list, "\xe5\x99\xa8");
	assert_string_equal(rows(), "[\xe5\xae\xb9\xe5\x99\xa8] ");
}

static void
test_cursor_and_filter(void **state)
{
	(void)state;
	add(1, "aa", 0);
	add(2, "ab", 0);
	add(3, "bb", 0);
	ui_list_update(&list);
	ui_list_go(&list, 2);
	ui_list_filter(&list, "b");
	assert_string_equal(rows(), "ab [bb] ");
	ui_list_filter(&list, "a"); /* not among them: the first */
	assert_string_equal(rows(), "[aa] ab ");
	add(4, "a0", 0);
	ui_list_update(&list);
	assert_string_equal(rows(), "a0 [aa] ab ");
	assert_false(ui_list_find(&list, 3));
	assert_true(ui_list_find(&list, 2));
	assert_string_equal(rows(), "a0 aa [ab] ");
}

static void
test_candidates(void **state)
{
	char a[] = "one+b";
	char *const some[] = { a };

	(void)state;
	add(1, "a", 0);
	add(2, "b", 0);
	ui_model_filter(&model, some, 1);
	ui_list_update(&list);
	assert_string_equal(rows(), "[b] ");
	add(3, "c", 0); /* what comes later is no candidate */
	ui_model_filter(&model, some, 1);
	ui_list_update(&list);
	assert_string_equal(rows(), "[b] ");
	ui_model_filter(&model, NULL, 0);
	ui_list_refilter(&list);
	assert_int_equal(list.n, 3);
}

/* Merging what changed gives the order that sorting all of it gives. */
static void
test_changes_are_as_good_as_a_new_list(void **state)
{
	struct ui_list fresh;
	char name[32];

	(void)state;
	srandom(7);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 10; i++) {
			uint64_t ref = 1 + (uint64_t)random() % 150;

			if (random() % 4 == 0) {
				ui_model_gone(&model, ref);
				continue;
			}
			snprintf(name, sizeof(name), "n%ld", random() % 40);
			add(ref, name, (uint64_t)random() % 3);
		}
		ui_list_update(&list);
		ui_list_init(&fresh, &model);
		ui_list_reopen(&fresh);
		ui_list_update(&fresh);
		assert_int_equal(list.n, fresh.n);
		assert_memory_equal(list.row, fresh.row, fresh.n * sizeof(fresh.row[0]));
		ui_list_release(&fresh);
	}
	assert_true(list.n > 50);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A key has 50 ms to be on the screen; of that this may take a part, on any machine. */
static void
test_ten_thousand(void **state)
{
	double start;

	(void)state;
	ui_rows_add(&model, 10000);
	ui_list_update(&list);
	assert_int_equal(list.n, 10000);
	ui_list_go(&list, 9999);
	start = seconds();
	for (const char *const *w =
		 (const char *const[]){ "c", "c-", "c-9", "c-99", "c-999", "c-9999", "", NULL };
	     *w != NULL; w++)
		ui_list_filter(&list, *w);
	assert_true(seconds() - start < 7 * 0.05);
	assert_int_equal(list.n, 10000);
	add(100, "c-0", 9);
	start = seconds();
	ui_list_update(&list);
	assert_true(seconds() - start < 0.05);
	assert_int_equal(ui_list_row(&list, 0)->ref, 100);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_recent_first_then_by_name),
		TEST(test_other_orders),
		TEST(test_cursor_follows_its_container),
		TEST(test_cursor_follows_its_name),
		TEST(test_the_last_used_is_preselected),
		TEST(test_filter),
		TEST(test_filter_knows_letters),
		TEST(test_cursor_and_filter),
		TEST(test_candidates),
		TEST(test_changes_are_as_good_as_a_new_list),
		TEST(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
