/*
 * Foreign text: what is escaped, how wide it is, how it is cut, and globs.
 */
#include "jumpbox/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
safe(const char *src, const char *want)
{
	char dst[256];

	assert_ptr_equal(text_safe(dst, sizeof dst, src), dst);
	assert_string_equal(dst, want);
}

static void
plain_text_stays(void **state)
{
	(void)state;
	safe("", "");
	safe("web-1_x.y (a/b:c) ~!\\\"'", "web-1_x.y (a/b:c) ~!\\\"'");
	safe("caf\xc3\xa9 \xe5\xae\xb9\xe5\x99\xa8 \xf0\x9f\x9a\x80 e\xcc\x81",
	    "caf\xc3\xa9 \xe5\xae\xb9\xe5\x99\xa8 \xf0\x9f\x9a\x80 e\xcc\x81");
}

static void
control_is_escaped(void **state)
{
	(void)state;
	safe("\033[31mred", "\\x1b[31mred");
	safe("a\nb\r\tc\b\a", "a\\x0ab\\x0d\\x09c\\x08\\x07");
	safe("\x7f", "\\x7f");
	safe("\xc2\x9b"
	     "31m",
	    "\\u{009b}31m"); /* CSI as a C1 character */
	safe("\xc2\x80\xc2\x9f\xc2\xa1", "\\u{0080}\\u{009f}\xc2\xa1");
}

static void
bidi_and_invisible_are_escaped(void **state)
{
	(void)state;
	safe("\xe2\x80\xae"
	     "gpj.exe",
	    "\\u{202e}gpj.exe");
	safe("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u{200e}\\u{200f}\\u{061c}");
	safe("\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}");
	safe("we\xe2\x80\x8b"
	     "b",
	    "we\\u{200b}b");
	safe("\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}");
	safe("\xef\xbb\xbf", "\\u{feff}");
	safe("\xc2\xad", "\\u{00ad}");
	safe("\xf3\xa0\x81\xa1", "\\u{e0061}");
	safe("\xef\xbf\xbf\xf0\x9f\xbf\xbe", "\\u{ffff}\\u{1fffe}");
}

