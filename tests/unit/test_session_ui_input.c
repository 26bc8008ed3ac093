/*
 * Keys out of bytes: what terminals send, in whatever pieces it arrives, and
 * what none of them sends.
 */
#include "../../src/session/ui_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 64 };

/* All keys of the bytes, and what is held at the end given up. */
static size_t
keys_of(const char *bytes, size_t len, int32_t key[static MANY])
{
	struct ui_input in = { 0 };
	int32_t one[INPUT_KEYS];
	size_t n = 0, k;

	for (size_t i = 0; i < len; i++) {
		k = ui_input_feed(&in, (uint8_t)bytes[i], one);
		assert_true(k <= INPUT_KEYS && n + k < MANY);
		memcpy(key + n, one, k * sizeof(one[0]));
		n += k;
	}
	if (ui_input_wait(&in) > 0)
		key[n++] = ui_input_give_up(&in);
	assert_int_equal(ui_input_wait(&in), 0);
	return n;
}

static const struct {
	const char *bytes;
	int32_t key[4];
} cases[] = {
	{ "a", { 'a' } }, { "\r", { K_ENTER } }, { "\n", { K_ENTER } }, { "\r\n", { K_ENTER } },
	{ "\r\r\n\n", { K_ENTER, K_ENTER, K_ENTER } }, { "\t", { K_TAB } },
	{ "\x7f\b", { K_BACKSPACE, K_BACKSPACE } }, { "\x03\x04\x0c\x1a", { 3, 4, 12, 26 } },
	{ "\033", { K_ESC } }, { "\033\033", { K_ESC, K_ESC } }, { "\033q", { K_ESC, 'q' } },
	{ "\033\r", { K_ESC, K_ENTER } },
	/* xterm, screen, tmux, linux, vt100, rxvt: normal and application mode */
	{ "\033[A\033[B\033[C\033[D", { K_UP, K_DOWN, K_RIGHT, K_LEFT } },
	{ "\033OA\033OB\033OC\033OD", { K_UP, K_DOWN, K_RIGHT, K_LEFT } },
	{ "\033[H\033[F", { K_HOME, K_END } }, { "\033OH\033OF", { K_HOME, K_END } },
	{ "\033[1~\033[4~", { K_HOME, K_END } }, { "\033[7~\033[8~", { K_HOME, K_END } },
	{ "\033[5~\033[6~", { K_PGUP, K_PGDN } }, { "\033[2~\033[3~", { K_INSERT, K_DELETE } },
	{ "\033[1;5A\033[1;2B", { K_UP, K_DOWN } }, { "\033[5;3~\033[6;5~", { K_PGUP, K_PGDN } },
	{ "\033OM\033Op\033Oy", { K_ENTER, '0', '9' } },
	/* what means nothing here */
	{ "\033[[Aa", { K_OTHER, 'a' } }, /* F1 of a linux console */
	{ "\033OPa", { K_OTHER, 'a' } }, { "\033[15~a", { K_OTHER, 'a' } },
	{ "\033[<0;10;20Ma", { K_OTHER, 'a' } }, /* a mouse */
	{ "\033[;A", { K_UP } }, { "\033[", { K_OTHER } }, { "\033O", { K_OTHER } },
	{ "\033[1\033[A", { K_OTHER, K_UP } }, { "\033[1\x03", { K_OTHER, 3 } },
	/* characters */
	{ "\xc3\xa9", { 0xe9 } }, { "\xe5\xae\xb9", { 0x5bb9 } },
	{ "\xf0\x9f\x90\xb3", { 0x1f433 } }, { "\xe5\xae", { K_OTHER } },
	{ "\xe5"
	  "a",
	    { 'a' } },
	{ "\xff"
	  "a",
	    { 'a' } },
	{ "\x80\x80"
	  "a",
	    { 'a' } },
	{ "\xed\xa0\x80"
	  "a",
	    { 'a' } }, /* a surrogate */
	{ "\xc2\x9b"
	  "a",
	    { 'a' } }, /* C1 */
	{ "\xe2\x80\xae"
	  "a",
	    { 'a' } }, /* bidi */
};

static void
test_cases(void **state)
{
	int32_t got[MANY];
	size_t n, want;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (want = 0; want < 4 && cases[i].key[want] != 0; want++)
			continue;
		n = keys_of(cases[i].bytes, strlen(cases[i].bytes), got);
		if (n != want || memcmp(got, cases[i].key, n * sizeof(got[0])) != 0)
			fail_msg("case %zu: %zu keys, the first %#x", i, n, (unsigned)got[0]);
	}
}

static void
test_waiting(void **state)
{
	struct ui_input in = { 0 };
	int32_t key[INPUT_KEYS];

	(void)state;
	assert_int_equal(ui_input_wait(&in), 0);
	assert_int_equal(ui_input_feed(&in, 27, key), 0);
	assert_int_equal(ui_input_wait(&in), INPUT_ESC_MS);
	assert_int_equal(ui_input_feed(&in, '[', key), 0);
	assert_int_equal(ui_input_wait(&in), INPUT_MORE_MS);
	assert_int_equal(ui_input_feed(&in, 'A', key), 1);
	assert_int_equal(key[0], K_UP);
	assert_int_equal(ui_input_wait(&in), 0);
}

/* However long a sequence is: it ends, and the key after it is seen. */
static void
test_endless(void **state)
{
	struct ui_input in = { 0 };
	int32_t key[INPUT_KEYS];
	size_t n = 0;

	(void)state;
	ui_input_feed(&in, 27, key);
	ui_input_feed(&in, '[', key);
	for (int i = 0; i < 1000; i++)
		n += ui_input_feed(&in, '1', key);
	assert_true(n > 0);
	assert_int_equal(ui_input_feed(&in, 'q', key), 1);
	assert_int_equal(key[0], 'q');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
