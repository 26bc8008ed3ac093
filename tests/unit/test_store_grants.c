/* Nodes, grants and back-off as rows: in, out, refused, audited. */
#include "store_fixture.h"

/* ---- nodes ----------------------------------------------------------------- */

static int
copy_node(const struct node *n, void *arg)
{
	char row[256];

	snprintf(row, sizeof(row), "%lld|%s|%s|%s|%s|%s|%d|%d|%s|%s|%s", (long long)n->id, n->name,
	    n->url, or_dash(n->ca), or_dash(n->cert), or_dash(n->key), n->insecure, n->enabled,
	    or_dash(n->region), n->state, or_dash(n->last_error));
	return copied(arg, row);
}

static void
nodes_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct node n = { .name = "gpu1",
		.url = "tcp://gpu1:2376",
		.ca = "CA",
		.cert = "CERT",
		.key = "PEMKEY",
		.enabled = true,
		.region = "eu" };
	struct copy c = { 0 };

	assert_int_equal(node_add_first(f->st, &op, &n), 0);
	assert_string_equal(last_audit(f),
	    "node.add|operator:root(uid 0)|local|-|gpu1|url=tcp://gpu1:2376 tls=yes insecure=no");
	assert_int_equal(node_add_first(f->st, &op, &n), JB_EXISTS);
	assert_int_equal(node_add(f->st, &op, &n), JB_EXISTS);
	n.name = "GPU 2";
	assert_int_equal(node_add(f->st, &op, &n), JB_BAD_INPUT);
	n.name = "gpu2";
	n.url = "";
	assert_int_equal(node_add(f->st, &op, &n), JB_BAD_INPUT);
	assert_int_equal(node_get(f->st, "gpu1", copy_node, &c), 0);
	assert_int_equal(node_get_id(f->st, 1, copy_node, &c), 0);
	assert_int_equal(node_get(f->st, "gpu2", copy_node, &c), JB_NOT_FOUND);
	assert_int_equal(node_get_id(f->st, 2, copy_node, &c), JB_NOT_FOUND);
	assert_string_equal(c.text,
	    "1|gpu1|tcp://gpu1:2376|CA|CERT|PEMKEY|0|1|eu|unknown|-\n"
	    "1|gpu1|tcp://gpu1:2376|CA|CERT|PEMKEY|0|1|eu|unknown|-\n");
	assert_int_equal(node_enable(f->st, &op, "gpu1", false), 0);
	assert_int_equal(node_enable(f->st, &op, "gpu2", false), JB_NOT_FOUND);
	assert_int_equal(raw_int(f, "SELECT enabled FROM nodes"), 0);
	assert_int_equal(node_del(f->st, &op, "gpu1"), 0);
	assert_int_equal(node_del(f->st, &op, "gpu1"), JB_NOT_FOUND);
	assert_int_equal(node_each(f->st, copy_node, &c), 0);
	assert_int_equal(c.rows, 2);
}

static int
keep_node(const struct node *n, void *arg)
{
	*(struct node **)arg = node_dup(n);
	return 0;
}

static void
a_copy_outlives_its_row(void **state)
{
	struct fixture *f = *state;
	const struct node all = { .name = "all",
		.url = "u",
		.ca = "C",
		.cert = "D",
		.key = "K",
		.insecure = true,
		.enabled = true,
		.region = "eu" };
	const struct node least = { .name = "least", .url = "v" };
	struct node *kept[2];
	struct copy c = { 0 };

	assert_int_equal(node_add(f->st, &op, &all), 0);
	assert_int_equal(node_add(f->st, &op, &least), 0);
	assert_int_equal(node_set_failed(f->st, 1, "no answer"), 0);
	assert_int_equal(node_get(f->st, "all", keep_node, &kept[0]), 0);
	assert_int_equal(node_get(f->st, "least", keep_node, &kept[1]), 0);
	fixture_close(f);
	copy_node(kept[0], &c);
	copy_node(kept[1], &c);
	assert_string_equal(
	    c.text, "1|all|u|C|D|K|1|1|eu|failed|no answer\n2|least|v|-|-|-|0|0|-|unknown|-\n");
	node_free(kept[0]);
	node_free(kept[1]);
	node_free(NULL);
}

