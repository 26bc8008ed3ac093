/*
 * The byte buffer: its maximum, its order, its storage.
 */
#include "jumpbox/buf.h"

#include "jumpbox/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
starts_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_room(&b), 10);
	assert_non_null(buf_ptr(&b));
	buf_release(&b);
	buf_release(&b);
}

static void
never_more_than_its_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_add(&b, "12345678", 8), 0);
	assert_int_equal(buf_add(&b, "9", 1), JB_INTERNAL);
	assert_null(buf_reserve(&b, 1));
	assert_int_equal(buf_add(&b, "", 0), 0);
	assert_int_equal(buf_len(&b), 8);
	buf_consume(&b, 3);
	assert_int_equal(buf_room(&b), 3);
	assert_int_equal(buf_add(&b, "abcd", 4), JB_INTERNAL);
	assert_int_equal(buf_add(&b, "abc", 3), 0);
	assert_memory_equal(buf_ptr(&b), "45678abc", 8);
	assert_true(b.cap <= 8);
	buf_release(&b);
	assert_int_equal(buf_room(&b), 8);
}

static void
huge_sizes_do_not_wrap(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_add(&b, "x", 1), 0);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	buf_release(&b);
}

static void
reserved_room_is_filled_in_place(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	buf_init(&b, 1000);
	p = buf_reserve(&b, 600);
	assert_non_null(p);
	memset(p, 'x', 5);
	buf_commit(&b, 5);
	assert_int_equal(buf_len(&b), 5);
	assert_int_equal(buf_add(&b, "y", 1), 0);
	assert_memory_equal(buf_ptr(&b), "xxxxxy", 6);
	buf_release(&b);
}

/* A queue that is fed and drained keeps every byte in order and its storage small. */
static void
order_over_many_turns(void **state)
{
	struct buf b;
	uint8_t chunk[37], next_in = 0, next_out = 0;
	size_t i, turn, n;

	(void)state;
	buf_init(&b, 4096);
	for (turn = 0; turn < 5000; turn++) {
		for (i = 0; i < sizeof chunk; i++)
			chunk[i] = next_in++;
		assert_int_equal(buf_add(&b, chunk, sizeof chunk), 0);
		n = turn % 3 == 2 ? buf_len(&b) - turn % 7 : buf_len(&b) / 4;
		for (i = 0; i < n; i++)
			assert_int_equal(buf_ptr(&b)[i], next_out++);
		buf_consume(&b, n);
	}
	assert_true(b.cap <= 1024);
	buf_release(&b);
}

static void
reset_keeps_the_storage(void **state)
{
	struct buf b;
	uint8_t *data;

	(void)state;
	buf_init(&b, 64);
	buf_add(&b, "abc", 3);
	data = b.data;
	buf_reset(&b);
	assert_int_equal(buf_len(&b), 0);
	buf_add(&b, "d", 1);
	assert_ptr_equal(b.data, data);
	assert_memory_equal(buf_ptr(&b), "d", 1);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty),
		cmocka_unit_test(never_more_than_its_maximum),
		cmocka_unit_test(huge_sizes_do_not_wrap),
		cmocka_unit_test(reserved_room_is_filled_in_place),
		cmocka_unit_test(order_over_many_turns),
		cmocka_unit_test(reset_keeps_the_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
