/* One supervisor a run directory: the file that says so, and its lock. */
#include "../../src/supervisor/pidfile.h"

#include "jumpbox/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

enum { UNTOUCHED = 77 };

/* A directory of its own for each test. */
static char dir[64], path[96], other[96];

static int
setup(void **state)
{
	(void)state;
	str_copy(dir, sizeof dir, "/tmp/test_pidfile.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/jumpboxd.pid", dir);
	snprintf(other, sizeof other, "%s/other", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	unlink(other);
	return rmdir(dir);
}

static void
write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write_all(fd, text, strlen(text), -1), 0);
	close(fd);
}

static int
opened(int inherited)
{
	struct errtext e;
	int fd = UNTOUCHED;

	assert_int_equal(pidfile_open(dir, inherited, &fd, &e), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	return fd;
}

/* With a sentence that is `before`, the path, `after`. */
static void
assert_refused(int code, const char *before, const char *after)
{
	struct errtext e;
	char why[256];
	int fd = UNTOUCHED;

	assert_int_equal(pidfile_open(dir, -1, &fd, &e), code);
	assert_int_equal(fd, UNTOUCHED);
	snprintf(why, sizeof why, "%s%s%s", before, path, after);
	assert_string_equal(e.s, why);
}

static void
assert_is_locked(const char *process)
{
	char before[64];

	snprintf(before, sizeof before, "another jumpboxd (process %s) runs with ", process);
	assert_refused(JB_UNAVAILABLE, before, ": stop it, or set another run-directory");
}

static const char *
own_pid(void)
{
	static char s[16];

	snprintf(s, sizeof s, "%d", (int)getpid());
	return s;
}

static void
assert_has_own_pid(void)
{
	struct errtext e;
	size_t len;
	char *text;

	assert_int_equal(read_file(path, 100, &text, &len, &e), 0);
	assert_int_equal(len, strlen(own_pid()) + 1);
	assert_memory_equal(text, own_pid(), len - 1);
	assert_int_equal(text[len - 1], '\n');
	free(text);
}

static void
assert_is_closed(int fd)
{
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* ---- alone ------------------------------------------------------------------ */

static void
it_has_the_pid_while_it_is_held_and_is_gone_afterwards(void **state)
{
	int fd = opened(-1);
	struct stat st;

	(void)state;
	assert_has_own_pid();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0644, 0);
	pidfile_close(dir, fd);
	assert_is_closed(fd);
	assert_int_equal(access(path, F_OK), -1);
}

static void
what_a_dead_one_left_is_taken_over(void **state)
{
	int fd;

	(void)state;
	write_file(path, "12345678901\n");
	fd = opened(-1);
	assert_has_own_pid();
	pidfile_close(dir, fd);
}

/* ---- not alone -------------------------------------------------------------- */

static void
a_second_one_is_told_of_the_first(void **state)
{
	static const struct {
		const char *text, *process;
	} files[] = {
		{ "123\n", "123" },
		{ "123", "123" },
		{ "", "unknown" },
		{ "\n", "unknown" },
		{ "evil\x1b[2J", "unknown" },
		{ "12;rm\n", "12" },
		{ "99999999999999999999\n", "999999999999999" },
	};
	int fd = opened(-1), next = dup(fd);

	(void)state;
	close(next);
	assert_is_locked(own_pid());
	for (size_t i = 0; i < NELEMS(files); i++) {
		write_file(path, files[i].text);
		assert_is_locked(files[i].process);
	}
	assert_int_equal(dup(fd), next); /* each was closed */
	close(next);
	pidfile_close(dir, fd);
	pidfile_close(dir, opened(-1)); /* the lock went with it */
}

static void
only_a_plain_file_of_its_own_is_written(void **state)
{
	char *text;
	struct errtext e;
	size_t len;

	(void)state;
	write_file(other, "precious\n");
	assert_int_equal(symlink(other, path), 0);
	assert_refused(JB_UNAVAILABLE, "cannot make ", ": Too many levels of symbolic links");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	assert_refused(JB_TRY_AGAIN, "", " is not a plain file of its own: remove it");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_refused(JB_TRY_AGAIN, "", " is not a plain file of its own: remove it");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_refused(JB_UNAVAILABLE, "cannot make ", ": Is a directory");
	assert_int_equal(read_file(other, 100, &text, &len, &e), 0);
	assert_string_equal(text, "precious\n");
	free(text);
}

static void
without_its_directory_there_is_no_start(void **state)
{
	(void)state;
	assert_int_equal(rmdir(dir), 0);
	assert_refused(JB_UNAVAILABLE, "cannot make ", ": No such file or directory");
	assert_int_equal(mkdir(dir, 0755), 0);
}

/* ---- handed down to itself ------------------------------------------------------ */

static void
its_own_is_kept(void **state)
{
	int fd = opened(-1), held = dup(fd); /* opened again it would be locked by this one */

	(void)state;
	assert_int_equal(opened(fd), fd);
	close(held);
	assert_has_own_pid();
	assert_is_locked(own_pid()); /* all the time */
	pidfile_close(dir, fd);
}

static void
one_that_is_not_the_file_any_more_is_closed(void **state)
{
	int inherited = opened(-1), fd, inherited_copy = fcntl(inherited, F_DUPFD_CLOEXEC, 100);

	(void)state;
	assert_int_equal(rename(path, other), 0);
	fd = opened(inherited_copy);
	assert_is_closed(inherited_copy);
	assert_has_own_pid();
	assert_is_locked(own_pid());

	/* Nor is it removed with the old one. */
	pidfile_close(dir, inherited);
	assert_has_own_pid();
	pidfile_close(dir, fd);
	assert_int_equal(access(path, F_OK), -1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_has_the_pid_while_it_is_held_and_is_gone_afterwards),
		TEST(what_a_dead_one_left_is_taken_over),
		TEST(a_second_one_is_told_of_the_first),
		TEST(only_a_plain_file_of_its_own_is_written),
		TEST(without_its_directory_there_is_no_start),
		TEST(its_own_is_kept),
		TEST(one_that_is_not_the_file_any_more_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
