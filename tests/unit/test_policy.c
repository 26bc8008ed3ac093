/*
 * Who may reach what: selectors, permissions, roles, owners, expiry.
 */
#include "jumpbox/docker.h"
#include "jumpbox/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NOW = 1000000 };

static const struct facts web = {
	.node = "gpu-1",
	.name = "web-1",
	.image = "registry.example:5000/team/web:2.1",
	.labels = "{\"team\":\"red\",\"eq\":\"a=b=c\",\"empty\":\"\",\"gr\\u00fc\\u00dfe\":"
		  "\"\xe4\xbd\xa0\xe5\xa5\xbd\","
		  "\"k=v\":\"x\",\"esc\":\"a\\u001b[31m\",\"n\":\"\\\"quoted\\\"\"}",
};

/* One user with one grant. */
static struct verdict
decide(const char *selector, const char *allow, const struct facts *f, uint32_t want)
{
	struct subject_grant g = { .selector = (char *)selector, .allow = (char *)allow, .id = 1 };
	struct subject s = {
		.name = "alice", .standing.role = ROLE_USER, .grants = &g, .ngrants = 1
	};
	struct verdict v;

	policy_decide(&s, f, want, NOW, &v);
	return v;
}

static void
selectors_cover_what_they_say(void **state)
{
	/* clang-format off */
	static const struct { const char *selector; bool covers; } t[] = {
		{ "*", true },              { "web-1", true },         { "web-*", true },
		{ "web-?", true },          { "web", false },          { "WEB-1", false },
		{ "gpu-1/web-1", true },    { "gpu-*/*", true },       { "gpu-2/*", false },
		{ "*/web-1", true },        { "gpu-1/db", false },     { "gpu-1*", false },
		{ "image:*", true },        { "image:registry.example:5000/team/web:2.1", true },
		{ "image:*/team/web:*", true }, { "image:web", false },
		{ "label:team=red", true }, { "label:team=re?", true }, { "label:team=*", true },
		{ "label:team=blue", false }, { "label:team=RED", false }, { "label:none=*", false },
		{ "label:eq=a=b=c", true }, { "label:eq=a=*", true },  { "label:eq=a", false },
		{ "label:empty=", true },   { "label:team=", false },
		{ "label:gr\xc3\xbc\xc3\x9f" "e=\xe4\xbd\xa0\xe5\xa5\xbd", true },
		{ "label:k=v=x", false },   /* a key with '=' in it cannot be said; it is not another key's */
		{ "label:n=\"quoted\"", true },
		/* malformed ones cover nothing */
		{ "", false }, { "label:team", false }, { "label:=red", false }, { "image:", false },
		{ "/web-1", false }, { "gpu-1/", false }, { "a/b/c", false }, { "Label:team=red", false },
		{ "[w]eb-1", false }, { "web-1\n", false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct verdict v = decide(t[i].selector, "shell", &web, PERM_SHELL);

		if ((v.perms == PERM_SHELL) != t[i].covers)
			fail_msg("selector \"%s\"", t[i].selector);
	}
}

static void
missing_or_broken_facts_match_nothing(void **state)
{
	static const char *const bad[] = { NULL, "", "null", "[]", "{\"team\":", "{\"team\":1}",
		"{\"team\":[\"red\"]}", "\"team\"" };
	struct facts f = web;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		f.labels = bad[i];
		assert_int_equal(decide("label:team=*", "shell", &f, PERM_SHELL).perms, 0);
	}
	f = (struct facts){ 0 };
	assert_int_equal(decide("*", "shell", &f, PERM_SHELL).perms, 0);
	assert_int_equal(decide("image:*", "shell", &f, PERM_SHELL).perms, 0);
	f.name = "web-1";
	assert_int_equal(decide("*/*", "shell", &f, PERM_SHELL).perms, 0);
}

