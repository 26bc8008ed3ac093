/*
 * The menu's model: numbers that stay, and what a typed line finds.
 */
#include "../../src/session/ui_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct ui_model *m, uint64_t ref, const char *node, const char *name)
{
	char n[64], d[64], state[] = "running", image[] = "img";
	const struct ui_entry row = {
		.ref = ref, .id = n, .name = n, .node = d, .state = state, .image = image
	};

	snprintf(n, sizeof(n), "%s", name);
	snprintf(d, sizeof(d), "%s", node);
	ui_model_add(m, &row);
	memset(n, '!', sizeof(n) - 1); /* the model has copies */
}

static void
sample(struct ui_model *m)
{
	ui_model_init(m);
	ui_model_begin(m);
	add(m, 70, "one", "web");
	add(m, 5, "one", "webcam");
	add(m, 900, "two", "web");
	add(m, 1, "two", "42");
	add(m, 33, "two", "db");
}

static unsigned
found(const struct ui_model *m, const char *text, size_t n)
{
	const struct ui_entry *e = NULL;

	assert_int_equal(ui_model_find(m, text, &e), n);
	return e == NULL ? 0 : e->number;
}

static void
test_finding(void **state)
{
	struct ui_model m;

	(void)state;
	sample(&m);
	assert_int_equal(found(&m, "2", 1), 2);
	assert_int_equal(found(&m, "db", 1), 5);
	assert_int_equal(found(&m, "d", 1), 5);
	assert_int_equal(found(&m, "webc", 1), 2);
	assert_int_equal(found(&m, "two+web", 1), 3);
	found(&m, "web", 2); /* exact beats the beginning of webcam */
	found(&m, "we", 3);
	found(&m, "", 0);
	found(&m, "6", 0);
	found(&m, "0", 0);
	found(&m, "+1", 0);
	found(&m, " 1", 0);
	found(&m, "99999999999999999999999", 0);
	found(&m, "one+db", 0);
	found(&m, "one", 0);
	/* a name that is a number, when there is no such number */
	assert_int_equal(found(&m, "42", 1), 4);
	ui_model_release(&m);
}

static void
test_numbers_stay(void **state)
{
	struct ui_model m;

	(void)state;
	sample(&m);
	ui_model_begin(&m);
	add(&m, 33, "two", "db-renamed");
	add(&m, 8, "one", "new");
	add(&m, 70, "one", "web");
	ui_model_end(&m);
	assert_int_equal(ui_model_visible(&m), 3);
	assert_int_equal(found(&m, "db-renamed", 1), 5);
	assert_int_equal(found(&m, "new", 1), 6);
	assert_int_equal(found(&m, "web", 1), 1);
	found(&m, "3", 0); /* it has gone, and nobody else gets its number */
	ui_model_begin(&m);
	ui_model_end(&m);
	assert_int_equal(ui_model_visible(&m), 0);
	add(&m, 900, "two", "web");
	assert_int_equal(found(&m, "web", 1), 3);
	ui_model_release(&m);
}

static void
test_filter(void **state)
{
	char a[] = "one+web", b[] = "two+db", c[] = "two+nothing";
	char *const some[] = { a, b, c };
	struct ui_model m;

	(void)state;
	sample(&m);
	ui_model_filter(&m, some, 3);
	assert_int_equal(ui_model_visible(&m), 2);
	found(&m, "two+web", 0);
	assert_int_equal(found(&m, "web", 1), 1);
	ui_model_filter(&m, NULL, 0);
	assert_int_equal(ui_model_visible(&m), 5);
	ui_model_release(&m);
}

/* Refs that all fall into few slots, and many of them: still each its own, in order. */
static void
test_many(void **state)
{
	enum { MANY = 10000 };
	struct ui_model m;
	char name[32];

	(void)state;
	ui_model_init(&m);
	for (int round = 0; round < 3; round++) {
		ui_model_begin(&m);
		for (unsigned i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "c-%u", i);
			add(&m, (uint64_t)i << 32, "node", name);
		}
	}
	assert_int_equal(m.n, MANY);
	assert_int_equal(ui_model_visible(&m), MANY);
	for (unsigned i = 0; i < MANY; i += 999) {
		snprintf(name, sizeof(name), "c-%u", i);
		assert_int_equal(found(&m, name, 1), i + 1);
	}
	ui_model_release(&m);
	ui_model_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_numbers_stay),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
