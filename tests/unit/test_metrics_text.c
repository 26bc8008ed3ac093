/* Prometheus' text format: what a scraper would choke on. */
#include "../../src/metrics/text.h"

#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *written;
static size_t size;

static FILE *
begin(void)
{
	FILE *f = open_memstream(&written, &size);

	assert_non_null(f);
	return f;
}

static void
said(FILE *f, const char *expected)
{
	assert_int_equal(fclose(f), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void
a_head_is_two_lines(void **state)
{
	FILE *f = begin();

	(void)state;
	text_head(f, "x_total", "counter", "A \\ and\na \"quote\".");
	said(f, "# HELP x_total A \\\\ and\\na \"quote\".\n# TYPE x_total counter\n");
}

static void
labels_that_are_not_used_are_left_out(void **state)
{
	static const struct label none[TEXT_LABELS],
	    last[TEXT_LABELS] = { { NULL, "x" }, { NULL, NULL }, { "c", "3" } },
	    all[TEXT_LABELS] = { { "a", "1" }, { "b", "" }, { "c", "3" } };
	FILE *f = begin();

	(void)state;
	text_sample(f, "x", "", none, "0");
	text_sample(f, "x", "_sum", last, "1");
	text_sample(f, "x", "", all, "2");
	said(f, "x 0\nx_sum{c=\"3\"} 1\nx{a=\"1\",b=\"\",c=\"3\"} 2\n");
}

static void
a_value_cannot_end_its_line_or_its_quotes(void **state)
{
	static const struct label odd[TEXT_LABELS] = { { "a", "\"} 1\nx{a=\"" }, { "b", "\\" } };
	FILE *f = begin();

	(void)state;
	text_sample(f, "x", "", odd, "1");
	said(f, "x{a=\"\\\"} 1\\nx{a=\\\"\",b=\"\\\\\"} 1\n");
}

static void
numbers(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = { { 0, "0" }, { 1, "0.001" }, { 25, "0.025" }, { 100, "0.1" }, { 1000, "1" },
		{ 30000, "30" }, { 123456789012, "123456789.012" } };
	char dst[TEXT_NUMBER];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_seconds(dst, cases[i].ms), cases[i].text);
	assert_string_equal(text_number(dst, 0), "0");
	assert_string_equal(text_number(dst, INT64_MAX), "9223372036854775807");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_two_lines),
		cmocka_unit_test(labels_that_are_not_used_are_left_out),
		cmocka_unit_test(a_value_cannot_end_its_line_or_its_quotes),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
