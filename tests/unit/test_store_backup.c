/* A backup taken while others write is a good database, chain and all. */
#include "store_fixture.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { DEADLINE_MS = 20000 };

static long
rows(const struct fixture *f)
{
	return raw_int(f, "SELECT id FROM audit_head");
}

static void
wait_for_rows(const struct fixture *f, long more_than)
{
	int64_t deadline = now_mono_ms() + DEADLINE_MS;

	while (rows(f) <= more_than) {
		assert_true(now_mono_ms() < deadline);
		poll(NULL, 0, 2);
	}
}

static void
a_copy_under_load_is_good(void **state)
{
	struct fixture *f = *state;
	char copy[128], *big = xcalloc(1, 4000001);
	struct errtext e = { 0 };
	struct store *st;
	struct stat sb;
	int64_t n, id;
	long before, after;
	pid_t pid;

	memset(big, 'x', 4000000); /* many steps */
	add_user(f, "alice");
	assert_int_equal(audit_add(f->st, &op, "test.big", NULL, NULL, big), 0);
	fixture_close(f);
	pid = writer_start(f, -1);
	fixture_open(f);
	wait_for_rows(f, 10);
	before = rows(f);
	snprintf(copy, sizeof(copy), "%s/copy.db", f->dir);
	if (store_backup(f->st, copy))
		fail_msg("%s", store_error(f->st));
	after = rows(f);
	wait_for_rows(f, after); /* it went on writing throughout */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	assert_int_equal(stat(copy, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	assert_int_equal(store_open(copy, STORE_OPEN, &st, &e), 0);
	assert_int_equal(store_integrity(st, &e), 0);
	if (audit_verify(st, &n, &e))
		fail_msg("%s", e.s);
	assert_in_range(n, before, after);
	assert_int_equal(user_id(st, "alice", &id), 0);
	add_user(&(struct fixture){ .st = st }, "bob"); /* and goes on from there */
	assert_int_equal(audit_verify(st, &n, &e), 0);
	store_close(st);
	/* What the writer's death left behind is good as well. */
	assert_int_equal(store_integrity(f->st, &e), 0);
	assert_int_equal(audit_verify(f->st, &n, &e), 0);
	free(big);
}

static void
a_backup_overwrites_nothing(void **state)
{
	struct fixture *f = *state;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s/copy.db", f->dir);
	assert_int_equal(store_backup(f->st, copy), 0);
	assert_int_equal(store_backup(f->st, copy), JB_EXISTS);
	assert_non_null(strstr(store_error(f->st), "remove it or name another"));
	assert_int_equal(store_backup(f->st, f->path), JB_EXISTS);
	assert_int_equal(store_backup(f->st, "/proc/none/copy.db"), JB_UNAVAILABLE);
	assert_non_null(strstr(store_error(f->st), "cannot make"));
	add_user(f, "alice"); /* no transaction was left open */
}

static void
a_backup_that_fails_leaves_no_file(void **state)
{
	struct fixture *f = *state;
	char copy[128];
	int status;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s/copy.db", f->dir);
	fixture_close(f);
	pid = fork();
	if (pid == 0) { /* files may not grow beyond 16 KiB */
		const struct rlimit small = { 16384, 16384 };

		fixture_open(f);
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &small) < 0)
			_exit(1);
		_exit(store_backup(f->st, copy) == JB_UNAVAILABLE ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(copy, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_copy_under_load_is_good),
		FIXTURE_TEST(a_backup_overwrites_nothing),
		FIXTURE_TEST(a_backup_that_fails_leaves_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
