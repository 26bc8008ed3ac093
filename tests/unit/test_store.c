/*
 * The database file: making, opening, refusing it; what a locked, a full
 * and a damaged one answer.
 */
#include "store_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void
reopen(struct fixture *f, int want, const char *says)
{
	struct errtext e = { 0 };
	struct store *st = NULL;
	int err;

	fixture_close(f);
	err = store_open_busy(f->path, STORE_OPEN, 50, &st, &e);
	if (err == 0)
		f->st = st;
	assert_int_equal(err, want);
	if (says != NULL && strstr(e.s, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.s, says);
}

/* ---- making and opening ------------------------------------------------- */

static mode_t
mode_of(const char *path, const char *suffix)
{
	char s[128];
	struct stat sb;

	snprintf(s, sizeof(s), "%s%s", path, suffix);
	assert_int_equal(stat(s, &sb), 0);
	return sb.st_mode & 07777;
}

static int
setup_open_umask(void **state)
{
	mode_t old = umask(0);
	int r = fixture_setup(state);

	umask(old);
	return r;
}

static void
only_its_owner_reads_it(void **state)
{
	struct fixture *f = *state;

	add_user(f, "alice");
	assert_int_equal(mode_of(f->path, ""), 0600);
	assert_int_equal(mode_of(f->path, "-wal"), 0600);
	assert_int_equal(mode_of(f->path, "-shm"), 0600);
	assert_int_equal(chmod(f->path, 0640), 0);
	reopen(f, JB_UNAVAILABLE, "chmod 600");
}

static void
settings_hold(void **state)
{
	struct fixture *f = *state;
	int64_t v;

	assert_int_equal(sql_value(f->st, "PRAGMA foreign_keys", NO_PARAMS, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(sql_value(f->st, "PRAGMA synchronous", NO_PARAMS, &v), 0);
	assert_int_equal(v, 2); /* FULL: it was migrated by this handle */
	assert_string_equal(raw_text(f, "PRAGMA journal_mode"), "wal");
	reopen(f, 0, NULL);
	assert_int_equal(sql_value(f->st, "PRAGMA synchronous", NO_PARAMS, &v), 0);
	assert_int_equal(v, 1); /* NORMAL until an administrator changes something */
	add_user(f, "alice");
	assert_int_equal(sql_value(f->st, "PRAGMA synchronous", NO_PARAMS, &v), 0);
	assert_int_equal(v, 2);
}

static void
opening_makes_nothing(void **state)
{
	struct fixture *f = *state;
	struct errtext e;
	struct store *st;
	char other[128];

	snprintf(other, sizeof(other), "%s/none.db", f->dir);
	assert_int_equal(store_open(other, STORE_OPEN, &st, &e), JB_UNAVAILABLE);
	assert_non_null(strstr(e.s, "there is no database"));
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(store_open(f->dir, STORE_OPEN, &st, &e), JB_UNAVAILABLE);
	assert_int_equal(
	    store_open("/proc/none/jumpbox.db", STORE_CREATE, &st, &e), JB_UNAVAILABLE);
	assert_non_null(strstr(e.s, "cannot create"));
}

static void
creating_twice_keeps_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct errtext e;
	struct store *again;
	int64_t id;

	add_user(f, "alice");
	assert_int_equal(store_open(f->path, STORE_CREATE, &again, &e), 0);
	assert_int_equal(user_id(again, "alice", &id), 0);
	store_close(again);
}

/* Everyone finds an empty file, one migrates it, the others wait. */
static void
many_create_it_at_once(void **state)
{
	struct fixture *f = *state;
	pid_t pid[6];
	char fresh[128];

	snprintf(fresh, sizeof(fresh), "%s/fresh.db", f->dir);
	for (int i = 0; i < 6; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct errtext e;
			struct store *st;
			int err = store_open(fresh, STORE_CREATE, &st, &e);

			if (err == 0)
				err = audit_add(st, &op, "test.hello", NULL, NULL, NULL);
			_exit(err ? 1 : 0);
		}
	}
	for (int i = 0; i < 6; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
}

/* ---- versions ------------------------------------------------------------ */

static void
an_empty_file_is_migrated(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	assert_int_equal(truncate(f->path, 0), 0);
	reopen(f, 0, NULL);
	assert_int_equal(raw_int(f, "PRAGMA user_version"), schema_latest());
	assert_int_equal(raw_int(f, "PRAGMA application_id"), STORE_APP_ID);
	add_user(f, "alice");
}

static void
a_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(raw(f, "PRAGMA user_version = 99"), SQLITE_OK);
	reopen(f, JB_UNAVAILABLE, "install the newer jumpbox");
	assert_int_equal(raw_int(f, "PRAGMA user_version"), 99);
}

static void
another_programs_database_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(raw(f, "PRAGMA application_id = 0"), SQLITE_OK);
	reopen(f, JB_UNAVAILABLE, "another program's");
	assert_int_equal(raw(f, "PRAGMA application_id = 7; PRAGMA user_version = 0"), SQLITE_OK);
	reopen(f, JB_UNAVAILABLE, "another program's");
}

