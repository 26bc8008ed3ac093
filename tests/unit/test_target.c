/*
 * Login names: separators, percent-encoding, parts, and which container is meant.
 */
#include "jumpbox/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
parses(const char *login, const char *user, const char *node, const char *container)
{
	struct target t;

	if (target_parse(login, &t) != 0)
		fail_msg("%s is refused", login);
	assert_string_equal(t.user, user);
	assert_string_equal(t.node, node);
	assert_string_equal(t.container, container);
}

static void
refused(const char *login, const char *user)
{
	struct target t;

	memset(&t, 'x', sizeof t);
	if (target_parse(login, &t) != JB_BAD_INPUT)
		fail_msg("%s is accepted", login);
	assert_string_equal(t.user, user);
	assert_string_equal(t.node, "");
	assert_string_equal(t.container, "");
}

static void
one_two_three_parts(void **state)
{
	(void)state;
	parses("alice", "alice", "", "");
	parses("alice+web", "alice", "", "web");
	parses("alice+gpu-1+web", "alice", "gpu-1", "web");
	parses("0+0", "0", "", "0");
	parses("a.b_c-d+Web_1.x-Y", "a.b_c-d", "", "Web_1.x-Y");
	parses("alice+a.b+3f2504e0", "alice", "a.b", "3f2504e0");
}

static void
every_separator(void **state)
{
	static const char separators[] = "+~:#";
	char login[32];
	size_t i, k;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 4; k++) {
			snprintf(login, sizeof login, "u%cn%cc", separators[i], separators[k]);
			parses(login, "u", "n", "c");
		}
		snprintf(login, sizeof login, "u%cc", separators[i]);
		parses(login, "u", "", "c");
	}
}

static void
percent_encoding(void **state)
{
	(void)state;
	parses("u%2Bc", "u", "", "c");
	parses("u%2bc", "u", "", "c");
	parses("u%7En%7ec", "u", "n", "c");
	parses("u%3an%3Ac", "u", "n", "c");
	parses("u%23c", "u", "", "c");
	parses("u%2Bn+c", "u", "n", "c");
	refused("u%2", "");
	refused("u%", "");
	refused("u%41", "");	/* only what had to be encoded */
	refused("u%252Bc", ""); /* decoded once */
	refused("u+c%2", "u");
	refused("u+%63", "u");
	refused("u+c%00", "u");
}

static void
malformed(void **state)
{
	(void)state;
	refused("", "");
	refused("+web", "");
	refused("Alice+web", "");
	refused("al ice", "");
	refused("-alice", "");
	refused(".alice", "");
	refused("alice+", "alice");
	refused("alice++web", "alice");
	refused("alice+node+", "alice");
	refused("alice+NODE+web", "alice");
	refused("alice+node+web+x", "alice");
	refused("alice+node+web+", "alice");
	refused("alice+-web", "alice");
	refused("alice+we/b", "alice");
	refused("alice+../../etc", "alice");
	refused("alice+w\xc3\xa9", "alice");
	refused("alice+w\033[1m", "alice");
	refused("al\nice", "");
}

static void
lengths(void **state)
{
	char login[700], part[300];
	size_t i;

	(void)state;
	memset(part, 'a', sizeof part);
	part[32] = '\0';
	parses(part, part, "", "");
	snprintf(login, sizeof login, "%s+%s+w", part, part);
	parses(login, part, part, "w");
	part[32] = 'a';
	part[33] = '\0';
	refused(part, "");
	snprintf(login, sizeof login, "u+%s+w", part);
	refused(login, "u");
	part[33] = 'a';
	part[128] = '\0';
	snprintf(login, sizeof login, "u+%s", part);
	parses(login, "u", "", part);
	part[128] = 'a';
	part[129] = '\0';
	snprintf(login, sizeof login, "u+%s", part);
	refused(login, "u");
	/* the longest of all, each separator encoded */
	for (i = 0; i < 32; i++)
		login[i] = login[i + 35] = 'b';
	memcpy(login + 32, "%2B", 3);
	memcpy(login + 67, "%2B", 3);
	part[128] = '\0';
	strcpy(login + 70, part);
	assert_int_equal(target_parse(login, &(struct target){ 0 }), 0);
	strcat(login, "a");
	assert_int_equal(target_parse(login, &(struct target){ 0 }), JB_BAD_INPUT);
}

static void
names(void **state)
{
	(void)state;
	assert_true(name_valid("a"));
	assert_true(name_valid("9"));
	assert_true(name_valid("a.b-c_d"));
	assert_true(name_valid("12345678901234567890123456789012"));
	assert_false(name_valid("123456789012345678901234567890123"));
	assert_false(name_valid(""));
	assert_false(name_valid("_a"));
	assert_false(name_valid("A"));
	assert_false(name_valid("a+b"));
	assert_false(name_valid("a b"));
	assert_false(name_valid("a\n"));
}

static const struct target_candidate all[] = {
	{ "web", "n1", "aaaa1111" },
	{ "web-2", "n1", "aaaa2222" },
	{ "db", "n1", "bbbb3333" },
	{ "db", "n2", "cccc4444" },
	{ "cccc", "n2", "dddd5555" },
};
enum { COUNT = sizeof all / sizeof all[0] };

/* A digit for each candidate: how well the login names it. */
static void
assert_levels(const char *login, const char *want)
{
	char got[COUNT + 1] = "";
	struct target t;

	assert_int_equal(target_parse(login, &t), 0);
	for (unsigned i = 0; i < COUNT; i++)
		got[i] = (char)('0' + target_level(&t, &all[i]));
	assert_string_equal(got, want);
}

static void
levels(void **state)
{
	(void)state;
	assert_levels("u+web", "31000"); /* exact, and the prefix of web-2 */
	assert_levels("u+web-", "01000");
	assert_levels("u+we", "11000");
	assert_levels("u+db", "00330"); /* on two nodes */
	assert_levels("u+n2+db", "00030");
	assert_levels("u+aaaa", "11000"); /* ids */
	assert_levels("u+aaaa2", "01000");
	assert_levels("u+bbbb3333", "00100");
	assert_levels("u+cccc", "00013"); /* the prefix of an id, and a name */
	assert_levels("u+ccc", "00011");
	assert_levels("u+web.n1", "20000"); /* as a host is named */
	assert_levels("u+db.n2", "00020");
	assert_levels("u+web.n2", "00000");
	assert_levels("u+n1+web.n1", "00000");
	assert_levels("u+nosuch", "00000");
	assert_levels("u+n3+web", "00000");
	assert_levels("u+n+web", "00000"); /* nodes are not abbreviated */
	assert_levels("u+Web", "00000");
	assert_levels("u", "00000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_two_three_parts),
		cmocka_unit_test(every_separator),
		cmocka_unit_test(percent_encoding),
		cmocka_unit_test(malformed),
		cmocka_unit_test(lengths),
		cmocka_unit_test(names),
		cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