static void
node_settings(void **state)
{
	static const struct {
		const char *key, *value;
		int want;
		const char *detail;
	} cases[] = {
		/* clang-format off */
		{ "url",      "tcp://b:2376", 0,            "url=tcp://b:2376" },
		{ "url",      "",             JB_BAD_INPUT, NULL },
		{ "region",   "us",           0,            "region=us" },
		{ "region",   "",             0,            "region=" },
		{ "insecure", "yes",          0,            "insecure=yes" },
		{ "insecure", "1",            JB_BAD_INPUT, NULL },
		{ "ca",       "CA",           0,            "ca replaced" },
		{ "cert",     "CERT",         0,            "cert replaced" },
		{ "key",      "PEMKEY",       0,            "key replaced" },
		{ "key",      "",             0,            "key removed" },
		{ "record",   "on",           0,            "record=on" },
		{ "record",   "",             0,            "record=" },
		{ "record",   "yes",          JB_BAD_INPUT, NULL },
		{ "state",    "connected",    JB_BAD_INPUT, NULL },
		/* clang-format on */
	};
	struct fixture *f = *state;
	struct copy c = { 0 };
	char want[128];

	add_node(f, "gpu1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    node_set(f->st, &op, "gpu1", cases[i].key, cases[i].value), cases[i].want);
		if (cases[i].detail == NULL)
			continue;
		snprintf(want, sizeof(want), "node.set|operator:root(uid 0)|local|-|gpu1|%s",
		    cases[i].detail);
		assert_string_equal(last_audit(f), want);
	}
	assert_int_equal(node_set(f->st, &op, "none", "region", "eu"), JB_NOT_FOUND);
	assert_int_equal(node_set(f->st, &op, "gpu1", "role", "admin"), JB_BAD_INPUT);
	assert_string_equal(store_error(f->st),
	    "no such setting: role (url region insecure ca cert key record helper)");
	assert_int_equal(node_each(f->st, copy_node, &c), 0);
	assert_string_equal(c.text, "1|gpu1|tcp://b:2376|CA|CERT|-|1|1|-|unknown|-\n");
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit WHERE detail LIKE '%PEMKEY%'"), 0);
}

/* What a watcher of the node was started with. */
static int
keep_copy(const struct node *n, void *arg)
{
	*(struct node **)arg = node_dup(n);
	return 0;
}

static void
a_node_is_current_until_it_is_changed(void **state)
{
	struct fixture *f = *state;
	struct node *n;
	int64_t unseen;

	add_node(f, "gpu1");
	assert_int_equal(node_count_unseen(f->st, &unseen), 0);
	assert_int_equal(unseen, 1);
	assert_int_equal(node_get(f->st, "gpu1", keep_copy, &n), 0);
	assert_int_equal(node_current(f->st, n), 0);
	assert_int_equal(node_set_connected(f->st, 1), 0);
	assert_int_equal(node_count_unseen(f->st, &unseen), 0);
	assert_int_equal(unseen, 0);
	assert_int_equal(node_set(f->st, &op, "gpu1", "region", "north"), 0);
	assert_int_equal(node_current(f->st, n), 0);
	assert_int_equal(node_enable(f->st, &op, "gpu1", false), 0);
	assert_int_equal(node_current(f->st, n), JB_NOT_FOUND);
	assert_string_equal(raw_text(f, "SELECT state FROM nodes"), "unknown");
	assert_int_equal(node_enable(f->st, &op, "gpu1", true), 0);
	assert_int_equal(node_current(f->st, n), JB_NOT_FOUND); /* it is looked at anew */
	node_free(n);
	assert_int_equal(node_get(f->st, "gpu1", keep_copy, &n), 0);
	assert_int_equal(node_current(f->st, n), 0);
	assert_int_equal(node_set(f->st, &op, "gpu1", "url", "tcp://b:1"), 0);
	assert_int_equal(node_current(f->st, n), JB_NOT_FOUND);
	node_free(n);
}