/* A step that fails leaves nothing of itself. */
static void
a_failed_migration_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(raw(f, "PRAGMA user_version = 0; DROP TABLE grants"), SQLITE_OK);
	reopen(f, JB_INTERNAL, "already exists");
	assert_int_equal(raw_int(f, "PRAGMA user_version"), 0);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM sqlite_schema WHERE name = 'grants'"), 0);
}

/* ---- trouble -------------------------------------------------------------- */

static void
a_locked_database_says_try_again(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other;
	int64_t start, took, n;

	reopen(f, 0, NULL); /* with a short time-out */
	add_user(f, "alice");
	other = raw_open(f);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	start = now_mono_ms();
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, NULL), JB_TRY_AGAIN);
	took = now_mono_ms() - start;
	assert_true(took >= 50 && took < STORE_BUSY_MS);
	assert_non_null(strstr(store_error(f->st), "busy"));
	assert_true(store_failed(f->st));
	assert_int_equal(session_close(f->st, 4711, "logout"), JB_TRY_AGAIN);
	assert_true(store_failed(f->st));		  /* also after its rollback */
	assert_int_equal(user_id(f->st, "alice", &n), 0); /* readers do not care */
	store_turn(f->st);
	store_hasty(f->st, true);
	start = now_mono_ms();
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, NULL), JB_TRY_AGAIN);
	assert_true(now_mono_ms() - start < 50);
	store_hasty(f->st, false); /* others of the turn still wait, once */
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, NULL), JB_TRY_AGAIN);
	took = now_mono_ms() - start;
	assert_true(took >= 50);
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, NULL), JB_TRY_AGAIN);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, NULL), 0);
	assert_int_equal(session_close(f->st, 4711, "logout"), JB_NOT_FOUND);
	assert_false(store_failed(f->st)); /* an answer */
}

/* Opens it as somebody for whom permissions count: its exit status is the error. */
static int
open_unprivileged(struct fixture *f)
{
	enum { NOBODY = 65534 };
	int status;
	pid_t pid;

	if (geteuid() == 0 &&
	    (chown(f->dir, NOBODY, NOBODY) < 0 || chown(f->path, NOBODY, NOBODY) < 0))
		fail();
	pid = fork();
	if (pid == 0) {
		struct errtext e;
		struct store *st = NULL;
		int err;

		if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(1);
		err = store_open(f->path, STORE_OPEN, &st, &e);
		store_close(st); /* the last one: takes -wal and -shm with it */
		_exit(-err);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void
one_that_cannot_be_written_is_refused(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	assert_int_equal(open_unprivileged(f), 0);
	assert_int_equal(chmod(f->dir, 0500), 0);
	assert_int_equal(open_unprivileged(f), JB_UNAVAILABLE);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_int_equal(chmod(f->path, 0400), 0);
	assert_int_equal(open_unprivileged(f), JB_UNAVAILABLE);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(open_unprivileged(f), 0);
}

static void
a_full_disk_says_so_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	char *big = xcalloc(1, 200001);
	int64_t n, before;
	struct errtext e;

	memset(big, 'x', 200000);
	add_user(f, "alice");
	before = raw_int(f, "SELECT max(id) FROM audit");
	sqlite3_exec(f->st->db, "PRAGMA max_page_count = 1", NULL, NULL, NULL);
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, big), JB_UNAVAILABLE);
	assert_non_null(strstr(store_error(f->st), "disk is full"));
	assert_int_equal(user_id(f->st, "alice", &n), 0);
	sqlite3_exec(f->st->db, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL);
	assert_int_equal(audit_add(f->st, &op, "x.y", NULL, NULL, big), 0);
	assert_int_equal(raw_int(f, "SELECT max(id) FROM audit"), before + 1);
	assert_int_equal(audit_verify(f->st, &n, &e), 0);
	free(big);
}

