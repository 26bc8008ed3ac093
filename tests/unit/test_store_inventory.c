/*
 * The containers table: what a listing leaves behind, refs that stay, and
 * rows that are not touched without need.
 */
#include "store_fixture.h"

#include <sys/stat.h>

struct seen {
	char text[1024];
	int64_t ref[8];
	int rows;
};

static int
see(const struct container *c, void *arg)
{
	struct seen *s = arg;
	size_t used = strlen(s->text);

	if (s->rows < 8)
		s->ref[s->rows] = c->ref;
	snprintf(s->text + used, sizeof(s->text) - used, "%s/%s %s %s %s %s %s %s %s\n", c->node,
	    c->name, c->node_state, c->id, c->image, c->state, c->ports, c->labels,
	    c->owner != NULL ? c->owner : "-");
	s->rows++;
	return 0;
}

static const struct container web = { .id = "aaa",
	.name = "web",
	.image = "nginx",
	.state = "running",
	.ports = "80/tcp",
	.labels = "{}",
	.owner = "alice",
	.created = 5 };
static const struct container db = { .id = "bbb",
	.name = "db",
	.image = "postgres",
	.state = "exited",
	.ports = "5432/tcp",
	.labels = "{\"a\":\"b\"}",
	.created = 6 };

static void
a_listing_comes_back_by_node_and_name(void **state)
{
	struct fixture *f = *state;
	const struct container one[] = { web, db }, two[] = { web };
	struct seen s = { 0 };

	add_node(f, "zeta");
	add_node(f, "alpha");
	assert_int_equal(container_replace(f->st, 1, one, 2), 0);
	assert_int_equal(container_replace(f->st, 2, two, 1), 0);
	assert_int_equal(container_each(f->st, see, &s), 0);
	assert_string_equal(s.text,
	    "alpha/web connected aaa nginx running 80/tcp {} alice\n"
	    "zeta/db connected bbb postgres exited 5432/tcp {\"a\":\"b\"} -\n"
	    "zeta/web connected aaa nginx running 80/tcp {} alice\n");
	assert_int_equal(container_replace(f->st, 3, two, 1), JB_NOT_FOUND);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM containers"), 3);
}

static void
refs_stay_and_are_never_reused(void **state)
{
	struct fixture *f = *state;
	struct container list[] = { web, db };
	struct seen first = { 0 }, later = { 0 }, back = { 0 };

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	assert_int_equal(container_each(f->st, see, &first), 0);
	list[0].ports = "81/tcp";
	list[1].name = "db2"; /* renamed: the same container */
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	assert_int_equal(container_each(f->st, see, &later), 0);
	assert_string_equal(later.text,
	    "gpu1/db2 connected bbb postgres exited 5432/tcp {\"a\":\"b\"} -\n"
	    "gpu1/web connected aaa nginx running 81/tcp {} alice\n");
	assert_memory_equal(first.ref, later.ref, sizeof(first.ref));
	/* The newest goes and comes back: another container as far as anybody knows. */
	assert_int_equal(container_replace(f->st, 1, list, 1), 0);
	assert_int_equal(container_get(f->st, first.ref[0], see, &back), JB_NOT_FOUND);
	assert_int_equal(container_replace(f->st, 1, list, 2), 0);
	assert_int_equal(container_each(f->st, see, &back), 0);
	assert_int_equal(back.ref[1], first.ref[1]);
	assert_true(back.ref[0] > first.ref[0] && back.ref[0] > first.ref[1]);
}

static void
an_engine_that_says_an_id_twice(void **state)
{
	struct fixture *f = *state;
	const struct container list[] = { web, web, { .id = "ccc" } };
	struct seen s = { 0 };

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, list, 3), 0);
	assert_int_equal(container_replace(f->st, 1, list, 3), 0);
	assert_int_equal(container_each(f->st, see, &s), 0);
	assert_string_equal(s.text,
	    "gpu1/ connected ccc     -\n"
	    "gpu1/web connected aaa nginx running 80/tcp {} alice\n");
}

static int
see_region(const struct container *c, void *arg)
{
	str_copy(arg, 16, c->region != NULL ? c->region : "-");
	return 0;
}

