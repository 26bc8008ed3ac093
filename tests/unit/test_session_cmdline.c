/* Commands split into words, and words quoted. */
#include "../../src/session/cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text, *words; /* each in [] */
	const char *rest;	  /* NULL: none */
} good[] = {
	{ "", "", NULL },
	{ "  \t\n ", "", NULL },
	{ "ls", "[ls]", NULL },
	{ " ls   --json\tweb\n", "[ls][--json][web]", NULL },
	{ "show 'a b'", "[show][a b]", NULL },
	{ "show \"a b\"", "[show][a b]", NULL },
	{ "a'b'\"c\"d", "[abcd]", NULL },
	{ "'' \"\"", "[][]", NULL },
	{ "a\\ b \\' \\\\", "[a b]['][\\]", NULL },
	{ "'\\n'", "[\\n]", NULL },
	{ "\"\\\"\\\\\\n\"", "[\"\\\\n]", NULL },
	{ "\\", "[\\]", NULL },
	{ "$HOME * `id` ;", "[$HOME][*][`id`][;]", NULL },
	{ "exec x -- echo 'it", "[exec][x]", "echo 'it" },
	{ "exec x --  a -- b ", "[exec][x]", " a -- b " },
	{ "exec x --", "[exec][x]", "" },
	{ "-- x", "", "x" },
	{ "a --b -", "[a][--b][-]", NULL },
	{ "a '--' b", "[a][--][b]", NULL },
	{ "\xe4\xb8\xad \xff", "[\xe4\xb8\xad][\xff]", NULL },
};

static void
words_are_split_as_a_shell_would(void **state)
{
	char got[256];
	struct cmdline c;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(cmdline_split(&c, good[i].text));
		got[0] = '\0';
		for (size_t k = 0; k < c.n; k++) {
			strcat(got, "[");
			strcat(got, c.word[k]);
			strcat(got, "]");
		}
		assert_string_equal(got, good[i].words);
		assert_null(c.word[c.n]);
		if (good[i].rest == NULL)
			assert_null(c.rest);
		else
			assert_string_equal(c.rest, good[i].rest);
		cmdline_release(&c);
	}
}

static void
a_quote_needs_its_end(void **state)
{
	static const char *const bad[] = { "'", "\"", "a 'b", "a \"b\\\"", "a''\"" };
	struct cmdline c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(cmdline_split(&c, bad[i]));
		cmdline_release(&c);
	}
}

static void
there_are_only_so_many(void **state)
{
	char text[4 * CMDLINE_WORDS + 1] = "";
	struct cmdline c;

	(void)state;
	for (int i = 0; i < CMDLINE_WORDS; i++)
		strcat(text, "w ");
	assert_true(cmdline_split(&c, text));
	assert_int_equal(c.n, CMDLINE_WORDS);
	cmdline_release(&c);
	strcat(text, "w");
	assert_false(cmdline_split(&c, text));
	cmdline_release(&c);
}

static void
what_is_quoted_is_one_word_again(void **state)
{
	static const char *const texts[] = { "web", "", "a b", "it's", "''", "$x", "\\", "a\nb",
		"-x", "--" };
	char quoted[64];
	struct cmdline c;

	(void)state;
	assert_string_equal(cmdline_quote("web-1.node", quoted, sizeof(quoted)), "web-1.node");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cmdline_quote(texts[i], quoted, sizeof(quoted));
		assert_true(cmdline_split(&c, quoted));
		if (c.rest == NULL) /* a bare -- is nobody's name */
			assert_string_equal(c.word[0], texts[i]);
		cmdline_release(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_as_a_shell_would),
		cmocka_unit_test(a_quote_needs_its_end),
		cmocka_unit_test(there_are_only_so_many),
		cmocka_unit_test(what_is_quoted_is_one_word_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