static void
selector_check_says_why(void **state)
{
	static const char *const good[] = { "*", "web", "n/w", "n-?/*", "label:a=b",
		"label:a=", "image:x:*", "label:\xc3\xbc=\xc3\x9f" };
	static const char *const bad[] = { "", "a b", "a/b/c", "/a", "a/", "label:", "label:x",
		"label:=x", "image:", "foo:bar", "label:a=\x1b[31m", "a\tb" };
	char longer[300];
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(selector_check(good[i], &e), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		e.s[0] = '\0';
		assert_int_equal(selector_check(bad[i], &e), JB_BAD_INPUT);
		assert_true(strlen(e.s) > 10);
		assert_null(strchr(e.s, 0x1b));
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(selector_check(longer, &e), JB_BAD_INPUT);
	longer[255] = '\0';
	assert_int_equal(selector_check(longer, &e), 0);
}

static void
permissions_parse_and_normalise(void **state)
{
	/* clang-format off */
	static const struct { const char *in; uint32_t mask; const char *out; } t[] = {
		{ "shell", PERM_SHELL, "shell" },
		{ "exec,shell", PERM_SHELL | PERM_EXEC, "shell,exec" },
		{ " shell  exec, logs ", PERM_SHELL | PERM_EXEC | PERM_LOGS, "shell,exec,logs" },
		{ "shell shell", PERM_SHELL, "shell" },
		{ "shell exec files forward logs", PERM_DEFAULT, "shell,exec,files,forward,logs" },
		{ "power", PERM_POWER, "power" },
		{ "files:ro", PERM_FILES_RO, "files:ro" },
		{ "files:ro files", PERM_FILES_RO | PERM_FILES, "files" },
		{ "forward:db:5432", PERM_FORWARD_SOME, "forward:db:5432" },
		{ "forward:*:22,forward:[::1]:*,forward:db:5432 forward:*:22", PERM_FORWARD_SOME,
		  "forward:*:22,forward:[::1]:*,forward:db:5432" },
		{ "forward:db:5432 forward", PERM_FORWARD_SOME | PERM_FORWARD, "forward,forward:db:5432" },
		{ "shell,,exec", 0, NULL }, { "shell, ,exec", 0, NULL }, { ",shell", 0, NULL },
		{ "shell,", 0, NULL }, { "shell , ", 0, NULL },
		{ "", 0, NULL }, { " , ", 0, NULL }, { "root", 0, NULL }, { "Shell", 0, NULL },
		{ "shell;exec", 0, NULL }, { "files:rw", 0, NULL }, { "all", 0, NULL },
		{ "forward:", 0, NULL }, { "forward:db", 0, NULL }, { "forward::22", 0, NULL },
		{ "forward:db:", 0, NULL }, { "forward:db:0", 0, NULL }, { "forward:db:65536", 0, NULL },
		{ "forward:db:99999999999999999999", 0, NULL }, { "forward:db:2x", 0, NULL },
		{ "forward:::1:22", 0, NULL }, { "forward:d b:22", 0, NULL }, { "forward:[]:22", 0, NULL },
		{ "shell,rm", 0, NULL },
	};
	/* clang-format on */
	char out[ALLOW_TEXT], longest[ALLOW_TEXT + 1];
	uint32_t again;
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		uint32_t mask = 0xdead;
		int rc = allow_parse(t[i].in, &mask, out, &e);

		if (rc != (t[i].out ? 0 : JB_BAD_INPUT))
			fail_msg("\"%s\": %d", t[i].in, rc);
		assert_int_equal(mask, t[i].out ? t[i].mask : 0xdead);
		if (t[i].out)
			assert_string_equal(out, t[i].out);
	}
	assert_int_equal(allow_parse("fly", &again, NULL, &e), JB_BAD_INPUT);
	assert_string_equal(e.s,
	    "unknown permission \"fly\": known are shell exec files files:ro "
	    "forward logs power forward:HOST:PORT");
	/* As long as a list may be, and one byte more. */
	snprintf(longest, sizeof(longest), "forward:%0255d:1,forward:%0234d:22", 1, 2);
	assert_int_equal(strlen(longest), ALLOW_TEXT - 1);
	assert_int_equal(allow_parse(longest, &again, out, &e), 0);
	assert_string_equal(out, longest);
	strcat(longest, "2");
	assert_int_equal(allow_parse(longest, &again, out, &e), JB_BAD_INPUT);
}

static void
permissions_are_printed(void **state)
{
	char out[ALLOW_TEXT];
	uint32_t mask;

	(void)state;
	allow_print(PERM_DEFAULT, out);
	assert_string_equal(out, "shell,exec,files,forward,logs");
	assert_int_equal(allow_parse(out, &mask, NULL, NULL), 0);
	assert_int_equal(mask, PERM_DEFAULT);
	allow_print(0, out);
	assert_string_equal(out, "");
	allow_print(PERM_ALL | PERM_FILES_RO, out);
	assert_string_equal(out, "shell,exec,files,forward,logs,power");
	allow_print(PERM_FILES_RO | PERM_FORWARD_SOME, out);
	assert_string_equal(out, "files:ro,forward:HOST:PORT");
}

