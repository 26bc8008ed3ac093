/*
 * The audit: appended in order by any number of processes, refused to
 * change, and when changed past the guards, found out.
 */
#include "store_fixture.h"

#include <sys/wait.h>

static void
add_rows(struct fixture *f, int n)
{
	for (int i = 1; i <= n; i++) {
		char detail[32];

		snprintf(detail, sizeof(detail), "row %d", i);
		assert_int_equal(audit_add(f->st, &op, "test.row", "ab", "c", detail), 0);
	}
}

static void
verifies(struct fixture *f, int64_t rows)
{
	struct errtext e = { 0 };
	int64_t n = -1;

	if (audit_verify(f->st, &n, &e))
		fail_msg("%s", e.s);
	assert_int_equal(n, rows);
}

/* ---- reading --------------------------------------------------------------- */

struct events {
	char text[512];
};

static int
copy_event(const struct audit_event *ev, void *arg)
{
	struct events *o = arg;
	size_t used = strlen(o->text);

	snprintf(o->text + used, sizeof(o->text) - used, "%lld %s %s %s %llu %s %s %s\n",
	    (long long)ev->id, ev->event, ev->actor, ev->source, (unsigned long long)ev->conn,
	    ev->user != NULL ? ev->user : "-", ev->target != NULL ? ev->target : "-",
	    ev->detail != NULL ? ev->detail : "-");
	return 0;
}

static void
events_are_found(void **state)
{
	struct fixture *f = *state;
	const struct actor bob = { "bob", "10.0.0.2", UINT64_MAX };
	struct events all = { "" }, of_bob = { "" }, newest = { "" }, none = { "" };

	assert_int_equal(audit_add(f->st, &op, "test.a", "alice", NULL, NULL), 0);
	assert_int_equal(audit_add(f->st, &bob, "test.b", NULL, "gpu1/web", "ls | wc"), 0);
	assert_int_equal(audit_add(f->st, &op, "test.c", "bob", NULL, NULL), 0);
	assert_int_equal(audit_each(f->st, 0, NULL, 0, copy_event, &all), 0);
	assert_string_equal(all.text,
	    "1 test.a operator:root(uid 0) local 0 alice - -\n"
	    "2 test.b bob 10.0.0.2 18446744073709551615 - gpu1/web ls | wc\n"
	    "3 test.c operator:root(uid 0) local 0 bob - -\n");
	assert_int_equal(audit_each(f->st, 0, "bob", 0, copy_event, &of_bob), 0);
	assert_int_equal(audit_each(f->st, 0, NULL, 2, copy_event, &newest), 0);
	assert_string_equal(of_bob.text, newest.text);
	assert_string_equal(newest.text, strchr(all.text, '\n') + 1);
	assert_int_equal(audit_each(f->st, now_unix() + 60, NULL, 0, copy_event, &none), 0);
	assert_string_equal(none.text, "");
}

/* ---- the guards ------------------------------------------------------------ */

static void
the_guards_refuse(void **state)
{
	static const char *const refused[] = {
		"UPDATE audit SET detail = 'x' WHERE id = 3",
		"UPDATE audit SET id = 99 WHERE id = 10",
		"DELETE FROM audit WHERE id = 1",
		"DELETE FROM audit WHERE id = 10",
		"DELETE FROM audit",
		"INSERT INTO audit (id, at_ms, event, actor, source, conn, hash)"
		" VALUES (99, 1, 'x', 'y', 'z', 0, x'00')",
		"INSERT OR REPLACE INTO audit (id, at_ms, event, actor, source, conn, hash)"
		" VALUES (10, 1, 'x', 'y', 'z', 0, x'00')",
		"INSERT OR REPLACE INTO audit (id, at_ms, event, actor, source, conn, hash)"
		" VALUES (3, 1, 'x', 'y', 'z', 0, x'00')",
		"UPDATE audit_head SET id = 9",
		"DELETE FROM audit_head",
		"UPDATE audit_checkpoint SET upto = 5",
		"DELETE FROM audit_checkpoint",
	};
	struct fixture *f = *state;

	add_rows(f, 10);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if ((raw(f, refused[i]) & 0xff) != SQLITE_CONSTRAINT)
			fail_msg("not refused: %s", refused[i]);
		verifies(f, 10);
	}
}

/* ---- past the guards -------------------------------------------------------- */

#define NO_GUARDS                                                                                  \
	"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_in_order;" \
	"DROP TRIGGER audit_head_forward; DROP TRIGGER audit_head_stays;"                          \
	"DROP TRIGGER audit_checkpoint_guard; DROP TRIGGER audit_checkpoint_stays;"

