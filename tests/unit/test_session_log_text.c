/* Logs made safe, whatever the pieces that they come in. */
#include "../../src/session/log_text.h"

#include "jumpbox/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(s) s, sizeof(s) - 1
static const struct {
	const char *in;
	size_t n;
	const char *out;
} cases[] = {
	{ TEXT(""), "" },
	{ TEXT("a line\nand\tanother\n"), "a line\nand\tanother\n" },
	{ TEXT("of a terminal\r\n"), "of a terminal\n" },
	{ TEXT("progress\rdone\n"), "progress\\x0ddone\n" },
	{ TEXT("\r\r\n\r"), "\\x0d\n\\x0d" },
	{ TEXT("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m" },
	{ TEXT("nul\0bell\a\b\x7f"), "nul\\x00bell\\x07\\x08\\x7f" },
	{ TEXT("\xc2\x9b"
	       "31m"),
	    "\\u{009b}31m" },
	{ TEXT("\x9b"
	       "31m"),
	    "\\x9b"
	    "31m" },
	{ TEXT("\xe2\x80\xae"), "\\u{202e}" },
	{ TEXT("\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80"),
	    "\xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80" },
	{ TEXT("\xe4\xb8"), "\\xe4\\xb8" },
	{ TEXT("\xe4\xb8\n"), "\\xe4\\xb8\n" },
	{ TEXT("\xe4\xe4\xb8\xad"), "\\xe4\xe4\xb8\xad" },
	{ TEXT("\xc0\x8a"), "\\xc0\\x8a" }, /* an overlong newline */
	{ TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
	{ TEXT("\xf8\xff\xfe"), "\\xf8\\xff\\xfe" },
	{ TEXT("\xc2\r\n"), "\\xc2\n" },
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* Fed in pieces of that size. */
static void
fed(size_t i, size_t piece, struct buf *out)
{
	struct log_text t = { .n = 0 };

	buf_init(out, 1 << 20);
	for (size_t at = 0; at < cases[i].n; at += piece)
		log_text_add(&t, (const uint8_t *)cases[i].in + at,
		    cases[i].n - at < piece ? cases[i].n - at : piece, out);
	log_text_end(&t, out);
}

static void
whatever_the_pieces(void **state)
{
	struct buf out;

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		for (size_t piece = 1; piece <= 8; piece++) {
			fed(i, piece, &out);
			assert_int_equal(buf_len(&out), strlen(cases[i].out));
			assert_memory_equal(buf_ptr(&out), cases[i].out, buf_len(&out));
			buf_release(&out);
		}
	}
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* Whatever comes: what goes out is text, and nothing of it unsafe but ends of lines and tabs. */
static void
nothing_unsafe_goes_through(void **state)
{
	static const char likely[] = "\xe2\x80\xae\xc2\x9b\x1b\r\n a";
	uint8_t in[512];
	uint32_t seed = 1;
	struct buf out;
	int32_t cp;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct log_text t = { .n = 0 };
		size_t n = next(&seed) % sizeof(in);

		for (size_t i = 0; i < n; i++)
			in[i] = next(&seed) % 3 == 0 ? (uint8_t)next(&seed)
						     : (uint8_t)likely[next(&seed) % 10];
		buf_init(&out, 1 << 20);
		log_text_add(&t, in, n / 2, &out);
		log_text_add(&t, in + n / 2, n - n / 2, &out);
		log_text_end(&t, &out);
		assert_true(buf_len(&out) <= LOG_TEXT_GROWTH * n);
		buf_add(&out, "", 1);
		assert_int_equal(strlen((const char *)buf_ptr(&out)) + 1, buf_len(&out));
		for (const char *p = (const char *)buf_ptr(&out); *p != '\0';
		     p += text_decode(p, &cp)) {
			text_decode(p, &cp);
			assert_true(cp == '\n' || cp == '\t' || (cp >= 0 && !text_unsafe(cp)));
		}
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_the_pieces),
		cmocka_unit_test(nothing_unsafe_goes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
