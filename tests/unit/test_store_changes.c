/*
 * What changed in the inventory since a mark: rows, rows of a node that changed,
 * refs that are gone; and who was last in a container.
 */
#include "store_fixture.h"

static const struct container web = {
	.id = "aaa", .name = "web", .image = "nginx", .state = "running", .labels = "{}"
};
static const struct container db = {
	.id = "bbb", .name = "db", .image = "postgres", .state = "running", .labels = "{}"
};

static int
see(const struct container *c, void *arg)
{
	char row[128];

	snprintf(row, sizeof(row), "%s/%s %s %s%s%s", c->node, c->name, c->node_state, c->state,
	    c->health[0] != '\0' ? " " : "", c->health);
	return copied(arg, row);
}

static int
see_gone(int64_t ref, void *arg)
{
	char row[24];

	snprintf(row, sizeof(row), "%lld", (long long)ref);
	return copied(arg, row);
}

static int64_t
mark(struct fixture *f)
{
	int64_t m = 0;

	assert_int_equal(inventory_mark(f->st, &m), 0);
	assert_true(m > 0);
	return m;
}

static void
changed(struct fixture *f, int64_t since, const char *rows, const char *gone)
{
	struct copy c = { .rows = 0 }, g = { .rows = 0 };

	assert_int_equal(container_each_since(f->st, since, see, &c), 0);
	assert_string_equal(c.text, rows);
	assert_int_equal(container_each_gone(f->st, since, see_gone, &g), 0);
	assert_string_equal(g.text, gone);
}

static void
rows_that_changed_and_refs_that_are_gone(void **state)
{
	struct fixture *f = *state;
	struct container list[] = { web, db };
	int64_t m;

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	changed(f, 1, "gpu1/web connected running\ngpu1/db connected running\n", "");
	m = mark(f);
	changed(f, m, "", "");
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	assert_int_equal(mark(f), m);
	list[1].state = "exited";
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	changed(f, m, "gpu1/db connected exited\n", "");
	list[0].health = "healthy";
	list[0].inspected = true;
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	changed(f, m, "gpu1/db connected exited\ngpu1/web connected running healthy\n", "");
	m = mark(f);
	assert_int_equal(container_replace(f->st, 1, list, 1), 0);
	changed(f, m, "", "2\n");
	changed(f, mark(f), "", "");
}

/* What was not looked at keeps what is known of it. */
static void
what_was_not_inspected_stays(void **state)
{
	struct fixture *f = *state;
	struct container c = web;
	int64_t m;

	c.inspected = true;
	c.health = "healthy";
	c.gpus = "all";
	c.started = 5;
	c.finished = 6;
	c.exit_code = 7;
	c.oom = true;
	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, &c, 1), 0);
	m = mark(f);
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_int_equal(mark(f), m);
	c = web;
	c.state = "exited";
	assert_int_equal(container_replace(f->st, 1, &c, 1), 0);
	changed(f, m, "gpu1/web connected exited healthy\n", "");
	assert_string_equal(
	    raw_text(f, "SELECT gpus || started || finished || exit_code || oom FROM containers"),
	    "all5671");
}

static void
a_node_s_change_is_one_of_its_rows(void **state)
{
	struct fixture *f = *state;
	int64_t m;

	add_node(f, "gpu1");
	add_node(f, "gpu2");
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_int_equal(container_replace(f->st, 2, &db, 1), 0);
	m = mark(f);
	assert_int_equal(node_set_failed(f->st, 2, "no answer"), 0);
	changed(f, m, "gpu2/db failed running\n", "");
	assert_true(raw_int(f, "SELECT state_since > 0 FROM nodes WHERE id = 2"));
	m = mark(f);
	assert_int_equal(node_set_failed(f->st, 2, "no answer again"), 0);
	changed(f, m, "", "");
	assert_int_equal(node_enable(f->st, &op, "gpu1", false), 0);
	changed(f, m, "gpu1/web unknown running\n", "");
	m = mark(f);
	assert_int_equal(node_set(f->st, &op, "gpu2", "region", "north"), 0);
	changed(f, m, "", "");
	assert_int_equal(node_del(f->st, &op, "gpu2"), 0);
	changed(f, m, "", "2\n");
}

static void
a_node_s_revision_is_its_address_and_keys_and_being_enabled(void **state)
{
	struct fixture *f = *state;

	add_node(f, "gpu1");
	assert_int_equal(raw_int(f, "SELECT revision FROM nodes"), 1);
	assert_int_equal(node_set(f->st, &op, "gpu1", "region", "north"), 0);
	assert_int_equal(node_set_failed(f->st, 1, "no answer"), 0);
	assert_int_equal(node_enable(f->st, &op, "gpu1", false), 0);
	assert_int_equal(raw_int(f, "SELECT revision FROM nodes"), 1);
	assert_int_equal(node_enable(f->st, &op, "gpu1", true), 0);
	assert_int_equal(raw_int(f, "SELECT revision FROM nodes"), 2);
	assert_int_equal(node_set(f->st, &op, "gpu1", "url", "unix:///run/y.sock"), 0);
	assert_int_equal(node_set(f->st, &op, "gpu1", "ca", "PEM"), 0);
	assert_int_equal(raw_int(f, "SELECT revision FROM nodes"), 4);
}