/* On ten rows with an id each, 1 to 10. */
static const struct tampering {
	const char *sql;
	const char *says;
} tamperings[] = {
	/* clang-format off */
	{ "UPDATE audit SET detail = 'row 55' WHERE id = 5",         "row 5 was changed" },
	{ "UPDATE audit SET detail = NULL WHERE id = 5",             "row 5 was changed" },
	{ "UPDATE audit SET detail = '' WHERE id = 5",               "row 5 was changed" },
	{ "UPDATE audit SET at_ms = at_ms + 1 WHERE id = 5",         "row 5 was changed" },
	{ "UPDATE audit SET event = 'test.other' WHERE id = 5",      "row 5 was changed" },
	{ "UPDATE audit SET actor = 'mallory' WHERE id = 5",         "row 5 was changed" },
	{ "UPDATE audit SET source = '10.9.9.9' WHERE id = 5",       "row 5 was changed" },
	{ "UPDATE audit SET conn = 1 WHERE id = 5",                  "row 5 was changed" },
	{ "UPDATE audit SET user_name = 'a', target = 'bc' WHERE id = 5", "row 5 was changed" },
	{ "UPDATE audit SET user_name = NULL WHERE id = 5",          "row 5 was changed" },
	{ "UPDATE audit SET hash = zeroblob(32) WHERE id = 5",       "row 5 was changed" },
	{ "UPDATE audit SET hash = x'00' WHERE id = 10",             "row 10 was changed" },
	{ "UPDATE audit SET detail = 'x' WHERE id = 1",              "row 1 was changed" },
	{ "UPDATE audit SET detail = 'x' WHERE id = 10",             "row 10 was changed" },
	/* two rows change places */
	{ "UPDATE audit SET id = -id WHERE id IN (5, 6);"
	  "UPDATE audit SET id = 11 + id WHERE id < 0",              "row 5 was changed" },
	/* rows go */
	{ "DELETE FROM audit WHERE id = 10",                         "rows 10 to 10 are missing, the newest" },
	{ "DELETE FROM audit WHERE id > 7",                          "rows 8 to 10 are missing, the newest" },
	{ "DELETE FROM audit",                                       "rows 1 to 10 are missing, the newest" },
	{ "DELETE FROM audit WHERE id = 10; UPDATE audit_head SET id = 9",
	                                                             "head does not have the hash of row 9" },
	{ "DELETE FROM audit WHERE id = 5",                          "rows 5 to 5 are missing" },
	{ "DELETE FROM audit WHERE id BETWEEN 3 AND 8",              "rows 3 to 8 are missing" },
	{ "DELETE FROM audit WHERE id = 1",                          "rows 1 to 1 are missing" },
	{ "DELETE FROM audit WHERE id = 5; UPDATE audit SET id = id - 1 WHERE id > 5;"
	  "UPDATE audit_head SET id = 9",                            "row 5 was changed" },
	/* as if by retention */
	{ "UPDATE audit_checkpoint SET upto = 3, hash = (SELECT hash FROM audit WHERE id = 3);"
	  "DELETE FROM audit WHERE id <= 3",                         "rows up to 3 were removed, and not by retention" },
	{ "UPDATE audit_checkpoint SET upto = 3",                    "row 1 should have been removed" },
	{ "UPDATE audit_checkpoint SET hash = x'0102'",              "checkpoint is missing or damaged" },
	{ "DELETE FROM audit_checkpoint",                            "checkpoint is missing or damaged" },
	/* rows come */
	{ "INSERT INTO audit SELECT 11, at_ms, event, actor, source, conn, user_name, target, detail,"
	  " hash FROM audit WHERE id = 10",                          "row 11 was changed" },
	{ "INSERT INTO audit SELECT 0, at_ms, event, actor, source, conn, user_name, target, detail,"
	  " hash FROM audit WHERE id = 10",                          "row 0 should have been removed" },
	/* the head */
	{ "DELETE FROM audit_head",                                  "head is missing or damaged" },
	{ "UPDATE audit_head SET id = 12",                           "rows 11 to 12 are missing, the newest" },
	{ "UPDATE audit_head SET hash = zeroblob(32)",               "head does not have the hash of row 10" },
	/* clang-format on */
};