static void
overwrite(const char *path, off_t from, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char junk[512];

	memset(junk, 0xa5, sizeof(junk));
	assert_true(fd >= 0);
	for (size_t done = 0; done < n; done += sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), from + (off_t)done), sizeof(junk));
	close(fd);
}

static void
garbage_is_not_a_database(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	overwrite(f->path, 0, 8192);
	reopen(f, JB_UNAVAILABLE, "jumpboxctl restore");
}

static int
count_user(const struct user *u, void *arg)
{
	(void)u;
	++*(int *)arg;
	return 0;
}

static void
damaged_pages_are_told(void **state)
{
	struct fixture *f = *state;
	struct errtext e;
	int64_t page;
	int n = 0;

	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%d", i);
		add_user(f, name);
	}
	page = raw_int(f, "SELECT rootpage FROM sqlite_schema WHERE name = 'users'");
	assert_int_equal(store_integrity(f->st, &e), 0);
	fixture_close(f);
	overwrite(f->path, (page - 1) * 4096, 4096);
	reopen(f, 0, NULL); /* that page was not needed yet */
	assert_int_equal(user_each(f->st, count_user, &n), JB_UNAVAILABLE);
	assert_non_null(strstr(store_error(f->st), "jumpboxctl restore"));
	assert_int_equal(store_integrity(f->st, &e), JB_UNAVAILABLE);
	assert_non_null(strstr(e.s, "damaged"));
}

static void
lost_guards_are_told(void **state)
{
	struct fixture *f = *state;
	struct errtext e;

	assert_int_equal(store_integrity(f->st, &e), 0);
	assert_int_equal(raw(f, "DROP TRIGGER audit_no_update"), SQLITE_OK);
	assert_int_equal(store_integrity(f->st, &e), JB_UNAVAILABLE);
	assert_non_null(strstr(e.s, "lost its trigger audit_no_update"));
	assert_int_equal(raw(f,
			     "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
			     " BEGIN SELECT 1; END"),
	    SQLITE_OK);
	assert_int_equal(store_integrity(f->st, &e), JB_UNAVAILABLE);
	assert_non_null(strstr(e.s, "trigger audit_no_update is not what"));
}

static void
dangling_references_are_told(void **state)
{
	struct fixture *f = *state;
	struct errtext e;

	assert_int_equal(
	    raw(f, "INSERT INTO group_members (group_id, user_id) VALUES (5, 6)"), SQLITE_OK);
	assert_int_equal(store_integrity(f->st, &e), JB_UNAVAILABLE);
	assert_non_null(strstr(e.s, "group_members"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    only_its_owner_reads_it, setup_open_umask, fixture_teardown),
		FIXTURE_TEST(settings_hold),
		FIXTURE_TEST(opening_makes_nothing),
		FIXTURE_TEST(creating_twice_keeps_what_is_there),
		FIXTURE_TEST(many_create_it_at_once),
		FIXTURE_TEST(an_empty_file_is_migrated),
		FIXTURE_TEST(a_newer_schema_is_refused),
		FIXTURE_TEST(another_programs_database_is_refused),
		FIXTURE_TEST(a_failed_migration_leaves_nothing),
		FIXTURE_TEST(a_locked_database_says_try_again),
		FIXTURE_TEST(one_that_cannot_be_written_is_refused),
		FIXTURE_TEST(a_full_disk_says_so_and_loses_nothing),
		FIXTURE_TEST(garbage_is_not_a_database),
		FIXTURE_TEST(damaged_pages_are_told),
		FIXTURE_TEST(lost_guards_are_told),
		FIXTURE_TEST(dangling_references_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