static void
a_row_says_where_its_node_stands(void **state)
{
	struct fixture *f = *state;
	char region[16];

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_int_equal(container_get(f->st, 1, see_region, region), 0);
	assert_string_equal(region, "-");
	assert_int_equal(node_set(f->st, &op, "gpu1", "region", "north"), 0);
	assert_int_equal(container_each(f->st, see_region, region), 0);
	assert_string_equal(region, "north");
	region[0] = '\0';
	assert_int_equal(container_each_since(f->st, 0, see_region, region), 0);
	assert_string_equal(region, "north");
}

static void
a_failed_node_keeps_its_rows(void **state)
{
	struct fixture *f = *state;
	struct seen s = { 0 };

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_int_equal(raw(f, "UPDATE nodes SET last_seen = 1234"), SQLITE_OK);
	assert_int_equal(node_set_failed(f->st, 1, "no answer"), 0);
	assert_int_equal(container_each(f->st, see, &s), 0);
	assert_string_equal(s.text, "gpu1/web failed aaa nginx running 80/tcp {} alice\n");
	assert_string_equal(
	    raw_text(f, "SELECT last_error || last_seen FROM nodes"), "no answer1234");
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_string_equal(
	    raw_text(f, "SELECT state FROM nodes WHERE last_error IS NULL"), "connected");
	assert_int_equal(node_set_failed(f->st, 2, "no answer"), JB_NOT_FOUND);
}