static void
run_as_is_a_user_and_perhaps_a_group(void **state)
{
	static const char *const good[] = { "root", "app:staff", "1000", "1000:100", "_apt",
		"a.b-c", "2147483647", "www-data:0" };
	static const char *const bad[] = { "", ":", "a:", ":b", "a:b:c", "a b", "-u", "../etc",
		"a/b", "2147483648", "99999999999", "\xc3\xbc", "a\n",
		"abcdefghijklmnopqrstuvwxyzabcdefg" };
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(run_as_check(good[i], &e), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (run_as_check(bad[i], &e) != JB_BAD_INPUT)
			fail_msg("\"%s\"", bad[i]);
}

static void
the_account_comes_first(void **state)
{
	/* clang-format off */
	static const struct {
		struct standing is; uint32_t perms; int64_t until; const char *flaw;
	} t[] = {
		{ { ROLE_ADMIN, false, 0 },       PERM_ALL, 0, NULL },
		{ { ROLE_ADMIN, false, NOW + 5 }, PERM_ALL, NOW + 5, NULL },
		{ { ROLE_ADMIN, true,  0 },       0, 0, "the account is locked" },
		{ { ROLE_ADMIN, false, NOW },     0, 0, "the account is expired" },
		{ { ROLE_ADMIN, false, NOW - 1 }, 0, 0, "the account is expired" },
		{ { ROLE_USER,  false, 0 },       PERM_SHELL, 0, NULL },
		{ { ROLE_USER,  true,  0 },       0, 0, "the account is locked" },
		{ { ROLE_NONE,  false, 0 },       0, 0, "the account is without a role" },
		{ { (enum user_role)7, false, 0 }, 0, 0, "the account is without a role" },
	};
	/* clang-format on */
	struct subject_grant g = { .selector = (char *)"*", .allow = (char *)"shell", .id = 1 };
	struct facts owned = web;
	struct verdict v;

	(void)state;
	owned.owner = "alice";
	for (size_t i = 0; i < COUNT(t); i++) {
		struct subject s = {
			.name = "alice", .standing = t[i].is, .grants = &g, .ngrants = 1
		};
		struct errtext e = { 0 };

		policy_decide(&s, &web, PERM_SHELL, NOW, &v);
		assert_int_equal(v.perms, t[i].perms);
		assert_int_equal(v.until, t[i].until);
		policy_decide(&s, &owned, PERM_SHELL, NOW, &v);
		assert_int_equal(v.perms, t[i].perms ? PERM_ALL : 0);
		assert_int_equal(
		    standing_check(&s.standing, NOW, &e), t[i].flaw == NULL ? 0 : JB_DENIED);
		assert_string_equal(e.s, t[i].flaw != NULL ? t[i].flaw : "");
	}
}

static void
the_owner_has_everything_and_nobody_else_has(void **state)
{
	struct subject s = { .name = "alice", .standing.role = ROLE_USER };
	struct facts f = web;
	struct verdict v;

	(void)state;
	policy_decide(&s, &f, PERM_SHELL, NOW, &v);
	assert_int_equal(v.perms, 0);
	f.owner = "alice";
	policy_decide(&s, &f, PERM_POWER, NOW, &v);
	assert_int_equal(v.perms, PERM_ALL);
	assert_null(v.run_as);
	static const char *const others[] = { "bob", "", "Alice", "alice ", "alic", "alice,bob",
		"*" };
	for (size_t i = 0; i < COUNT(others); i++) {
		f.owner = others[i];
		policy_decide(&s, &f, PERM_SHELL, NOW, &v);
		assert_int_equal(v.perms, 0);
	}
}

/* What the caller fills facts.owner with: a label that came with the image owns nothing. */
static void
an_inherited_owner_label_does_not_count(void **state)
{
	static const char own[] = "{\"jumpbox.owner\":\"alice\",\"x\":\"1\"}";
	static const char key[] = "jumpbox.owner";
	struct subject s = { .name = "alice", .standing.role = ROLE_USER };
	struct facts f = web;
	struct verdict v;
	char *owner;

	(void)state;
	f.labels = own;
	f.owner = owner = engine_own_label(own, own, key);
	assert_null(owner);
	policy_decide(&s, &f, PERM_SHELL, NOW, &v);
	assert_int_equal(v.perms, 0);
	f.owner = owner = engine_own_label(own, "{\"x\":\"1\"}", key);
	assert_non_null(owner);
	policy_decide(&s, &f, PERM_SHELL, NOW, &v);
	assert_int_equal(v.perms, PERM_ALL);
	free(owner);
}

static void
grants_add_up_and_the_first_names_the_account(void **state)
{
	struct subject_grant g[] = {
		{ (char *)"web-*", (char *)"shell", (char *)"late", NULL, 30, NOW + 100 },
		{ (char *)"*", (char *)"logs", (char *)"logger", NULL, 10, 0 },
		{ (char *)"gpu-1/*", (char *)"shell exec", (char *)"app:staff", NULL, 20,
		    NOW + 50 },
		{ (char *)"web-1", (char *)"shell power", (char *)"gone", NULL, 5, NOW },
		{ (char *)"db", (char *)"files", (char *)"dba", NULL, 1, NOW + 1 },
		{ (char *)"*", (char *)"shell,evil", (char *)"evil", NULL, 2, 0 },
	};
	struct subject s = {
		.name = "alice", .standing.role = ROLE_USER, .grants = g, .ngrants = COUNT(g)
	};
	struct verdict v;

	(void)state;
	policy_decide(&s, &web, PERM_SHELL, NOW, &v);
	assert_int_equal(v.perms, PERM_SHELL | PERM_EXEC | PERM_LOGS);
	assert_string_equal(v.run_as, "app:staff");
	assert_int_equal(v.until, NOW + 50);
	policy_decide(&s, &web, PERM_LOGS, NOW, &v);
	assert_string_equal(v.run_as, "logger");
	policy_decide(&s, &web, PERM_POWER, NOW, &v);
	assert_null(v.run_as);
	assert_int_equal(v.perms & PERM_POWER, 0);
	policy_decide(&s, &web, PERM_SHELL, NOW + 50, &v);
	assert_string_equal(v.run_as, "late");
	assert_int_equal(v.perms, PERM_SHELL | PERM_LOGS);
	assert_int_equal(v.until, NOW + 100);
	g[2].run_as = NULL; /* "the image's" is an answer, not a gap for the next grant */
	policy_decide(&s, &web, PERM_SHELL, NOW, &v);
	assert_null(v.run_as);
}

/* A choice of accounts is what the grants that are in force name for that permission, and no more. */
static void
run_as_is_chosen_among_what_grants_name(void **state)
{
	struct subject_grant g[] = {
		{ .selector = (char *)"web-*",
		    .allow = (char *)"shell exec",
		    .run_as = (char *)"app",
		    .id = 1 },
		{ .selector = (char *)"web-1",
		    .allow = (char *)"shell",
		    .run_as = (char *)"staff",
		    .id = 2 },
		{ .selector = (char *)"*",
		    .allow = (char *)"shell",
		    .run_as = (char *)"app",
		    .id = 3 },
		{ .selector = (char *)"*", .allow = (char *)"shell", .run_as = NULL, .id = 4 },
		{ .selector = (char *)"db",
		    .allow = (char *)"shell",
		    .run_as = (char *)"dba",
		    .id = 5 },
		{ .selector = (char *)"*",
		    .allow = (char *)"shell",
		    .run_as = (char *)"gone",
		    .id = 6,
		    .until = NOW },
		{ .selector = (char *)"*",
		    .allow = (char *)"logs",
		    .run_as = (char *)"logger",
		    .id = 7 },
	};
	struct subject s = {
		.name = "alice", .standing.role = ROLE_USER, .grants = g, .ngrants = COUNT(g)
	};
	const char *choice[RUN_AS_CHOICES];

	(void)state;
	assert_int_equal(policy_run_as(&s, &web, PERM_SHELL, NOW, choice, RUN_AS_CHOICES), 2);
	assert_string_equal(choice[0], "app");
	assert_string_equal(choice[1], "staff");
	assert_int_equal(policy_run_as(&s, &web, PERM_SHELL, NOW, choice, 1), 1);
	assert_true(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "app"));
	assert_true(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "staff"));
	assert_false(policy_run_as_ok(&s, &web, PERM_EXEC, NOW, "staff"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "root"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "dba"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "gone"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "logger"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "app:staff"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, RUN_AS_ANY));
	s.standing.role = ROLE_ADMIN;
	assert_true(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "root"));
	assert_true(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "1000:1000"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "-x"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, RUN_AS_ANY));
	s.standing.locked = true;
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "root"));
	assert_false(policy_run_as_ok(&s, &web, PERM_SHELL, NOW, "app"));
}

