/*
 * Users, keys and groups: what goes in comes out, what may not go in does
 * not, and every change has its audit row.
 */
#include "store_fixture.h"

/* ---- users ---------------------------------------------------------------- */

static int
copy_user(const struct user *u, void *arg)
{
	char row[256];

	snprintf(row, sizeof(row), "%s|%s|%d|%d|%d|%lld|%s|%s|%lld", u->name, or_dash(u->hash),
	    u->standing.role, u->standing.locked, u->must_change, (long long)u->standing.expires,
	    or_dash(u->language), or_dash(u->menu), (long long)u->max_sessions);
	return copied(arg, row);
}

static void
a_user_comes_back_as_added(void **state)
{
	struct fixture *f = *state;
	const struct user u = {
		.name = "alice",
		.hash = "$argon2id$secret",
		.standing.role = ROLE_ADMIN,
		.must_change = true,
		.standing.expires = 2000000000,
		.language = "zh",
		.max_sessions = 3,
	};
	struct copy c = { 0 };

	assert_int_equal(user_add(f->st, &op, &u), 0);
	assert_string_equal(last_audit(f),
	    "user.add|operator:root(uid 0)|local|alice|-|role=admin password=yes "
	    "expires=2000000000");
	assert_int_equal(user_get(f->st, "alice", copy_user, &c), 0);
	assert_string_equal(c.text, "alice|$argon2id$secret|2|0|1|2000000000|zh|-|3\n");
	assert_true(raw_int(f, "SELECT created FROM users") >= now_unix() - 60);
	assert_int_equal(user_get(f->st, "bob", copy_user, &c), JB_NOT_FOUND);
	assert_string_equal(store_error(f->st), "no such user: bob");
}

static void
users_are_refused_and_leave_no_trace(void **state)
{
	static const struct {
		struct user u;
		int want;
	} cases[] = {
		/* clang-format off */
		{ { .name = "alice",  .standing.role = ROLE_USER },                      JB_EXISTS },
		{ { .name = "Bob",    .standing.role = ROLE_USER },                      JB_BAD_INPUT },
		{ { .name = "",       .standing.role = ROLE_USER },                      JB_BAD_INPUT },
		{ { .name = "a'b",    .standing.role = ROLE_USER },                      JB_BAD_INPUT },
		{ { .name = "bob",    .standing.role = ROLE_NONE },                      JB_BAD_INPUT },
		{ { .name = "bob",    .standing.role = ROLE_USER, .standing.expires = -1 },       JB_BAD_INPUT },
		{ { .name = "bob",    .standing.role = ROLE_USER, .max_sessions = -1 },  JB_BAD_INPUT },
		/* clang-format on */
	};
	struct fixture *f = *state;
	long rows;

	add_user(f, "alice");
	rows = raw_int(f, "SELECT count(*) FROM audit");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(user_add(f->st, &op, &cases[i].u), cases[i].want);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM users"), 1);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit"), rows);
}

static void
an_unknown_role_is_none(void **state)
{
	struct fixture *f = *state;
	struct copy c = { 0 };

	add_user(f, "alice");
	assert_int_equal(raw(f, "UPDATE users SET role = 'root'"), SQLITE_OK);
	assert_int_equal(user_get(f->st, "alice", copy_user, &c), 0);
	assert_string_equal(c.text, "alice|$hash|0|0|0|0|-|-|0\n");
}

static int
nested(const struct user *u, void *arg)
{
	struct copy *c = ((void **)arg)[1];

	assert_int_equal(user_get(((void **)arg)[0], u->name, copy_user, c), 0);
	return user_each(((void **)arg)[0], copy_user, c);
}

static void
walks_are_ordered_nested_and_stopped(void **state)
{
	struct fixture *f = *state;
	struct copy c = { .stop_after = 2 }, inner = { 0 };
	void *args[] = { f->st, &inner };

	add_user(f, "carol");
	add_user(f, "alice");
	add_user(f, "bob");
	assert_int_equal(user_each(f->st, copy_user, &c), 42);
	assert_string_equal(c.text, "alice|$hash|1|0|0|0|-|-|0\nbob|$hash|1|0|0|0|-|-|0\n");
	assert_int_equal(user_each(f->st, nested, args), 0);
	assert_int_equal(inner.rows, 3 * (1 + 3));
	add_user(f, "dave"); /* nothing was left open */
}

