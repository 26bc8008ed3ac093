/* Who has to go when too many connections have not logged in. */
#include "../../src/supervisor/address.h"
#include "../../src/supervisor/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct source
source(const char *text)
{
	struct sockaddr_storage to;
	struct address a;
	struct source s;

	assert_true(address_parse(text, 22, &to) > 0);
	assert_true(address_of(&to, &a));
	source_of(&a.ip, &s);
	return s;
}

static void *
add(struct limits *l, const char *from, void *who)
{
	struct source s = source(from);

	return limits_add(l, &s, who);
}

static int
same(const char *a, const char *b)
{
	struct source x = source(a), y = source(b);

	return memcmp(&x, &y, sizeof x) == 0;
}

static void
test_sources(void **state)
{
	(void)state;
	assert_true(same("192.0.2.1", "192.0.2.1"));
	assert_false(same("192.0.2.1", "192.0.2.2"));
	assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
	assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
	assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(same("::1", "127.0.0.1"));
}

static void
test_mapped_addresses_are_shown_as_ipv4(void **state)
{
	struct sockaddr_storage to;
	struct address a;

	(void)state;
	address_parse("::ffff:192.0.2.1", 2026, &to);
	assert_true(address_of(&to, &a));
	assert_string_equal(a.text, "192.0.2.1");
	assert_int_equal(a.port, 2026);
	address_parse("2001:db8::1", 1, &to);
	assert_true(address_of(&to, &a));
	assert_string_equal(a.text, "2001:db8::1");
	assert_int_equal(address_parse("localhost", 1, &to), 0);
	to.ss_family = AF_UNIX;
	assert_false(address_of(&to, &a));
}

static void
test_a_source_loses_its_own_oldest(void **state)
{
	struct limits l;
	int who[5];

	(void)state;
	limits_init(&l, 100, 2);
	assert_null(add(&l, "192.0.2.9", &who[0]));
	assert_null(add(&l, "192.0.2.1", &who[1]));
	assert_null(add(&l, "192.0.2.1", &who[2]));
	assert_ptr_equal(add(&l, "192.0.2.1", &who[3]), &who[1]);
	assert_ptr_equal(add(&l, "192.0.2.1", &who[4]), &who[2]);
	assert_int_equal(l.n, 3);
	free(l.entry);
}

static void
test_the_busiest_source_pays_for_all(void **state)
{
	struct limits l;
	int who[8];

	(void)state;
	limits_init(&l, 4, 4);
	add(&l, "192.0.2.1", &who[0]);
	add(&l, "192.0.2.2", &who[1]);
	add(&l, "192.0.2.2", &who[2]);
	add(&l, "192.0.2.3", &who[3]);
	assert_ptr_equal(add(&l, "192.0.2.4", &who[4]), &who[1]);
	/* All equally busy but the newcomer's source: its own oldest. */
	assert_ptr_equal(add(&l, "192.0.2.3", &who[5]), &who[3]);
	/* All equally busy: the oldest of all. */
	assert_ptr_equal(add(&l, "192.0.2.5", &who[6]), &who[0]);
	free(l.entry);
}

static void
test_a_login_frees_its_place(void **state)
{
	struct limits l;
	int who[4], stranger;

	(void)state;
	limits_init(&l, 2, 1);
	assert_null(add(&l, "192.0.2.1", &who[0]));
	limits_remove(&l, &who[0]);
	limits_remove(&l, &who[0]);
	limits_remove(&l, &stranger);
	assert_null(add(&l, "192.0.2.1", &who[1]));
	assert_null(add(&l, "192.0.2.2", &who[2]));
	limits_remove(&l, &who[1]);
	assert_null(add(&l, "192.0.2.3", &who[3]));
	free(l.entry);
}

/* Many sources that flood in turn never push out a source that has one. */
static void
test_a_flood_does_not_push_out_the_quiet(void **state)
{
	struct limits l;
	char from[32];
	int quiet, flood[2000];
	unsigned i;

	(void)state;
	limits_init(&l, 100, 20);
	for (i = 0; i < 1000; i++) {
		snprintf(from, sizeof from, "127.0.1.%u", i % 50);
		add(&l, from, &flood[i]);
	}
	assert_int_equal(l.n, 100);
	assert_ptr_not_equal(add(&l, "192.0.2.1", &quiet), &quiet);
	for (; i < 2000; i++) {
		snprintf(from, sizeof from, "127.0.1.%u", i % 50);
		assert_ptr_not_equal(add(&l, from, &flood[i]), &quiet);
	}
	assert_int_equal(l.n, 100);
	free(l.entry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_mapped_addresses_are_shown_as_ipv4),
		cmocka_unit_test(test_a_source_loses_its_own_oldest),
		cmocka_unit_test(test_the_busiest_source_pays_for_all),
		cmocka_unit_test(test_a_login_frees_its_place),
		cmocka_unit_test(test_a_flood_does_not_push_out_the_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