static void
a_disabled_or_deleted_node_shows_nothing(void **state)
{
	struct fixture *f = *state;
	struct seen s = { 0 };

	add_node(f, "gpu1");
	assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
	assert_int_equal(node_enable(f->st, &op, "gpu1", false), 0);
	assert_int_equal(container_each(f->st, see, &s), 0);
	assert_int_equal(container_get(f->st, 1, see, &s), JB_NOT_FOUND);
	assert_int_equal(s.rows, 0);
	assert_int_equal(node_enable(f->st, &op, "gpu1", true), 0);
	assert_int_equal(container_get(f->st, 1, see, &s), 0);
	assert_int_equal(node_del(f->st, &op, "gpu1"), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM containers"), 0);
}

/* ---- many ------------------------------------------------------------------ */

enum { MANY = 10000 };

static struct container *
many_new(void)
{
	struct container *c = xcalloc(MANY, sizeof(*c));

	for (int i = 0; i < MANY; i++) {
		c[i] = web;
		c[i].id = xasprintf("%064x", (unsigned)i * 2654435761u);
		c[i].name = xasprintf("name%d", i);
	}
	return c;
}

static void
many_free(struct container *c)
{
	for (int i = 0; i < MANY; i++) {
		free((char *)c[i].id);
		free((char *)c[i].name);
	}
	free(c);
}

/* Each that is written gets a mark of its own, and each that goes leaves one. */
static int64_t
rows_written(struct fixture *f, const struct container *c, size_t n)
{
	int64_t before, after;

	assert_int_equal(inventory_mark(f->st, &before), 0);
	assert_int_equal(container_replace(f->st, 1, c, n), 0);
	assert_int_equal(inventory_mark(f->st, &after), 0);
	return after - before;
}

static void
only_what_differs_is_written(void **state)
{
	struct fixture *f = *state;
	struct container *c = many_new();
	enum { NODE_CONNECTED = 1 };

	add_node(f, "gpu1");
	assert_int_equal(rows_written(f, c, MANY), MANY + NODE_CONNECTED);
	assert_int_equal(rows_written(f, c, MANY), 0);
	c[17].ports = "81/tcp";
	c[18].image = "nginx:2";
	c[19].owner = NULL;
	c[20].owner = "bob";
	c[21].labels = "{\"a\":\"b\"}";
	c[22].state = "paused";
	c[23].created = 7;
	c[24].service = "shop/web";
	assert_int_equal(rows_written(f, c, MANY), 8);
	assert_int_equal(rows_written(f, c, MANY), 0);
	assert_int_equal(rows_written(f, c, MANY - 100), 100);
	assert_int_equal(rows_written(f, NULL, 0), MANY - 100);
	many_free(c);
}

/* Not at each look at a busy node; after a step of the clock, too. */
static void
when_a_node_was_seen_is_kept_to_some_seconds(void **state)
{
	static const struct {
		int ago;
		bool anew;
	} rows[] = { { 1, false }, { 6, true }, { -3600, true } };
	struct fixture *f = *state;
	char sql[96];

	add_node(f, "gpu1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t then = now_unix() - rows[i].ago;

		snprintf(sql, sizeof(sql), "UPDATE nodes SET state = 'connected', last_seen = %lld",
		    (long long)then);
		assert_int_equal(raw(f, sql), SQLITE_OK);
		assert_int_equal(container_replace(f->st, 1, &web, 1), 0);
		assert_int_equal(raw_int(f, "SELECT last_seen FROM nodes") != then, rows[i].anew);
	}
}

/* Written since the log was emptied. */
static int64_t
pages_logged(struct fixture *f)
{
	enum { LOG_HEAD = 32, PAGE_HEAD = 24 };
	char path[256];
	struct stat sb;

	snprintf(path, sizeof(path), "%s-wal", f->path);
	assert_int_equal(stat(path, &sb), 0);
	if (sb.st_size == 0)
		return 0;
	return (sb.st_size - LOG_HEAD) / (PAGE_HEAD + raw_int(f, "PRAGMA page_size"));
}

/*
 * A container that dies or starts: its row, its place among the marks before
 * and after, the mark; and its node's row, which is made old here, since it may
 * have become so while the many were written.
 */
static void
a_change_of_state_writes_five_pages(void **state)
{
	struct fixture *f = *state;
	struct container *c = many_new();
	const char *ids[1];

	add_node(f, "gpu1");
	for (int i = 0; i < MANY; i++)
		c[i].inspected = true;
	assert_int_equal(container_replace(f->st, 1, c, MANY), 0);
	assert_int_equal(raw(f, "UPDATE nodes SET last_seen = 1"), SQLITE_OK);
	assert_int_equal(raw(f, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
	assert_int_equal(pages_logged(f), 0);
	c[17].state = "exited";
	c[17].exit_code = 1;
	c[17].finished = 1234;
	ids[0] = c[17].id;
	assert_int_equal(container_change(f->st, 1, ids, 1, &c[17], 1), 0);
	assert_in_range(pages_logged(f), 1, 5);
	many_free(c);
}

static int
plan_row(sqlite3_stmt *q, void *arg)
{
	(void)arg;
	if (strstr(col_text(q, 3), "TEMP B-TREE") != NULL)
		fail_msg("the list is sorted for each menu: %s", col_text(q, 3));
	return 0;
}

/* Two indexes give the menu's order: 10,000 rows are not sorted for each menu. */
static void
the_list_is_not_sorted(void **state)
{
	struct fixture *f = *state;
	struct seen s = { 0 };
	char *sql = NULL;

	assert_int_equal(container_each(f->st, see, &s), 0);
	for (size_t i = 0; i < f->st->nstmt; i++)
		if (strstr(f->st->stmt[i].text, "containers") != NULL)
			sql = xasprintf("EXPLAIN QUERY PLAN %s", f->st->stmt[i].text);
	assert_non_null(sql);
	assert_int_equal(sql_each(f->st, sql, NO_PARAMS, plan_row, NULL), 0);
	fixture_close(f); /* before its statement's text goes */
	free(sql);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_listing_comes_back_by_node_and_name),
		FIXTURE_TEST(refs_stay_and_are_never_reused),
		FIXTURE_TEST(an_engine_that_says_an_id_twice),
		FIXTURE_TEST(a_row_says_where_its_node_stands),
		FIXTURE_TEST(a_failed_node_keeps_its_rows),
		FIXTURE_TEST(a_disabled_or_deleted_node_shows_nothing),
		FIXTURE_TEST(only_what_differs_is_written),
		FIXTURE_TEST(when_a_node_was_seen_is_kept_to_some_seconds),
		FIXTURE_TEST(a_change_of_state_writes_five_pages),
		FIXTURE_TEST(the_list_is_not_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
