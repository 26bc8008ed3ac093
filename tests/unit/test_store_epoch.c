/*
 * The policy epoch: which changes move it, so that running sessions look
 * again, and which do not, so that they are left alone.
 */
#include "store_fixture.h"

static int64_t session_id, attach_id;

static int
do_user_add(struct store *st)
{
	const struct user u = { .name = "bob", .standing.role = ROLE_USER, .hash = "$one" };

	return user_add(st, &op, &u);
}

static int
do_user_role(struct store *st)
{
	return user_set(st, &op, "alice", "role", "admin");
}

static int
do_user_expires(struct store *st)
{
	return user_set(st, &op, "alice", "expires", "+8h");
}

static int
do_user_menu(struct store *st)
{
	return user_set(st, &op, "alice", "menu", "plain");
}

static int
do_user_lock(struct store *st)
{
	return user_set_locked(st, &op, "alice", true);
}

static int
do_user_passwd(struct store *st)
{
	return user_set_hash(st, &op, "alice", "$two", true);
}

static int
do_user_rehash(struct store *st)
{
	return user_rehash(st, "alice", "$two", "$three");
}

static int
do_user_del(struct store *st)
{
	return user_del(st, &op, "bob");
}

static int
do_key_add(struct store *st)
{
	const struct user_key k = {
		.user = "alice", .algorithm = "a", .blob = "b", .fingerprint = "f"
	};

	return key_add(st, &op, &k);
}

static int
do_key_del(struct store *st)
{
	return key_del(st, &op, "alice", "f");
}

static int
do_group_add(struct store *st)
{
	return group_add(st, &op, "ml");
}

static int
do_group_join(struct store *st)
{
	return group_join(st, &op, "ml", "alice");
}

static int
do_group_leave(struct store *st)
{
	return group_leave(st, &op, "ml", "alice");
}

static int
do_group_del(struct store *st)
{
	return group_del(st, &op, "ml");
}

static int
do_node_add(struct store *st)
{
	const struct node n = { .name = "gpu2", .url = "unix:///x", .enabled = true };

	return node_add(st, &op, &n);
}

static int
do_node_set(struct store *st)
{
	return node_set(st, &op, "gpu1", "key", "PEM");
}

static int
do_node_disable(struct store *st)
{
	return node_enable(st, &op, "gpu1", false);
}

static int
do_node_del(struct store *st)
{
	return node_del(st, &op, "gpu2");
}

static int
do_node_connected(struct store *st)
{
	return node_set_connected(st, 1);
}

static int
do_node_failed(struct store *st)
{
	return node_set_failed(st, 1, "no answer");
}

static int
do_replace(struct store *st)
{
	const struct container c = {
		.id = "abc", .name = "web", .image = "i", .state = "running", .labels = "{}"
	};

	return container_replace(st, 1, &c, 1);
}

static int
do_replace_none(struct store *st)
{
	return container_replace(st, 1, NULL, 0);
}

static int
do_grant_add(struct store *st)
{
	const struct grant g = { .user = "alice", .selector = "*", .allow = "shell" };

	return grant_add(st, &op, &g, NULL);
}

static int
do_grant_del(struct store *st)
{
	return grant_del(st, &op, 1);
}

static int
do_session_open(struct store *st)
{
	const struct session s = { .conn = 1,
		.user = "alice",
		.source = "::1",
		.method = "password",
		.host = "h",
		.boot_id = "b",
		.pid = 1,
		.pid_start = 1 };

	return session_open(st, &s, 0, 0, &session_id);
}

static int
do_attach_open(struct store *st)
{
	const struct attach a = { .session_id = session_id,
		.marker = "1.1",
		.node = "gpu1",
		.container_id = "abc",
		.container = "web",
		.kind = "shell" };

	return attach_open(st, &op, &a, &attach_id);
}

static int
do_attach_exec(struct store *st)
{
	return attach_set_exec(st, attach_id, "exec");
}

static int
do_attach_leave(struct store *st)
{
	return attach_leave(st, attach_id, 1, 2, "exit");
}

static int
do_attach_close(struct store *st)
{
	return attach_close(st, &op, attach_id, 1, 2, 0, "exit");
}