/* ---- grants ---------------------------------------------------------------- */

static int
copy_grant(const struct grant *g, void *arg)
{
	char row[256];

	snprintf(row, sizeof(row), "%lld|%s|%s|%s|%s|%s|%lld|%s", (long long)g->id,
	    or_dash(g->user), or_dash(g->group), g->selector, g->allow, or_dash(g->run_as),
	    (long long)g->until, or_dash(g->record));
	return copied(arg, row);
}

static void
grants_come_and_go(void **state)
{
	struct fixture *f = *state;
	const struct grant own = { .user = "alice",
		.selector = "gpu1/*",
		.allow = "shell,exec",
		.run_as = "dev:dev",
		.until = 77,
		.record = "on" };
	const struct grant shared = {
		.group = "ml", .selector = "label:team=ml", .allow = "shell"
	};
	const struct grant others = { .user = "bob", .selector = "*", .allow = "shell" };
	struct copy mine = { 0 }, all = { 0 };
	int64_t id = 0;

	add_user(f, "alice");
	add_user(f, "bob");
	assert_int_equal(group_add(f->st, &op, "ml"), 0);
	assert_int_equal(group_join(f->st, &op, "ml", "alice"), 0);
	assert_int_equal(grant_add(f->st, &op, &own, &id), 0);
	assert_int_equal(id, 1);
	assert_string_equal(last_audit(f),
	    "grant.add|operator:root(uid 0)|local|alice|1|to=alice selector=gpu1/* "
	    "allow=shell,exec as=dev:dev until=77 record=on");
	assert_int_equal(grant_add(f->st, &op, &others, &id), 0);
	assert_int_equal(grant_add(f->st, &op, &shared, &id), 0);
	assert_int_equal(id, 3);
	assert_int_equal(grant_each_of(f->st, "alice", copy_grant, &mine), 0);
	assert_string_equal(mine.text,
	    "1|alice|-|gpu1/*|shell,exec|dev:dev|77|on\n"
	    "3|-|ml|label:team=ml|shell|-|0|-\n");
	assert_int_equal(grant_each_of(f->st, "carol", copy_grant, &mine), JB_NOT_FOUND);
	assert_int_equal(grant_del(f->st, &op, 3), 0);
	assert_string_equal(last_audit(f),
	    "grant.del|operator:root(uid 0)|local|-|3|to=@ml selector=label:team=ml "
	    "allow=shell as=- until=0 record=-");
	assert_int_equal(grant_del(f->st, &op, 3), JB_NOT_FOUND);
	assert_string_equal(store_error(f->st), "no such grant: 3");
	assert_int_equal(grant_add(f->st, &op, &shared, &id), 0);
	assert_int_equal(id, 4); /* a number is given once */
	assert_int_equal(grant_each(f->st, copy_grant, &all), 0);
	assert_int_equal(all.rows, 3);
	assert_int_equal(grant_del(f->st, &op, 1), 0);
	assert_string_equal(last_audit(f),
	    "grant.del|operator:root(uid 0)|local|alice|1|to=alice selector=gpu1/* "
	    "allow=shell,exec as=dev:dev until=77 record=on");
}

static void
grants_are_refused(void **state)
{
	static const struct {
		struct grant g;
		int want;
	} cases[] = {
		/* clang-format off */
		{ { .selector = "*", .allow = "shell" },                                    JB_BAD_INPUT },
		{ { .user = "alice", .group = "ml", .selector = "*", .allow = "shell" },    JB_BAD_INPUT },
		{ { .user = "bob", .selector = "*", .allow = "shell" },                     JB_NOT_FOUND },
		{ { .group = "none", .selector = "*", .allow = "shell" },                   JB_NOT_FOUND },
		{ { .user = "alice", .selector = "", .allow = "shell" },                    JB_BAD_INPUT },
		{ { .user = "alice", .selector = "*", .allow = "" },                        JB_BAD_INPUT },
		{ { .user = "alice", .selector = "*", .allow = NULL },                      JB_BAD_INPUT },
		{ { .user = "alice", .selector = "*", .allow = "shell", .until = -1 },      JB_BAD_INPUT },
		/* clang-format on */
	};
	struct fixture *f = *state;
	int64_t id = 55;

	add_user(f, "alice");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(grant_add(f->st, &op, &cases[i].g, &id), cases[i].want);
	assert_int_equal(id, 55);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM grants"), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit WHERE event LIKE 'grant%'"), 0);
}