static void
tampering_is_found(void **state)
{
	struct fixture *f = *state;
	struct errtext e;
	int64_t n;

	add_rows(f, 10);
	assert_int_equal(raw(f, NO_GUARDS), SQLITE_OK);
	verifies(f, 10);
	for (size_t i = 0; i < sizeof(tamperings) / sizeof(tamperings[0]); i++) {
		const struct tampering *t = &tamperings[i];

		/* On a copy of the tables, put back afterwards. */
		assert_int_equal(raw(f,
				     "CREATE TABLE a AS SELECT * FROM audit;"
				     "CREATE TABLE h AS SELECT * FROM audit_head;"
				     "CREATE TABLE c AS SELECT * FROM audit_checkpoint"),
		    SQLITE_OK);
		if (raw(f, t->sql) != SQLITE_OK)
			fail_msg("could not: %s", t->sql);
		if (audit_verify(f->st, &n, &e) != JB_BAD_INPUT || strstr(e.s, t->says) == NULL)
			fail_msg("\"%s\" does not say \"%s\" after %s", e.s, t->says, t->sql);
		assert_int_equal(
		    raw(f,
			"DELETE FROM audit; INSERT INTO audit SELECT * FROM a;"
			"DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM h;"
			"DELETE FROM audit_checkpoint;"
			"INSERT INTO audit_checkpoint SELECT * FROM c;"
			"DROP TABLE a; DROP TABLE h; DROP TABLE c"),
		    SQLITE_OK);
		verifies(f, 10);
	}
}

static int
hash_row(sqlite3_stmt *q, void *arg)
{
	assert_int_equal(sqlite3_column_bytes(q, 0), AUDIT_HASH);
	memcpy(arg, sqlite3_column_blob(q, 0), AUDIT_HASH);
	return 0;
}

/* A row that was well made, but not by an append: the head does not know it. */
static void
a_row_with_a_good_hash_is_slipped_in(void **state)
{
	struct fixture *f = *state;
	const struct audit_event ev = { .id = 4, .event = "x", .actor = "y", .source = "z" };
	struct errtext e;
	uint8_t hash[AUDIT_HASH];
	int64_t n;

	add_rows(f, 3);
	assert_int_equal(raw(f, NO_GUARDS), SQLITE_OK);
	assert_int_equal(
	    sql_each(f->st, "SELECT hash FROM audit_head", NO_PARAMS, hash_row, hash), 0);
	audit_hash(hash, &ev, hash);
	assert_int_equal(sql_run(f->st,
			     "INSERT INTO audit (id, at_ms, event, actor, source, conn, hash)"
			     " VALUES (4, 0, 'x', 'y', 'z', 0, $1)",
			     PARAMS(P_BLOB(hash, sizeof(hash)))),
	    0);
	assert_int_equal(audit_verify(f->st, &n, &e), JB_BAD_INPUT);
	assert_non_null(strstr(e.s, "row 4 was slipped in at the end"));
}

/* ---- many writers ------------------------------------------------------------ */

static void
processes_append_to_one_chain(void **state)
{
	struct fixture *f = *state;
	enum { WRITERS = 3, ROWS = 150 };
	pid_t pid[WRITERS];

	fixture_close(f);
	for (int i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct errtext e;
			struct store *st;
			int err = store_open(f->path, STORE_OPEN, &st, &e);

			for (int k = 0; k < ROWS && err == 0; k++)
				err = audit_add(st, &op, "test.row", NULL, NULL, NULL);
			_exit(err ? 1 : 0);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	fixture_open(f);
	verifies(f, WRITERS * ROWS);
}

/* A writer that dies between two statements leaves the chain as it was. */
static void
a_writer_dies_half_way(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	add_rows(f, 3);
	fixture_close(f);
	pid = fork();
	if (pid == 0) {
		struct errtext e;
		struct store *st;

		if (store_open(f->path, STORE_OPEN, &st, &e) || txn_begin(st, TXN_WRITE) ||
		    audit_put(st, &op, "test.half", NULL, NULL, NULL))
			_exit(1);
		_exit(0); /* neither committed nor rolled back */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_open(f);
	verifies(f, 3);
	add_rows(f, 1);
	verifies(f, 4);
}

/* What an append returned from is there, however its process ends. */
static void
a_killed_writer_loses_nothing(void **state)
{
	struct fixture *f = *state;
	int p[2], status;
	char byte[512];
	long told = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	fixture_close(f);
	pid = writer_start(f, p[1]);
	close(p[1]);
	while ((n = read(p[0], byte, sizeof(byte))) > 0) {
		told += n;
		if (told >= 200)
			kill(pid, SIGKILL);
	}
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	fixture_open(f);
	assert_true(raw_int(f, "SELECT count(*) FROM audit") >= told);
	verifies(f, raw_int(f, "SELECT count(*) FROM audit"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(events_are_found),
		FIXTURE_TEST(the_guards_refuse),
		FIXTURE_TEST(tampering_is_found),
		FIXTURE_TEST(a_row_with_a_good_hash_is_slipped_in),
		FIXTURE_TEST(processes_append_to_one_chain),
		FIXTURE_TEST(a_writer_dies_half_way),
		FIXTURE_TEST(a_killed_writer_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
