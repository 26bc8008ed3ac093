/*
 * A page: its lines, whatever the pieces; its limit; moving and searching.
 */
#include "../../src/session/ui_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ui_page page;

static int
begin(void **state)
{
	(void)state;
	ui_page_init(&page);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ui_page_release(&page);
	return 0;
}

static void
add(const char *text)
{
	ui_page_add(&page, text, strlen(text));
}

static void
add_lines(unsigned from, unsigned to)
{
	char line[32];

	for (; from < to; from++) {
		snprintf(line, sizeof(line), "line %u\n", from);
		add(line);
	}
}

static const char *
line(size_t i)
{
	static char text[PAGE_SHOWN];

	return ui_page_line(&page, i, text);
}

static void
test_lines(void **state)
{
	(void)state;
	assert_int_equal(ui_page_lines(&page), 0);
	assert_string_equal(line(0), "");
	add("one\ntw");
	assert_int_equal(ui_page_lines(&page), 2);
	assert_string_equal(line(1), "tw");
	add("o\n\n");
	assert_int_equal(ui_page_lines(&page), 3);
	assert_string_equal(line(0), "one");
	assert_string_equal(line(1), "two");
	assert_string_equal(line(2), "");
	assert_string_equal(line(3), "");
	ui_page_clear(&page);
	assert_int_equal(ui_page_lines(&page), 0);
}

static void
test_columns(void **state)
{
	(void)state;
	add("a\tb\xe5\xae\xb9\tc\n");
	assert_string_equal(line(0), "a       b\xe5\xae\xb9     c");
	ui_page_sideways(&page, 4);
	assert_string_equal(line(0), "    b\xe5\xae\xb9     c");
	ui_page_sideways(&page, 6); /* through the wide one */
	assert_string_equal(line(0), "     c");
	ui_page_sideways(&page, -99);
	assert_string_equal(line(0), "a       b\xe5\xae\xb9     c");
	ui_page_sideways(&page, 4000);
	assert_string_equal(line(0), "");
}

static void
test_moving(void **state)
{
	(void)state;
	ui_page_move(&page, 5, 10);
	assert_int_equal(page.top, 0);
	add_lines(0, 30);
	ui_page_move(&page, 5, 10);
	assert_int_equal(page.top, 5);
	ui_page_move(&page, 1 << 30, 10);
	assert_int_equal(page.top, 20);
	ui_page_move(&page, 0, 25); /* the screen has grown */
	assert_int_equal(page.top, 5);
	ui_page_move(&page, -(1 << 30), 10);
	assert_int_equal(page.top, 0);
}

static void
test_searching(void **state)
{
	(void)state;
	assert_false(ui_page_search(&page, true, 10));
	add_lines(0, 30);
	strcpy(page.needle, "LINE 2");
	assert_true(ui_page_search(&page, true, 10));
	assert_int_equal(page.found, 2);
	assert_int_equal(page.top, 0);
	assert_true(ui_page_search(&page, true, 10));
	assert_int_equal(page.found, 20);
	assert_int_equal(page.top, 20);
	assert_true(ui_page_search(&page, false, 10));
	assert_int_equal(page.found, 2);
	assert_true(ui_page_search(&page, false, 10)); /* around */
	assert_int_equal(page.found, 29);
	strcpy(page.needle, "nothing");
	assert_false(ui_page_search(&page, true, 10));
	strcpy(page.needle, "");
	assert_false(ui_page_search(&page, true, 10));
}

/* From the top of what is seen, which may have it itself. */
static void
test_searching_begins_where_one_looks(void **state)
{
	(void)state;
	add_lines(0, 30);
	ui_page_move(&page, 12, 10);
	strcpy(page.needle, "line");
	assert_true(ui_page_search(&page, true, 10));
	assert_int_equal(page.found, 12);
}

static void
test_the_oldest_goes(void **state)
{
	char big[3000];

	(void)state;
	memset(big, 'x', sizeof(big));
	for (unsigned i = 0; i < 2000; i++) {
		char head[32];

		snprintf(head, sizeof(head), "%u ", i);
		add(head);
		ui_page_add(&page, big, i % sizeof(big));
		add("\n");
		assert_true(buf_len(&page.text) <= PAGE_BYTES);
	}
	assert_int_equal(strncmp(line(ui_page_lines(&page) - 1), "1999 ", 5), 0);
	assert_int_equal(strncmp(line(0), "0 ", 2) == 0, 0);
	for (size_t i = 1; i < ui_page_lines(&page); i++) {
		unsigned a, b;

		sscanf(line(i - 1), "%u", &a);
		sscanf(line(i), "%u", &b);
		assert_int_equal(b, a + 1);
	}
}

/* What is looked at stays, while it is there. */
static void
test_the_top_moves_with_what_goes(void **state)
{
	char kept[PAGE_SHOWN];

	(void)state;
	add_lines(0, 100000);
	ui_page_move(&page, (long)ui_page_lines(&page) - 100, 10);
	strcpy(kept, line(page.top));
	add_lines(100000, 130000);
	assert_string_equal(line(page.top), kept);
}

static void
test_a_line_without_an_end(void **state)
{
	static char big[PAGE_BYTES / 2];

	(void)state;
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 5; i++)
		ui_page_add(&page, big, sizeof(big));
	assert_true(buf_len(&page.text) <= PAGE_BYTES);
	assert_true(strlen(line(0)) < PAGE_SHOWN);
	add("\nend\n");
	assert_string_equal(line(ui_page_lines(&page) - 1), "end");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_columns),
		TEST(test_moving),
		TEST(test_searching),
		TEST(test_searching_begins_where_one_looks),
		TEST(test_the_oldest_goes),
		TEST(test_the_top_moves_with_what_goes),
		TEST(test_a_line_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