/* ---- back-off -------------------------------------------------------------- */

static void
backoff_grows_and_ends(void **state)
{
	static const int waits[] = { 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };
	struct fixture *f = *state;
	int64_t until = -1;

	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "alice", &until), 0);
	assert_int_equal(until, 0);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t before = now_unix();

		assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "10.0.0.1", 3), 0);
		until = raw_int(
		    f, "SELECT blocked_until FROM login_failures WHERE what = 'user:alice'");
		if (waits[i] == 0)
			assert_int_equal(until, 0);
		else
			assert_in_range(until, before + 1 + waits[i], now_unix() + 1 + waits[i]);
	}
	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "alice", &until), 0);
	assert_true(until > now_unix() + 200);
	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "bob", &until), 0);
	assert_int_equal(until, 0);
	/* Whom she guesses for, her address waits. */
	assert_int_equal(backoff_until(f->st, BACKOFF_SOURCE, "10.0.0.1", &until), 0);
	assert_true(until > now_unix() + 200);
	/* An hour without a failure forgets. */
	assert_int_equal(raw(f, "UPDATE login_failures SET last = last - 3700"), SQLITE_OK);
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "10.0.0.1", 3), 0);
	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "alice", &until), 0);
	assert_int_equal(until, 0);
	assert_int_equal(
	    raw_int(f, "SELECT failures FROM login_failures WHERE what = 'user:alice'"), 1);
}

static void
backoff_is_cleared(void **state)
{
	struct fixture *f = *state;
	int64_t until;

	add_user(f, "alice");
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "10.0.0.1", 0), 0); /* off */
	assert_int_equal(raw_int(f, "SELECT count(*) FROM login_failures"), 0);
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, NULL, "10.0.0.1", 1), 0);
	assert_int_equal(backoff_unlock(f->st, &op, BACKOFF_SOURCE, "10.0.0.1"), 0);
	assert_string_equal(
	    last_audit(f), "backoff.unlock|operator:root(uid 0)|local|-|source:10.0.0.1|-");
	assert_int_equal(backoff_unlock(f->st, &op, BACKOFF_SOURCE, "10.0.0.1"), JB_NOT_FOUND);
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "10.0.0.1", 1), 0);
	assert_int_equal(backoff_clear(f->st, BACKOFF_USER, "alice"), 0);
	assert_int_equal(backoff_clear(f->st, BACKOFF_USER, "alice"), 0);
	assert_int_equal(backoff_fail(f->st, BACKOFF_USER, "alice", "10.0.0.1", 1), 0);
	assert_int_equal(user_set_locked(f->st, &op, "alice", true), 0);
	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "alice", &until), 0);
	assert_true(until != 0);
	assert_int_equal(user_set_locked(f->st, &op, "alice", false), 0);
	assert_string_equal(last_audit(f), "user.unlock|operator:root(uid 0)|local|alice|-|-");
	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "alice", &until), 0);
	assert_int_equal(until, 0);
	assert_int_equal(user_set_locked(f->st, &op, "bob", false), JB_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(nodes_come_and_go),
		FIXTURE_TEST(a_copy_outlives_its_row),
		FIXTURE_TEST(node_settings),
		FIXTURE_TEST(a_node_is_current_until_it_is_changed),
		FIXTURE_TEST(grants_come_and_go),
		FIXTURE_TEST(grants_are_refused),
		FIXTURE_TEST(backoff_grows_and_ends),
		FIXTURE_TEST(backoff_is_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