static void
invalid_utf8_is_escaped(void **state)
{
	(void)state;
	safe("\x80", "\\x80");
	safe("\x9b"
	     "31m",
	    "\\x9b31m"); /* CSI as one byte */
	safe("\xff\xfe", "\\xff\\xfe");
	safe("a\xc3", "a\\xc3");
	safe("a\xe5\xae", "a\\xe5\\xae");
	safe("\xe5\xae"
	     "x",
	    "\\xe5\\xaex");
	safe("\xf0\x9f\x9a", "\\xf0\\x9f\\x9a");
	safe("\xc0\xaf", "\\xc0\\xaf"); /* overlong */
	safe("\xc1\x9b", "\\xc1\\x9b");
	safe("\xe0\x80\x9b", "\\xe0\\x80\\x9b");
	safe("\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b");
	safe("\xed\xa0\x80", "\\xed\\xa0\\x80");	  /* a surrogate */
	safe("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* past the last character */
	safe("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
}

static void
truncation_is_at_a_character(void **state)
{
	char dst[8];

	(void)state;
	text_safe(dst, 4, "abcdef");
	assert_string_equal(dst, "abc");
	text_safe(dst, 4, "a\xe5\xae\xb9");
	assert_string_equal(dst, "a");
	text_safe(dst, 5, "a\xe5\xae\xb9");
	assert_string_equal(dst, "a\xe5\xae\xb9");
	text_safe(dst, 4, "\033x"); /* no half of an escape */
	assert_string_equal(dst, "");
	text_safe(dst, 5, "\033x");
	assert_string_equal(dst, "\\x1b");
	text_safe(dst, 1, "x");
	assert_string_equal(dst, "");
	strcpy(dst, "old");
	text_safe(dst, 0, "x");
	assert_string_equal(dst, "old");
}

/* What comes out needs no escaping, whatever went in: all pairs of bytes. */
static void
safe_is_safe(void **state)
{
	char src[3] = "", once[64], twice[64];
	int a, b;

	(void)state;
	for (a = 1; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			src[0] = (char)a;
			src[1] = (char)b;
			text_safe(once, sizeof once, src);
			text_safe(twice, sizeof twice, once);
			assert_string_equal(once, twice);
		}
	}
}

static void
widths(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("caf\xc3\xa9"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1);			     /* combining */
	assert_int_equal(text_width("\xe5\xae\xb9\xe5\x99\xa8"), 4);	     /* CJK */
	assert_int_equal(text_width("\xe3\x81\x82\xed\x95\x9c"), 4);	     /* kana, Hangul */
	assert_int_equal(text_width("\xef\xbc\xa1\xef\xbd\xb1"), 3);	     /* full, half */
	assert_int_equal(text_width("\xf0\x9f\x9a\x80\xf0\x9f\xa6\x80"), 4); /* emoji */
	assert_int_equal(text_width("\xf0\xa0\x80\x80"), 2);		     /* CJK, plane 2 */
	assert_int_equal(text_width("\xe2\x9c\x93\xe2\x94\x80"), 2);	     /* tick, line */
	assert_int_equal(text_width("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), 2);
}

static void
fits(const char *s, size_t width, bool pad, const char *want)
{
	char dst[64];

	assert_ptr_equal(text_fit(dst, sizeof dst, s, width, pad), dst);
	assert_string_equal(dst, want);
	assert_true(text_width(dst) <= width);
	assert_true(!pad || text_width(dst) == width);
}

static void
fitting(void **state)
{
	char dst[8];

	(void)state;
	fits("abc", 5, false, "abc");
	fits("abc", 5, true, "abc  ");
	fits("abcde", 5, true, "abcde");
	fits("abcdef", 5, true, "abcd~");
	fits("", 3, true, "   ");
	fits("abc", 0, true, "");
	fits("abc", 1, true, "~");
	fits("\xe5\xae\xb9\xe5\x99\xa8", 4, true, "\xe5\xae\xb9\xe5\x99\xa8");
	fits("\xe5\xae\xb9\xe5\x99\xa8", 3, true, "\xe5\xae\xb9~");
	fits("\xe5\xae\xb9\xe5\x99\xa8", 2, true, "~ "); /* half a character does not show */
	fits("a\xe5\xae\xb9\xe5\x99\xa8", 3, true, "a~ ");
	fits("e\xcc\x81"
	     "fg",
	    2, true,
	    "e\xcc\x81"
	    "~");
	fits("ae\xcc\x81", 2, true, "ae\xcc\x81"); /* the accent comes along */
	/* a buffer that is smaller than the width */
	text_fit(dst, 4, "abcdef", 6, true);
	assert_string_equal(dst, "ab~");
	text_fit(dst, 4, "\xe5\xae\xb9\xe5\x99\xa8", 4, true);
	assert_string_equal(dst, "~  ");
	text_fit(dst, 1, "abc", 3, true);
	assert_string_equal(dst, "");
	text_fit(dst, 2, "abc", 3, true);
	assert_string_equal(dst, "~");
	strcpy(dst, "old");
	text_fit(dst, 0, "abc", 3, true);
	assert_string_equal(dst, "old");
}

static void
globs(void **state)
{
	(void)state;
	assert_true(text_glob("", ""));
	assert_true(text_glob("*", ""));
	assert_true(text_glob("***", "anything"));
	assert_true(text_glob("web", "web"));
	assert_true(text_glob("web*", "web"));
	assert_true(text_glob("web-?", "web-1"));
	assert_true(text_glob("*b*b", "abab"));
	assert_true(text_glob("a*b?d", "axxbbbcd"));
	assert_true(text_glob("*.example/*:v?", "reg.example/team/app:v1"));
	assert_true(text_glob("?", "\xe5\xae\xb9"));
	assert_true(text_glob("??", "\xff\xfe"));
	assert_true(text_glob("[a]", "[a]"));
	assert_true(text_glob("a\\*", "a\\b"));
	assert_false(text_glob("", "a"));
	assert_false(text_glob("?", ""));
	assert_false(text_glob("?", "ab"));
	assert_false(text_glob("web", "Web"));
	assert_false(text_glob("web", "web1"));
	assert_false(text_glob("web?", "web"));
	assert_false(text_glob("[a]", "a"));
	assert_false(text_glob("*a", "b"));
	assert_false(text_glob("a*c", "ab"));
}

static void
lines_are_made_safe_one_by_one(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "\n", "\n" },
		{ "one", "one\n" },
		{ "one\r\n\n\ttwo\n", "one\n\n two\n" },
		{ "a\rb\x1b[2J\n", "a\\x0db\\x1b[2J\n" },
		{ "\xe4\xbd\xa0\xff\xc2\xad\xe2\x80\xae", "\xe4\xbd\xa0\\xff\\u{00ad}\\u{202e}\n" },
		{ "\x01\x01\x01", "\\x01\\x01\\x01\n" },
	};
	char *got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = text_safe_lines(cases[i].text);
		assert_string_equal(got, cases[i].want);
		free(got);
	}
}

/* Ends at once where trying every star would not end at all. */
static void
a_hostile_glob(void **state)
{
	static char pattern[2048], s[20000];
	size_t i;

	(void)state;
	for (i = 0; i + 2 < sizeof pattern; i += 2)
		memcpy(pattern + i, "*a", 2);
	strcpy(pattern + i, "b");
	memset(s, 'a', sizeof s - 1);
	assert_false(text_glob(pattern, s));
}

static void
cuts_between_characters(void **state)
{
	static const char *const s = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1 2 3 4 1 bytes */
	static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

	(void)state;
	for (size_t max = 0; max < sizeof(want) / sizeof(want[0]); max++)
		assert_int_equal(text_cut(s, max), want[max]);
	assert_int_equal(
	    text_cut("\x80\x80\x80\x80\x80\x80\x80", 6), 3); /* not UTF-8: most of it */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(plain_text_stays),
		cmocka_unit_test(control_is_escaped),
		cmocka_unit_test(bidi_and_invisible_are_escaped),
		cmocka_unit_test(invalid_utf8_is_escaped),
		cmocka_unit_test(truncation_is_at_a_character),
		cmocka_unit_test(safe_is_safe),
		cmocka_unit_test(widths),
		cmocka_unit_test(fitting),
		cmocka_unit_test(globs),
		cmocka_unit_test(lines_are_made_safe_one_by_one),
		cmocka_unit_test(a_hostile_glob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
