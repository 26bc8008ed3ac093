/*
 * Which recordings go: the oldest, those beyond the limit, and none that is
 * being made.
 */
#include "store_fixture.h"

#include "../../src/watcher/old_recordings.h"

#include "jumpbox/recordings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { MIB = 1 << 20, DAY = 24 * 3600 };

/* ---- a disk that does not do all it is asked ---- */

static bool not_writable;
static const char *immovable; /* what is in the name of a file that stays */

int
faccessat(int dir, const char *path, int mode, int flags)
{
	(void)dir;
	(void)flags;
	assert_string_equal(path, ".");
	assert_int_equal(mode, W_OK | X_OK);
	errno = EACCES;
	return not_writable ? -1 : 0;
}

int
unlinkat(int dir, const char *path, int flags)
{
	if (immovable != NULL && strstr(path, immovable) != NULL) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

struct scene {
	struct fixture *f;
	struct config c;
	int dir, live;
};

static char name[RECORDING_NAME];

/* The n-th recording: written so many days ago, so large. */
static int
made(struct scene *s, int n, int days, off_t size)
{
	int64_t at = now_unix() - (int64_t)days * DAY;
	struct timespec when[2] = { { at, 0 }, { at, 0 } };
	int fd;

	recording_name(name, at, n, 1);
	fd = recording_create(s->dir, name);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(futimens(fd, when), 0);
	return fd;
}

static int
setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));

	if (fixture_setup((void **)&s->f) != 0)
		return -1;
	s->c.database = s->f->path;
	s->dir = recordings_open_dir(s->f->path, true);
	close(made(s, 1, 40, MIB));
	close(made(s, 2, 20, MIB));
	s->live = made(s, 3, 15, MIB);
	close(made(s, 4, 10, MIB));
	close(made(s, 5, 0, MIB));
	close(openat(s->dir, "20000101T000000Z.note", O_CREAT | O_WRONLY, 0600));
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;
	DIR *d = fdopendir(s->dir);
	struct dirent *entry;

	close(s->live);
	while ((entry = readdir(d)) != NULL)
		unlinkat(dirfd(d), entry->d_name, 0);
	unlinkat(dirfd(d), "../recordings", AT_REMOVEDIR);
	closedir(d);
	*state = s->f;
	free(s);
	return fixture_teardown(state);
}

/* What is left after a call that removes so many, as "1 2 3 4 5 x"; x is no recording. */
static const char *
left(struct scene *s, int64_t want)
{
	static char text[64];
	int64_t removed = -1;
	DIR *d = fdopendir(openat(s->dir, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;
	bool there[8] = { false };

	assert_int_equal(old_recordings_remove(&s->c, s->f->st, &removed), 0);
	assert_int_equal(removed, want);
	while ((entry = readdir(d)) != NULL)
		if (recording_name_ok(entry->d_name))
			there[atoi(entry->d_name + 17) % 10] = true;
		else if (entry->d_name[0] != '.')
			there[7] = true;
	closedir(d);
	text[0] = '\0';
	for (int i = 0; i <= 7; i++)
		if (there[i])
			snprintf(text + strlen(text), 4, "%c", i == 7 ? 'x' : '0' + i);
	return text;
}

static void
by_age(void **state)
{
	struct scene *s = *state;

	assert_string_equal(left(s, 0), "12345x"); /* for ever */
	s->c.recording_retention = 30;
	assert_string_equal(left(s, 1), "2345x");
	assert_non_null(strstr(last_audit(s->f), "recording.del|retention|local|-|"));
	assert_string_equal(left(s, 0), "2345x");
	s->c.recording_retention = 12;
	assert_string_equal(left(s, 1), "345x");
	close(s->live);
	s->live = open("/dev/null", O_RDONLY);
	assert_string_equal(left(s, 1), "45x");
}

static void
by_size(void **state)
{
	struct scene *s = *state;

	s->c.recording_max_total = 5;
	assert_string_equal(left(s, 0), "12345x");
	s->c.recording_max_total = 3;
	assert_string_equal(left(s, 2), "345x");
	s->c.recording_max_total = 1; /* the one that is being made counts, and stays */
	assert_string_equal(left(s, 2), "3x");
	assert_string_equal(left(s, 0), "3x");
}

/* Between its creation and its lock a new one is empty; there is not much time for that. */
static void
one_that_is_born_at_this_moment(void **state)
{
	struct scene *s = *state;

	close(made(s, 0, 0, 0));
	s->c.recording_max_total = 1;
	assert_string_equal(left(s, 4), "03x");
	close(made(s, 0, 2, 0));
	s->c.recording_retention = 1;
	assert_string_equal(left(s, 1), "03x");
}

static int64_t
audit_rows(struct scene *s)
{
	return raw_int(s->f, "SELECT count(*) FROM audit");
}

/* Neither an audit row for what stays nor another try at once. */
static void
what_cannot_be_removed_stays(void **state)
{
	struct scene *s = *state;
	int64_t removed = -1, rows = audit_rows(s);

	s->c.recording_retention = 1;
	not_writable = true;
	assert_int_equal(old_recordings_remove(&s->c, s->f->st, &removed), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(audit_rows(s), rows);
	not_writable = false;
	immovable = "-4-1.";
	assert_string_equal(left(s, 2), "345x");
	assert_string_equal(left(s, 0), "345x");
	immovable = NULL;
	assert_string_equal(left(s, 1), "35x");
}

static void
nothing_without_the_audit(void **state)
{
	struct scene *s = *state;
	int64_t removed;

	s->c.recording_retention = 1;
	assert_int_equal(raw(s->f,
			     "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN"
			     " SELECT RAISE(ABORT, 'full'); END"),
	    SQLITE_OK);
	assert_int_not_equal(old_recordings_remove(&s->c, s->f->st, &removed), 0);
	assert_int_equal(raw(s->f, "DROP TRIGGER full"), SQLITE_OK);
	assert_string_equal(left(s, 3), "35x");
}

static void
many_in_batches(void **state)
{
	struct scene *s = *state;
	int64_t removed, all = 0;

	for (int i = 0; i < 120; i++)
		close(made(s, 1000 + i, 50, 1));
	s->c.recording_retention = 45;
	do {
		assert_int_equal(old_recordings_remove(&s->c, s->f->st, &removed), 0);
		assert_true(removed <= 50);
		all += removed;
	} while (removed > 0);
	assert_int_equal(all, 120);
}

static void
no_directory(void **state)
{
	struct scene *s = *state;
	int64_t removed;

	s->c.database = (char *)"/nonexistent/jumpbox.db";
	s->c.recording_retention = 1;
	assert_int_equal(old_recordings_remove(&s->c, s->f->st, &removed), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(by_size, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_born_at_this_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_removed_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_without_the_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(many_in_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(no_directory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
