/* QR codes in text: each module where it belongs, in either way of drawing, and only where it fits. */
#include "../../src/session/qr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 3, ALL = SIDE + 4 };

static const uint8_t modules[SIDE * SIDE] = {
	1, 0, 1, /**/
	0, 1, 1, /**/
	0, 0, 1, /**/
};

static char *
drawn(unsigned cols, unsigned rows, bool utf8)
{
	struct buf out;
	char *text = NULL;

	buf_init(&out, 1 << 20);
	if (qr_draw(modules, SIDE, cols, rows, utf8, &out)) {
		buf_add(&out, "", 1);
		text = strdup((const char *)buf_ptr(&out));
	} else {
		assert_int_equal(buf_len(&out), 0);
	}
	buf_release(&out);
	return text;
}

static void
half_blocks(void **state)
{
	char *text = drawn(ALL, 4, true);

	(void)state;
	assert_string_equal(text,
	    "\033[0;30;47m       \033[0m\n"
	    "\033[0;30;47m  \u2580\u2584\u2588  \033[0m\n"
	    "\033[0;30;47m    \u2580  \033[0m\n"
	    "\033[0;30;47m       \033[0m\n");
	free(text);
}

static void
pairs_of_blanks(void **state)
{
	static const char dark[] = "\033[0;37;40m  ", light[] = "\033[0;37;40;7m  ";
	char *text = drawn(2 * ALL, ALL, false), *p = text;

	(void)state;
	for (int y = -2; y < SIDE + 2; y++) {
		for (int x = -2; x < SIDE + 2; x++) {
			const char *want =
			    x >= 0 && y >= 0 && x < SIDE && y < SIDE && modules[y * SIDE + x]
			    ? dark
			    : light;

			assert_memory_equal(p, want, strlen(want));
			p += strlen(want);
		}
		assert_memory_equal(p, "\033[0m\n", 5);
		p += 5;
	}
	assert_int_equal(*p, '\0');
	free(text);
}

static void
what_does_not_fit_is_not_drawn(void **state)
{
	struct buf out;

	(void)state;
	assert_null(drawn(ALL - 1, 100, true));
	assert_null(drawn(100, 3, true));
	assert_null(drawn(2 * ALL - 1, 100, false));
	assert_null(drawn(100, ALL - 1, false));
	buf_init(&out, 100);
	assert_false(qr_draw(modules, 0, 100, 100, true, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_blocks),
		cmocka_unit_test(pairs_of_blanks),
		cmocka_unit_test(what_does_not_fit_is_not_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
