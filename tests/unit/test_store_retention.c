/*
 * Retention: old audit rows go in bounded batches, the chain still verifies,
 * and nothing younger or live is touched.
 */
#include "store_fixture.h"

#include <sys/stat.h>

enum { DAY = 86400 };

/* Appends n rows as they were made at that time (unix seconds). */
static void
add_rows_at(struct fixture *f, int n, int64_t at)
{
	assert_int_equal(txn_begin(f->st, TXN_WRITE), 0);
	for (int i = 0; i < n; i++) {
		struct audit_event ev = {
			.at = at * 1000 + i, .event = "test.row", .actor = "a", .source = "local"
		};

		assert_int_equal(audit_append(f->st, &ev), 0);
	}
	assert_int_equal(txn_end(f->st, 0), 0);
}

static int64_t
verified(struct fixture *f)
{
	struct errtext e = { 0 };
	int64_t n = -1;

	if (audit_verify(f->st, &n, &e))
		fail_msg("%s", e.s);
	return n;
}

static int64_t
removed(struct fixture *f, int64_t before)
{
	int64_t n = -1;

	assert_int_equal(store_maintain(f->st, before, &n), 0);
	return n;
}

static void
old_rows_go_in_batches(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_unix();

	add_rows_at(f, 2500, now - 10 * DAY);
	add_rows_at(f, 7, now);
	assert_int_equal(removed(f, now - 20 * DAY), 0);
	assert_int_equal(verified(f), 2507);
	assert_int_equal(removed(f, now - 5 * DAY), 1000);
	assert_int_equal(verified(f), 1500 + 7 + 1); /* and a checkpoint row */
	assert_int_equal(removed(f, now - 5 * DAY), 1000);
	assert_int_equal(verified(f), 500 + 7 + 2);
	assert_int_equal(removed(f, now - 5 * DAY), 500);
	assert_int_equal(verified(f), 7 + 3);
	assert_int_equal(removed(f, now - 5 * DAY), 0); /* and no further checkpoint row */
	assert_int_equal(verified(f), 7 + 3);
	assert_int_equal(raw_int(f, "SELECT min(id) FROM audit"), 2501);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM audit_maintenance"), 0);
	assert_non_null(
	    strstr(last_audit(f), "audit.checkpoint|retention|local|-|500|upto=2500 hash="));
}

static void
checkpoints_grow_old_too(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_unix();

	add_rows_at(f, 5, now - 10 * DAY);
	assert_int_equal(removed(f, now - 5 * DAY), 5);
	add_rows_at(f, 3, now - 3 * DAY);
	/* Not yet older than the rows before it: a stretch has no holes. */
	assert_int_equal(removed(f, now - 2 * DAY), 0);
	assert_int_equal(verified(f), 4);
}

/* Whatever it is asked for: what it writes itself must stay. */
static void
nothing_from_now_on_goes(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_unix();

	add_rows_at(f, 3, now + 600);
	assert_int_equal(removed(f, now + DAY), 0);
	assert_int_equal(verified(f), 3);
}

static void
all_rows_may_go(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_unix();

	add_rows_at(f, 5, now - 10 * DAY);
	assert_int_equal(removed(f, now - 5 * DAY), 5);
	assert_int_equal(verified(f), 1);
	add_rows_at(f, 2, now);
	assert_int_equal(verified(f), 3);
}