static void
a_wider_permission_gives_the_narrower(void **state)
{
	struct subject_grant g = { .selector = (char *)"*",
		.allow = (char *)"files forward",
		.run_as = (char *)"app",
		.id = 1 };
	struct subject s = {
		.name = "alice", .standing.role = ROLE_USER, .grants = &g, .ngrants = 1
	};
	struct verdict v;

	(void)state;
	policy_decide(&s, &web, PERM_FILES_RO | PERM_FORWARD_SOME, NOW, &v);
	assert_string_equal(v.run_as, "app");
	g.allow = (char *)"files:ro forward:db:1";
	policy_decide(&s, &web, PERM_FILES, NOW, &v);
	assert_null(v.run_as);
	assert_int_equal(v.perms, PERM_FILES_RO | PERM_FORWARD_SOME);
}

/* A stream runs as one user: what is granted as another is not on it. */
static void
what_may_be_had_as_one_user(void **state)
{
	struct subject_grant g[] = {
		{ .id = 1, .selector = (char *)"*", .allow = (char *)"shell files forward:db:1" },
		{ .id = 2,
		    .selector = (char *)"*",
		    .allow = (char *)"forward forward:*:22 files",
		    .run_as = (char *)"app" },
		{ .id = 3,
		    .selector = (char *)"*",
		    .allow = (char *)"forward:gone:1",
		    .until = NOW },
		{ .id = 4, .selector = (char *)"other", .allow = (char *)"forward:other:1" },
	};
	struct subject s = {
		.name = "alice", .standing.role = ROLE_USER, .grants = g, .ngrants = 4
	};
	char *items;

	(void)state;
	assert_int_equal(policy_as(&s, &web, NULL, NOW, &items),
	    PERM_SHELL | PERM_FILES | PERM_FILES_RO | PERM_FORWARD_SOME);
	assert_string_equal(items, "db:1");
	free(items);
	assert_int_equal(policy_as(&s, &web, "app", NOW, &items), PERM_FORWARD);
	assert_string_equal(items, "*:22");
	free(items);
	assert_int_equal(policy_as(&s, &web, "root", NOW, &items), 0);
	assert_string_equal(items, "");
	free(items);
}

