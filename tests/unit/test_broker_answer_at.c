/* When a failed password is answered. */
#include "../../src/broker/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
the_first_instant_to_come(void **state)
{
	int64_t took;

	(void)state;
	for (took = 0; took < 500; took++)
		assert_int_equal(auth_answer_at(1000, 1000 + took, 500), 1500);
	assert_int_equal(auth_answer_at(1000, 1500, 500), 2000);
	assert_int_equal(auth_answer_at(1000, 1999, 500), 2000);
	assert_int_equal(auth_answer_at(1000, 11234, 500), 11500);
}

static void
it_is_always_ahead(void **state)
{
	int64_t now;

	(void)state;
	for (now = 77; now < 5000; now += 13) {
		assert_true(auth_answer_at(77, now, 500) > now);
		assert_true(auth_answer_at(77, now, 500) <= now + 500);
		assert_int_equal((auth_answer_at(77, now, 500) - 77) % 500, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_instant_to_come),
		cmocka_unit_test(it_is_always_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
