/*
 * The catalogue: no hole in it, and sentences are put together within their bounds.
 */
#include "../../src/session/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_every_word_is_there(void **state)
{
	char text[2048];

	(void)state;
	for (unsigned w = 0; w < W_COUNT; w++) {
		assert_true(strlen(words(text, sizeof(text), (enum word)w, "1", "2", "3")) > 1);
		assert_null(strchr(text, '{'));
	}
}

static void
test_arguments(void **state)
{
	char text[128];

	(void)state;
	assert_string_equal(words(text, sizeof(text), W_AMBIGUOUS, "web", "2", NULL),
	    "web is ambiguous: 2 containers match.\n");
	assert_string_equal(words(text, sizeof(text), W_AMBIGUOUS, "{2}%s", NULL, NULL),
	    "{2}%s is ambiguous:  containers match.\n");
}

static void
test_cut(void **state)
{
	char text[16];

	(void)state;
	for (size_t size = 1; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(
		    strlen(words(text, size, W_AMBIGUOUS, "a-long-name", "2", NULL)), size - 1);
	}
	assert_string_equal(text, "a-long-name is ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_word_is_there),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
