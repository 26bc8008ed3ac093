/*
 * What a connection may do in its container.
 */
#include "../../src/helper/helper.h"

#include "jumpbox/policy.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
permissions(void **state)
{
	struct mask m = { .perms = PERM_SHELL };

	(void)state;
	assert_true(mask_exec(&m, false));
	assert_false(mask_exec(&m, true));
	assert_false(mask_files(&m, true));
	assert_false(mask_forward(&m));
	m.perms = PERM_EXEC;
	assert_false(mask_exec(&m, false));
	assert_true(mask_exec(&m, true));
	m.perms = PERM_FILES;
	assert_true(mask_files(&m, false));
	assert_true(mask_files(&m, true));
	m.perms = PERM_FILES_RO;
	assert_false(mask_files(&m, false));
	assert_true(mask_files(&m, true));
	m.perms = PERM_FORWARD;
	assert_true(mask_forward(&m));
	m.perms = PERM_FORWARD_SOME;
	assert_false(mask_forward(&m));
}

static void
items(void **state)
{
	static const struct {
		const char *items, *host;
		uint32_t port;
		bool match;
	} cases[] = {
		{ "", "db", 5432, false },
		{ "db:5432", "db", 5432, true },
		{ "db:5432", "DB", 5432, true },
		{ "db:5432", "db", 543, false },
		{ "db:5432", "db", 54321, false },
		{ "db:5432", "d", 5432, false },
		{ "db:5432", "dbx", 5432, false },
		{ "  web:80  db:5432 ", "db", 5432, true },
		{ "web:80 db:5432", "db", 80, false },
		{ "db:*", "db", 1, true },
		{ "db:*", "web", 1, false },
		{ "*:80", "anything", 80, true },
		{ "*:80", "anything", 81, false },
		{ "*:*", "anything", 81, true },
		{ "*.example:80", "a.example", 80, false },
		{ "[fd00::1]:80", "fd00::1", 80, true },
		{ "[fd00::1]:80", "fd00::1:80", 80, false },
		{ "[fd00::1]:*", "FD00::1", 9, true },
		{ "nonsense", "nonsense", 80, false },
		{ ":80", "", 80, true },
		{ "[]:80", "", 80, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mask m = { .items = (char *)cases[i].items };

		assert_int_equal(mask_item(&m, cases[i].host, cases[i].port), cases[i].match);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permissions),
		cmocka_unit_test(items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
