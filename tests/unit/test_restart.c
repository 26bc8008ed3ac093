/* When a role that died may be started again. */
#include "../../src/supervisor/restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_the_first_is_at_once_then_doubling_to_a_bound(void **state)
{
	static const int64_t expected[] = { 0, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
	struct restart r = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof expected / sizeof expected[0]; i++)
		assert_int_equal(restart_delay(&r, 10), expected[i]);
	for (i = 0; i < 1000; i++)
		assert_int_equal(restart_delay(&r, RESTART_LONG_LIFE_MS - 1), RESTART_MAX_MS);
}

static void
test_a_long_life_forgets(void **state)
{
	struct restart r = { .deaths = 50 };

	(void)state;
	assert_int_equal(restart_delay(&r, RESTART_LONG_LIFE_MS), 0);
	assert_int_equal(restart_delay(&r, 1), RESTART_FIRST_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_is_at_once_then_doubling_to_a_bound),
		cmocka_unit_test(test_a_long_life_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