/* What a grant that allows it says; `on` is not taken back by another. */
static void
recording_is_said_by_a_grant(void **state)
{
	static const struct {
		const char *record[3], *want;
	} t[] = {
		{ { NULL, NULL, NULL }, NULL }, { { NULL, "off", NULL }, "off" },
		{ { "on", NULL, NULL }, "on" }, { { "off", "on", NULL }, "on" },
		{ { "on", "off", NULL }, "on" },
		{ { NULL, NULL, "on" }, NULL }, /* that one allows no shell */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct subject_grant g[] = {
			{ .selector = (char *)"*", .allow = (char *)"shell", .id = 1 },
			{ .selector = (char *)"web-*", .allow = (char *)"shell,exec", .id = 2 },
			{ .selector = (char *)"*", .allow = (char *)"logs", .id = 3 },
		};
		struct subject s = { .name = "alice",
			.standing.role = ROLE_USER,
			.grants = g,
			.ngrants = COUNT(g) };
		struct verdict v;

		for (size_t n = 0; n < COUNT(g); n++)
			g[n].record = (char *)t[i].record[n];
		policy_decide(&s, &web, PERM_SHELL, NOW, &v);
		if (t[i].want == NULL)
			assert_null(v.record);
		else
			assert_string_equal(v.record, t[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_had_as_one_user),
		cmocka_unit_test(selectors_cover_what_they_say),
		cmocka_unit_test(missing_or_broken_facts_match_nothing),
		cmocka_unit_test(selector_check_says_why),
		cmocka_unit_test(permissions_parse_and_normalise),
		cmocka_unit_test(permissions_are_printed),
		cmocka_unit_test(run_as_is_a_user_and_perhaps_a_group),
		cmocka_unit_test(recording_is_said_by_a_grant),
		cmocka_unit_test(the_account_comes_first),
		cmocka_unit_test(the_owner_has_everything_and_nobody_else_has),
		cmocka_unit_test(an_inherited_owner_label_does_not_count),
		cmocka_unit_test(grants_add_up_and_the_first_names_the_account),
		cmocka_unit_test(run_as_is_chosen_among_what_grants_name),
		cmocka_unit_test(a_wider_permission_gives_the_narrower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
