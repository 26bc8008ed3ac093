/*
 * Typing a line: on a terminal, and without one.
 */
#include "../../src/session/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct typing {
	struct line line;
	struct buf shown;
};

static void
begin(struct typing *t, bool terminal, bool echo)
{
	memset(t, 0, sizeof(*t));
	buf_init(&t->shown, 65536);
	line_init(&t->line, terminal, echo);
}

/* Types until an event; how many bytes that took is added to *used. */
static enum line_event
type(struct typing *t, const char *keys, size_t n, size_t *used)
{
	enum line_event event = LINE_MORE;
	size_t i = 0;

	while (i < n && event == LINE_MORE)
		event = line_feed(&t->line, (uint8_t)keys[i++], &t->shown);
	if (used != NULL)
		*used += i;
	return event;
}

static void
assert_line(const char *keys, const char *text)
{
	struct typing t;

	begin(&t, true, true);
	assert_int_equal(type(&t, keys, strlen(keys), NULL), LINE_DONE);
	assert_string_equal(t.line.text, text);
	buf_release(&t.shown);
}

static void
assert_shown(struct typing *t, const char *text)
{
	assert_int_equal(buf_len(&t->shown), strlen(text));
	assert_memory_equal(buf_ptr(&t->shown), text, strlen(text));
}

static void
test_plain(void **state)
{
	struct typing t;

	(void)state;
	begin(&t, true, true);
	assert_int_equal(type(&t, "web\r", 4, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "web");
	assert_shown(&t, "web\r\n");
	buf_release(&t.shown);
}

static void
test_editing(void **state)
{
	(void)state;
	assert_line("wea\177b\r", "web");
	assert_line("wea\bb\r", "web");
	assert_line("\177\177web\r", "web");
	assert_line("nonsense\025web\r", "web");
	assert_line("two words\027web\r", "two web");
	assert_line("two words  \027web\r", "two web");
	assert_line("\027web\r", "web");
	assert_line("w\001\005eb\r", "web");
	/* one erase takes a whole character */
	assert_line("x\xe5\xae\xb9\177web\r", "xweb");
	assert_line("\xe5\xae\xb9\177web\r", "web");
	assert_line("\xae\xae\177web\r", "web");
}

/* What was shown goes: a Chinese character takes two columns, a combining one none. */
static void
test_erasing_columns(void **state)
{
	static const struct {
		const char *keys, *shown;
	} rows[] = {
		{ "x\177\r", "x\b \b\r\n" },
		{ "容\177\r", "容\b \b\b \b\r\n" },
		{ "x容器\025\r", "x容器\b \b\b \b\b \b\b \b\b \b\r\n" },
		{ "节 容\027\r", "节 容\b \b\b \b\r\n" },
		{ "e\xcc\x81\177\r", "e\xcc\x81\r\n" },
	};
	struct typing t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&t, true, true);
		type(&t, rows[i].keys, strlen(rows[i].keys), NULL);
		assert_shown(&t, rows[i].shown);
		buf_release(&t.shown);
	}
}

static void
test_keys_with_escape_sequences_do_nothing(void **state)
{
	(void)state;
	assert_line("we\033[A\033OBb\033[3~\r", "web");
	assert_line("we\033[1;5Cb\r", "web");
	assert_line("we\033fb\r", "web");
	assert_line("web\033\r", "web");
	assert_line("web\033[\r", "web");
	assert_line("we\033\033[Db\r", "web");
}

static void
test_interrupt_and_end(void **state)
{
	struct typing t;

	(void)state;
	begin(&t, true, true);
	assert_int_equal(type(&t, "web\003", 4, NULL), LINE_INTERRUPT);
	assert_shown(&t, "web^C\r\n");
	line_init(&t.line, true, true);
	assert_int_equal(type(&t, "\004", 1, NULL), LINE_EOF);
	line_init(&t.line, true, true);
	assert_int_equal(type(&t, "w\004eb\r", 5, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "web");
	line_init(&t.line, true, true);
	assert_int_equal(type(&t, "\033[\003", 3, NULL), LINE_INTERRUPT);
	buf_release(&t.shown);
}

/* CR LF is one key, also when the two come apart; LF alone is one, too. */
static void
test_line_ends(void **state)
{
	struct typing t;
	size_t used = 0;

	(void)state;
	begin(&t, true, true);
	assert_int_equal(type(&t, "a\r\nb\r", 5, &used), LINE_DONE);
	assert_int_equal(used, 2);
	line_init(&t.line, true, true);
	assert_int_equal(type(&t, "\nb\r", 3, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "b");
	line_init(&t.line, true, true);
	assert_int_equal(type(&t, "c\n", 2, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "c");
	line_init(&t.line, true, true);
	assert_int_equal(type(&t, "\n", 1, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "");
	buf_release(&t.shown);
}

static void
test_a_secret_is_not_shown_and_is_wiped(void **state)
{
	static const char zero[LINE_MAX_BYTES + 1];
	struct typing t;

	(void)state;
	begin(&t, true, false);
	assert_int_equal(type(&t, "sec\177cret\r", 9, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "secret");
	assert_shown(&t, "\r\n");
	line_init(&t.line, true, true);
	assert_memory_equal(t.line.text, zero, sizeof(zero));
	buf_release(&t.shown);
}

static void
test_without_a_terminal(void **state)
{
	static const char odd[] = "a\003\004\177\033[A\rb\n";
	struct typing t;

	(void)state;
	begin(&t, false, true);
	assert_int_equal(type(&t, odd, strlen(odd), NULL), LINE_DONE);
	assert_string_equal(t.line.text, "a\003\004\177\033[A\rb");
	assert_shown(&t, "");
	line_init(&t.line, false, true);
	assert_int_equal(type(&t, "web\r\n", 5, NULL), LINE_DONE);
	assert_string_equal(t.line.text, "web");
	buf_release(&t.shown);
}

static void
test_too_long_is_cut(void **state)
{
	struct typing t;

	(void)state;
	begin(&t, true, true);
	for (int i = 0; i < 3 * LINE_MAX_BYTES; i++)
		assert_int_equal(type(&t, "x", 1, NULL), LINE_MORE);
	assert_int_equal(buf_len(&t.shown), LINE_MAX_BYTES);
	assert_int_equal(type(&t, "\r", 1, NULL), LINE_DONE);
	assert_int_equal(strlen(t.line.text), LINE_MAX_BYTES);
	buf_release(&t.shown);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_editing),
		cmocka_unit_test(test_erasing_columns),
		cmocka_unit_test(test_keys_with_escape_sequences_do_nothing),
		cmocka_unit_test(test_interrupt_and_end),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_a_secret_is_not_shown_and_is_wiped),
		cmocka_unit_test(test_without_a_terminal),
		cmocka_unit_test(test_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