static void
passwords_change_and_stay_out_of_the_audit(void **state)
{
	struct fixture *f = *state;
	struct copy c = { 0 };
	long rows;

	add_user(f, "alice");
	assert_int_equal(user_set_hash(f->st, &op, "alice", "$new$hash", true), 0);
	assert_int_equal(user_set_hash(f->st, &op, "bob", "$new$hash", true), JB_NOT_FOUND);
	rows = raw_int(f, "SELECT count(*) FROM audit");
	assert_int_equal(user_rehash(f->st, "alice", "$hash", "$stale"), JB_NOT_FOUND);
	assert_int_equal(user_rehash(f->st, "alice", "$new$hash", "$better"), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit"), rows);
	assert_int_equal(user_get(f->st, "alice", copy_user, &c), 0);
	assert_string_equal(c.text, "alice|$better|1|0|1|0|-|-|0\n");
	/* The user's own change, and an administrator's that came before it. */
	assert_int_equal(user_change_hash(f->st, &op, "alice", "$new$hash", "$own"), JB_NOT_FOUND);
	assert_int_equal(user_change_hash(f->st, &op, "alice", NULL, "$own"), JB_NOT_FOUND);
	assert_int_equal(user_change_hash(f->st, &op, "alice", "$better", "$own"), 0);
	c = (struct copy){ 0 };
	assert_int_equal(user_get(f->st, "alice", copy_user, &c), 0);
	assert_string_equal(c.text, "alice|$own|1|0|0|0|-|-|0\n");
	assert_int_equal(raw_int(f,
			     "SELECT count(*) FROM audit WHERE detail LIKE '%hash%'"
			     " OR detail LIKE '%better%'"),
	    0);
}

static void
user_settings(void **state)
{
	static const struct {
		const char *key, *value;
		int want;
		const char *column, *becomes;
	} cases[] = {
		/* clang-format off */
		{ "role",         "admin",      0,            "role",         "admin" },
		{ "role",         "user",       0,            "role",         "user" },
		{ "role",         "",           JB_BAD_INPUT, "role",         "user" },
		{ "role",         "root",       JB_BAD_INPUT, "role",         "user" },
		{ "language",     "zh",         0,            "language",     "zh" },
		{ "language",     "xx",         JB_BAD_INPUT, "language",     "zh" },
		{ "language",     "",           0,            "language",     "NULL" },
		{ "menu",         "plain",      0,            "menu",         "plain" },
		{ "menu",         "fancy",      JB_BAD_INPUT, "menu",         "plain" },
		{ "max-sessions", "7",          0,            "max_sessions", "7" },
		{ "max-sessions", "-7",         JB_BAD_INPUT, "max_sessions", "7" },
		{ "max-sessions", "7x",         JB_BAD_INPUT, "max_sessions", "7" },
		{ "max-sessions", "",           JB_BAD_INPUT, "max_sessions", "7" },
		{ "max-sessions", "99999999999999999999", JB_BAD_INPUT, "max_sessions", "7" },
		{ "expires",      "tomorrow",   JB_BAD_INPUT, "expires",      "0" },
		{ "expires",      "never",      0,            "expires",      "0" },
		{ "hash",         "x",          JB_BAD_INPUT, "hash",         "$hash" },
		{ "name",         "x",          JB_BAD_INPUT, "name",         "alice" },
		/* clang-format on */
	};
	struct fixture *f = *state;
	char sql[64];

	add_user(f, "alice");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    user_set(f->st, &op, "alice", cases[i].key, cases[i].value), cases[i].want);
		snprintf(sql, sizeof(sql), "SELECT %s FROM users", cases[i].column);
		assert_string_equal(raw_text(f, sql), cases[i].becomes);
	}
	assert_int_equal(user_set(f->st, &op, "alice", "expires", "+8h"), 0);
	assert_in_range(raw_int(f, "SELECT expires FROM users"), now_unix() + 8 * 3600 - 60,
	    now_unix() + 8 * 3600);
	assert_string_equal(
	    last_audit(f), "user.set|operator:root(uid 0)|local|alice|-|expires=+8h");
	assert_int_equal(user_set(f->st, &op, "bob", "role", "admin"), JB_NOT_FOUND);
	assert_int_equal(user_set(f->st, &op, "alice", "colour", "blue"), JB_BAD_INPUT);
	assert_string_equal(store_error(f->st),
	    "no such setting: colour (role language menu max-sessions expires totp)");
	assert_int_equal(user_set(f->st, &op, "alice", "menu", "wide"), JB_BAD_INPUT);
	assert_string_equal(store_error(f->st), "menu: full or plain, or \"\" for none");
}

static void
deleting_a_user_takes_everything_of_it(void **state)
{
	struct fixture *f = *state;
	const struct user_key k = { .user = "alice",
		.algorithm = "ssh-ed25519",
		.blob = "AAAA",
		.fingerprint = "SHA256:x" };
	const struct grant g = { .user = "alice", .selector = "*", .allow = "shell" };

	add_user(f, "alice");
	assert_int_equal(key_add(f->st, &op, &k), 0);
	assert_int_equal(grant_add(f->st, &op, &g, NULL), 0);
	assert_int_equal(group_add(f->st, &op, "ml"), 0);
	assert_int_equal(group_join(f->st, &op, "ml", "alice"), 0);
	assert_int_equal(user_del(f->st, &op, "alice"), 0);
	assert_int_equal(
	    raw_int(f,
		"SELECT (SELECT count(*) FROM user_keys) + (SELECT count(*) FROM grants)"
		" + (SELECT count(*) FROM group_members)"),
	    0);
	assert_int_equal(user_del(f->st, &op, "alice"), JB_NOT_FOUND);
	assert_string_equal(last_audit(f), "user.del|operator:root(uid 0)|local|alice|-|-");
}