static int
do_session_kill(struct store *st)
{
	return session_kill(st, &op, session_id, "bye");
}

static int
do_session_close(struct store *st)
{
	return session_close(st, session_id, "killed");
}

static int
do_backoff(struct store *st)
{
	return backoff_fail(st, BACKOFF_USER, "alice", "10.0.0.1", 1);
}

static int
do_backoff_unlock(struct store *st)
{
	return backoff_unlock(st, &op, BACKOFF_USER, "alice");
}

static int
do_audit(struct store *st)
{
	return audit_add(st, &op, "x.y", NULL, NULL, NULL);
}

static int
do_maintain(struct store *st)
{
	int64_t n;

	return store_maintain(st, now_unix(), &n);
}

/* In this order on one database. */
static const struct step {
	const char *name;
	int (*act)(struct store *);
	bool moves;
} steps[] = {
	/* clang-format off */
	{ "user add",        do_user_add,       true },
	{ "user role",       do_user_role,      true },
	{ "user expires",    do_user_expires,   true },
	{ "user menu",       do_user_menu,      true },
	{ "user lock",       do_user_lock,      true },
	{ "user passwd",     do_user_passwd,    true },
	{ "re-hash",         do_user_rehash,    false },
	{ "user del",        do_user_del,       true },
	{ "key add",         do_key_add,        true },
	{ "key del",         do_key_del,        true },
	{ "group add",       do_group_add,      true },
	{ "group join",      do_group_join,     true },
	{ "group leave",     do_group_leave,    true },
	{ "group del",       do_group_del,      true },
	{ "node add",        do_node_add,       true },
	{ "node set",        do_node_set,       true },
	{ "node disable",    do_node_disable,   true },
	{ "node del",        do_node_del,       true },
	{ "node connected",  do_node_connected, false },
	{ "node failed",     do_node_failed,    false },
	{ "listing",         do_replace,        false },
	{ "empty listing",   do_replace_none,   false },
	{ "grant add",       do_grant_add,      true },
	{ "grant del",       do_grant_del,      true },
	{ "session open",    do_session_open,   false },
	{ "attach open",     do_attach_open,    false },
	{ "attach exec",     do_attach_exec,    false },
	{ "attach leave",    do_attach_leave,   false },
	{ "attach close",    do_attach_close,   false },
	{ "session kill",    do_session_kill,   true },
	{ "session close",   do_session_close,  false },
	{ "failed password", do_backoff,        false },
	{ "back-off unlock", do_backoff_unlock, false },
	{ "audit",           do_audit,          false },
	{ "maintenance",     do_maintain,       false },
	/* clang-format on */
};

static void
each_change_moves_it_or_not(void **state)
{
	struct fixture *f = *state;

	add_user(f, "alice");
	add_node(f, "gpu1");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t before = epoch(f);
		int err = steps[i].act(f->st);

		if (err)
			fail_msg("%s: %d: %s", steps[i].name, err, store_error(f->st));
		if ((epoch(f) > before) != steps[i].moves)
			fail_msg("%s: the epoch went from %lld to %lld", steps[i].name,
			    (long long)before, (long long)epoch(f));
	}
}

static void
what_goes_with_a_user_moves_it_too(void **state)
{
	struct fixture *f = *state;
	int64_t before;

	add_user(f, "alice");
	assert_int_equal(do_grant_add(f->st), 0);
	before = epoch(f);
	assert_int_equal(user_del(f->st, &op, "alice"), 0);
	assert_int_equal(epoch(f), before + 2); /* the user and the grant */
}

static void
a_refused_change_does_not(void **state)
{
	struct fixture *f = *state;
	int64_t before;

	add_user(f, "alice");
	before = epoch(f);
	assert_int_equal(do_user_del(f->st), JB_NOT_FOUND);
	assert_int_equal(
	    user_add(f->st, &op, &(struct user){ .name = "alice", .standing.role = ROLE_USER }),
	    JB_EXISTS);
	assert_int_equal(epoch(f), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(each_change_moves_it_or_not),
		FIXTURE_TEST(what_goes_with_a_user_moves_it_too),
		FIXTURE_TEST(a_refused_change_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
