/* Which containers are to be looked at again. */
#include "../../src/watcher/touched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
each_once_and_all_when_there_are_too_many(void **state)
{
	struct touched t = { .n = 0 };
	char id[65];

	(void)state;
	for (unsigned i = 0; i < TOUCHED_MAX; i++) {
		snprintf(id, sizeof(id), "%064u", i);
		touched_add(&t, id);
		touched_add(&t, id);
		touched_add(&t, "0000000000000000000000000000000000000000000000000000000000000000");
		assert_int_equal(t.n, i + 1);
		assert_string_equal(t.id[i], id);
	}
	assert_false(t.all);
	touched_add(&t, "abcdef012345");
	assert_true(t.all);
	assert_int_equal(t.n, TOUCHED_MAX);
	touched_clear(&t);
	assert_false(t.all);
	assert_int_equal(t.n, 0);
	touched_add(&t, id);
	assert_int_equal(t.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_once_and_all_when_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