static void
tampering_after_retention_is_found(void **state)
{
	static const char *const cases[] = {
		"DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE id = 6",
		"DROP TRIGGER audit_no_update; UPDATE audit SET detail = 'x'"
		" WHERE event = 'audit.checkpoint'",
		"DROP TRIGGER audit_checkpoint_guard; UPDATE audit_checkpoint SET upto = 6,"
		" hash = (SELECT hash FROM audit WHERE id = 6); DROP TRIGGER audit_no_delete;"
		" DELETE FROM audit WHERE id = 6",
		"DROP TRIGGER audit_checkpoint_guard; UPDATE audit_checkpoint SET upto = 0,"
		" hash = zeroblob(32)",
		/* everything but the checkpoint itself */
		"DROP TRIGGER audit_no_delete; DELETE FROM audit",
	};
	struct fixture *f = *state;
	struct errtext e;
	int64_t n, now = now_unix();

	add_rows_at(f, 5, now - 10 * DAY);
	add_rows_at(f, 3, now);
	assert_int_equal(removed(f, now - 5 * DAY), 5);
	fixture_close(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char kept[128], sql[512];

		snprintf(kept, sizeof(kept), "%s/kept-%zu.db", f->dir, i);
		snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", kept);
		assert_int_equal(raw(f, sql), SQLITE_OK);
		assert_int_equal(raw(f, cases[i]), SQLITE_OK);
		assert_int_equal(store_open(f->path, STORE_OPEN, &f->st, &e), 0);
		if (audit_verify(f->st, &n, &e) != JB_BAD_INPUT)
			fail_msg("not found: %s", cases[i]);
		fixture_close(f);
		assert_int_equal(chmod(kept, 0600), 0);
		assert_int_equal(rename(kept, f->path), 0);
	}
}

/* The marker is what lets rows go, and only up to the id that it says. */
static void
the_marker_bounds_what_goes(void **state)
{
	struct fixture *f = *state;

	add_rows_at(f, 5, 1000);
	assert_int_equal(raw(f,
			     "BEGIN; INSERT INTO audit_maintenance (upto) VALUES (3);"
			     "DELETE FROM audit WHERE id <= 4") &
		0xff,
	    SQLITE_CONSTRAINT);
	assert_int_equal(verified(f), 5);
}

static void
sessions_and_failures_are_forgotten(void **state)
{
	struct fixture *f = *state;
	int64_t now = now_unix();
	char sql[512];

	snprintf(sql, sizeof(sql),
	    "INSERT INTO sessions (conn, user_name, source, method, host, boot_id, pid, pid_start,"
	    " started, ended) VALUES (1, 'a', 's', 'm', 'h', 'b', 1, 1, 5, %lld),"
	    " (2, 'a', 's', 'm', 'h', 'b', 1, 1, 5, %lld), (3, 'a', 's', 'm', 'h', 'b', 1, 1, 5, "
	    "0);"
	    "INSERT INTO login_failures (what, failures, last, blocked_until) VALUES"
	    " ('user:old', 1, %lld, 0), ('user:new', 1, %lld, 0)",
	    (long long)(now - 10 * DAY), (long long)(now - DAY), (long long)(now - 2 * 3600),
	    (long long)now);
	assert_int_equal(raw(f, sql), SQLITE_OK);
	assert_int_equal(raw(f,
			     "INSERT INTO attaches (session_id, conn, request, marker, node_id,"
			     " node, container_id, container, kind, tty, opened)"
			     " VALUES (1, 1, 1, 'm', 1, 'n', 'c', 'c', 'shell', 1, 5)"),
	    SQLITE_OK);
	assert_int_equal(removed(f, now - 5 * DAY), 2); /* else they would outgrow the batches */
	assert_int_equal(removed(f, now - 5 * DAY), 0);
	assert_string_equal(raw_text(f, "SELECT group_concat(id) FROM sessions"), "2,3");
	assert_int_equal(raw_int(f, "SELECT count(*) FROM attaches"), 0);
	assert_string_equal(
	    raw_text(f, "SELECT group_concat(what) FROM login_failures"), "user:new");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(old_rows_go_in_batches),
		FIXTURE_TEST(checkpoints_grow_old_too),
		FIXTURE_TEST(nothing_from_now_on_goes),
		FIXTURE_TEST(all_rows_may_go),
		FIXTURE_TEST(tampering_after_retention_is_found),
		FIXTURE_TEST(the_marker_bounds_what_goes),
		FIXTURE_TEST(sessions_and_failures_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