/* ---- keys ------------------------------------------------------------------ */

static int
copy_key(const struct user_key *k, void *arg)
{
	char row[256];

	snprintf(row, sizeof(row), "%s|%s|%s|%s|%s|%s|%lld", k->user, k->algorithm, k->blob,
	    k->fingerprint, or_dash(k->comment), or_dash(k->from), (long long)k->until);
	return copied(arg, row);
}

static void
keys_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct user_key k = { "alice", "ssh-ed25519", "AAAA", "SHA256:x", "laptop", "10.0.0.0/8",
		99, 0 };
	struct copy c = { 0 };

	assert_int_equal(key_add(f->st, &op, &k), JB_NOT_FOUND);
	add_user(f, "alice");
	add_user(f, "bob");
	assert_int_equal(key_add(f->st, &op, &k), 0);
	assert_string_equal(last_audit(f),
	    "key.add|operator:root(uid 0)|local|alice|SHA256:x|from=10.0.0.0/8 until=99");
	assert_int_equal(key_add(f->st, &op, &k), JB_EXISTS);
	k = (struct user_key){ "bob", "ssh-rsa", "BBBB", "SHA256:x", NULL, NULL, 0, 0 };
	assert_int_equal(key_add(f->st, &op, &k), 0); /* the same key, for another user */
	assert_string_equal(
	    last_audit(f), "key.add|operator:root(uid 0)|local|bob|SHA256:x|from=- until=0");
	assert_int_equal(key_each(f->st, "alice", copy_key, &c), 0);
	assert_int_equal(key_each(f->st, "bob", copy_key, &c), 0);
	assert_int_equal(key_each(f->st, "carol", copy_key, &c), 0);
	assert_string_equal(c.text,
	    "alice|ssh-ed25519|AAAA|SHA256:x|laptop|10.0.0.0/8|99\n"
	    "bob|ssh-rsa|BBBB|SHA256:x||-|0\n");
	assert_int_equal(key_del(f->st, &op, "alice", "SHA256:y"), JB_NOT_FOUND);
	assert_int_equal(key_del(f->st, &op, "alice", "SHA256:x"), 0);
	assert_int_equal(key_del(f->st, &op, "alice", "SHA256:x"), JB_NOT_FOUND);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM user_keys"), 1);
}

/* ---- groups ---------------------------------------------------------------- */

static int
copy_member(const char *group, const char *user, void *arg)
{
	char row[128];

	snprintf(row, sizeof(row), "%s|%s", group, or_dash(user));
	return copied(arg, row);
}

static void
groups_and_members(void **state)
{
	struct fixture *f = *state;
	struct copy c = { 0 };

	add_user(f, "alice");
	add_user(f, "bob");
	assert_int_equal(group_add(f->st, &op, "ml"), 0);
	assert_int_equal(group_add(f->st, &op, "empty"), 0);
	assert_int_equal(group_add(f->st, &op, "ml"), JB_EXISTS);
	assert_int_equal(group_add(f->st, &op, "@ml"), JB_BAD_INPUT);
	assert_int_equal(group_join(f->st, &op, "ml", "bob"), 0);
	assert_int_equal(group_join(f->st, &op, "ml", "alice"), 0);
	assert_string_equal(last_audit(f), "group.join|operator:root(uid 0)|local|alice|ml|-");
	assert_int_equal(group_join(f->st, &op, "ml", "alice"), JB_EXISTS);
	assert_int_equal(group_join(f->st, &op, "none", "alice"), JB_NOT_FOUND);
	assert_string_equal(store_error(f->st), "no such group: none");
	assert_int_equal(group_join(f->st, &op, "ml", "carol"), JB_NOT_FOUND);
	assert_int_equal(group_each(f->st, copy_member, &c), 0);
	assert_string_equal(c.text, "empty|-\nml|alice\nml|bob\n");
	assert_int_equal(group_leave(f->st, &op, "ml", "alice"), 0);
	assert_int_equal(group_leave(f->st, &op, "ml", "alice"), JB_NOT_FOUND);
	assert_int_equal(group_del(f->st, &op, "ml"), 0);
	assert_int_equal(group_del(f->st, &op, "ml"), JB_NOT_FOUND);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM group_members"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_user_comes_back_as_added),
		FIXTURE_TEST(users_are_refused_and_leave_no_trace),
		FIXTURE_TEST(an_unknown_role_is_none),
		FIXTURE_TEST(walks_are_ordered_nested_and_stopped),
		FIXTURE_TEST(passwords_change_and_stay_out_of_the_audit),
		FIXTURE_TEST(user_settings),
		FIXTURE_TEST(deleting_a_user_takes_everything_of_it),
		FIXTURE_TEST(keys_come_and_go),
		FIXTURE_TEST(groups_and_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