/* What has gone long ago is forgotten, and that is known. */
static void
who_asks_too_late_is_told_so(void **state)
{
	struct fixture *f = *state;
	const struct container list[] = { web, db };
	int64_t first, second, removed;
	struct copy c = { .rows = 0 };

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	first = mark(f);
	assert_int_equal(container_replace(f->st, 1, list, 1), 0);
	second = mark(f);
	assert_int_equal(container_replace(f->st, 1, NULL, 0), 0);
	assert_int_equal(
	    raw(f, "UPDATE containers_gone SET at = at - 7200 WHERE ref = 2"), SQLITE_OK);
	assert_int_equal(store_maintain(f->st, 0, &removed), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(container_each_gone(f->st, first, see_gone, &c), JB_NOT_FOUND);
	changed(f, second, "", "1\n");
}

static void
the_menu_s_changes_are_found_by_index(void **state)
{
	struct fixture *f = *state;
	struct copy c = { .rows = 0 };
	char plan[1024] = "", *sql = NULL;
	sqlite3_stmt *q;
	sqlite3 *db_handle;

	assert_int_equal(container_each_since(f->st, 5, see, &c), 0);
	for (size_t i = 0; i < f->st->nstmt; i++)
		if (strstr(f->st->stmt[i].text, "c.mark > $1") != NULL)
			sql = xasprintf("EXPLAIN QUERY PLAN %s", f->st->stmt[i].text);
	assert_non_null(sql);
	db_handle = raw_open(f);
	assert_int_equal(sqlite3_prepare_v2(db_handle, sql, -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW)
		snprintf(plan + strlen(plan), sizeof(plan) - strlen(plan), "%s\n",
		    (const char *)sqlite3_column_text(q, 3));
	sqlite3_finalize(q);
	sqlite3_close(db_handle);
	free(sql);
	assert_non_null(strstr(plan, "SEARCH c USING INDEX containers_mark"));
	assert_null(strstr(plan, "SCAN c"));
}

static int64_t session_id, attach_id;

static void
attach_by(struct fixture *f, const char *user, const char *id)
{
	const struct session s = { .user = user,
		.source = "::1",
		.method = "password",
		.host = "h",
		.boot_id = "b",
		.pid = 1,
		.pid_start = 1 };
	const struct attach a = { .marker = "1.1",
		.node_id = 1,
		.node = "gpu1",
		.container_id = id,
		.container = "web",
		.kind = "shell" };
	struct attach mine = a;

	assert_int_equal(session_open(f->st, &s, 0, 0, &session_id), 0);
	mine.session_id = session_id;
	assert_int_equal(attach_open(f->st, &op, &mine, &attach_id), 0);
}

static int64_t
used(struct fixture *f, const char *user, const char *id)
{
	const struct container c = { .node_id = 1, .id = id };
	int64_t at = -1;

	assert_int_equal(container_used(f->st, user, &c, &at), 0);
	return at;
}

static void
who_was_last_in_it(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_unix();

	add_user(f, "alice");
	add_user(f, "bob");
	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_int_equal(used(f, "alice", "aaa"), 0);
	attach_by(f, "alice", "aaa");
	assert_true(used(f, "alice", "aaa") >= now);
	assert_int_equal(used(f, "bob", "aaa"), 0);
	assert_int_equal(used(f, "alice", "bbb"), 0);
	assert_int_equal(raw(f, "UPDATE container_uses SET at = 5"), SQLITE_OK);
	attach_by(f, "alice", "aaa");
	attach_by(f, "bob", "aaa");
	assert_true(used(f, "alice", "aaa") >= now);
	assert_int_equal(user_del(f->st, &op, "bob"), 0);
	assert_int_equal(used(f, "bob", "aaa"), 0);
	assert_int_equal(container_replace(f->st, 1, NULL, 0), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM container_uses"), 0);
}

static void
what_is_read_together_is_of_one_moment(void **state)
{
	struct fixture *f = *state;
	int64_t before, within, after;

	assert_int_equal(store_read_begin(f->st), 0);
	assert_int_equal(inventory_mark(f->st, &before), 0);
	assert_int_equal(raw(f, "UPDATE inventory SET mark = mark + 1"), SQLITE_OK);
	assert_int_equal(inventory_mark(f->st, &within), 0);
	assert_int_equal(container_get(f->st, 1, see, NULL), JB_NOT_FOUND);
	store_read_end(f->st);
	assert_string_equal(store_error(f->st), "no such container: 1");
	assert_int_equal(inventory_mark(f->st, &after), 0);
	assert_int_equal(within, before);
	assert_int_equal(after, before + 1);
	assert_int_equal(
	    container_replace(f->st, 1, NULL, 0), JB_NOT_FOUND); /* it may write again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(rows_that_changed_and_refs_that_are_gone),
		FIXTURE_TEST(what_was_not_inspected_stays),
		FIXTURE_TEST(a_node_s_change_is_one_of_its_rows),
		FIXTURE_TEST(a_node_s_revision_is_its_address_and_keys_and_being_enabled),
		FIXTURE_TEST(who_asks_too_late_is_told_so),
		FIXTURE_TEST(the_menu_s_changes_are_found_by_index),
		FIXTURE_TEST(who_was_last_in_it),
		FIXTURE_TEST(what_is_read_together_is_of_one_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
