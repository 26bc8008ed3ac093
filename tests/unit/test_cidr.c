/* Networks and addresses: what is accepted, and what lies within. */
#include "jumpbox/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_check(void **state)
{
	static const char *const good[] = { "192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "::/0",
		"2001:db8::/32,10.0.0.0/8", "::ffff:10.0.0.0/104" };
	static const char *const bad[] = { "", ",", "10.0.0.0/8,", "10.0.0.0/33", "::/129", "10/8",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8", "example.org",
		"10.0.0.0/8 11.0.0.0/8",
		"1111111111111111111111111111111111111111111111111111111111111111111111" };
	struct errtext e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(cidr_list_check(good[i], &e), 0);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(cidr_list_check(bad[i], &e), JB_BAD_INPUT);
	cidr_list_check("10.0.0.0/8,10.0.0.0/33", &e);
	assert_non_null(strstr(e.s, "10.0.0.0/33"));
}

static void
test_contains(void **state)
{
	static const struct {
		const char *list, *address;
		bool in;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "::1", false },
		{ "10.0.0.0/8,2001:db8::/33", "2001:db8:7fff::1", true },
		{ "10.0.0.0/8,2001:db8::/33", "2001:db8:8000::1", false },
		{ "127.0.0.0/8", "::ffff:127.0.0.1", true },
		{ "::ffff:127.0.0.0/104", "127.0.0.1", true },
		{ "::/0", "127.0.0.1", false },
		{ "10.0.0.0/8,junk", "10.0.0.1", false },
		{ "10.0.0.0/8", "10.0.0.1.2", false },
		{ "", "10.0.0.1", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(cidr_list_contains(cases[i].list, cases[i].address), cases[i].in);
}

static void
test_source(void **state)
{
	static const struct {
		const char *address, *source;
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "2001:DB8:0:1:2:3:4:5", "2001:db8:0:1::/64" },
		{ "2001:db8:0:1::", "2001:db8:0:1::/64" },
		{ "2001:db8:0:2::", "2001:db8:0:2::/64" },
		{ "::1", "::/64" },
		{ "fedc:ba98:7654:3210:fedc:ba98:7654:3210", "fedc:ba98:7654:3210::/64" },
	};
	char source[SOURCE_MAX] = "kept";
	size_t i;

	(void)state;
	assert_int_equal(address_source("example.org", source, sizeof source), JB_BAD_INPUT);
	assert_int_equal(address_source("192.0.2.0/24", source, sizeof source), JB_BAD_INPUT);
	assert_string_equal(source, "kept");
	assert_int_equal(address_source("192.0.2.1", source, 4), JB_BAD_INPUT);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(address_source(cases[i].address, source, sizeof source), 0);
		assert_string_equal(source, cases[i].source);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
