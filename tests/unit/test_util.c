/*
 * Copies, clocks, descriptors, files, processes and points in time.
 */
#include "jumpbox/util.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- errors, copies ---------------------------------------------------- */

static void
error_sentences(void **state)
{
	struct errtext e;

	(void)state;
	assert_int_equal(err_set(&e, JB_DENIED, "%s %d", "no", 7), JB_DENIED);
	assert_string_equal(e.s, "no 7");
	assert_int_equal(err_set(NULL, JB_EXISTS, "x"), JB_EXISTS);
	err_set(&e, JB_USAGE, "%0500d", 1);
	assert_int_equal(strlen(e.s), sizeof e.s - 1);
}

static void
copies_fit_or_fail(void **state)
{
	char dst[5] = "old";

	(void)state;
	assert_int_equal(str_copy(dst, sizeof dst, "1234"), 0);
	assert_string_equal(dst, "1234");
	assert_int_equal(str_copy(dst, sizeof dst, "12345"), JB_BAD_INPUT);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, 0, ""), JB_BAD_INPUT);
	assert_int_equal(str_copy(dst, 1, ""), 0);
}

static void
wiping(void **state)
{
	char secret[] = "secret";

	(void)state;
	wipe(secret, sizeof secret);
	assert_memory_equal(secret, "\0\0\0\0\0\0", 7);
	wipe(NULL, 0);
	free_secret(NULL);
	free_secret(xstrdup("x"));
}

static void
allocation(void **state)
{
	char *s = xasprintf("%s-%d", "a", 1), *p;

	(void)state;
	assert_string_equal(s, "a-1");
	free(s);
	p = xcalloc(0, 0);
	assert_non_null(p);
	p = xreallocarray(p, 0, 1);
	assert_non_null(p);
	free(p);
}

/* ---- descriptors ------------------------------------------------------- */

static void
flags(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(set_nonblock(p[0], true), 0);
	assert_true(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(set_nonblock(p[0], false), 0);
	assert_false(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(set_cloexec(p[0], true), 0);
	assert_true(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(set_cloexec(p[0], false), 0);
	assert_false(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
	close(p[0]);
	close(p[1]);
	assert_int_equal(set_nonblock(p[0], true), JB_INTERNAL);
}

enum { MUCH = 300000 };

static void *
drain(void *arg)
{
	static char sink[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*(int *)arg, sink, sizeof sink)) > 0)
		total += (size_t)n;
	return (void *)total;
}

/* More than a pipe holds, to a reader that takes it bit by bit. */
static void
whole_writes(void **state)
{
	char *data = xcalloc(MUCH, 1);
	pthread_t reader;
	void *total;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	set_nonblock(p[1], true);
	assert_int_equal(pthread_create(&reader, NULL, drain, &p[0]), 0);
	assert_int_equal(write_all(p[1], data, MUCH, 20000), 0);
	close(p[1]);
	pthread_join(reader, &total);
	assert_int_equal((size_t)total, MUCH);
	close(p[0]);
	free(data);
}

static void
writes_that_fail(void **state)
{
	char *data = xcalloc(MUCH, 1);
	int64_t before;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	set_nonblock(p[1], true);
	before = now_mono_ms();
	assert_int_equal(write_all(p[1], data, MUCH, 50), JB_TRY_AGAIN);
	assert_true(now_mono_ms() - before >= 50);
	assert_int_equal(write_all(p[1], data, 0, 0), 0);
	close(p[0]);
	assert_int_equal(write_all(p[1], data, 1, 50), JB_UNAVAILABLE);
	close(p[1]);
	free(data);
}

/* ---- files, processes -------------------------------------------------- */

static void
whole_files(void **state)
{
	char path[64], *data = NULL, big[10000];
	struct errtext e;
	size_t len = 0;
	int fd = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	assert_int_equal(read_file(path, 10, &data, &len, &e), 0);
	assert_int_equal(len, 0);
	assert_string_equal(data, "");
	free(data);
	memset(big, 'x', sizeof big);
	assert_int_equal(write_all(fd, big, sizeof big, -1), 0);
	assert_int_equal(read_file(path, sizeof big, &data, &len, &e), 0);
	assert_int_equal(len, sizeof big);
	assert_memory_equal(data, big, sizeof big);
	assert_int_equal(data[len], '\0');
	free(data);
	data = NULL;
	assert_int_equal(read_file(path, sizeof big - 1, &data, &len, &e), JB_BAD_INPUT);
	assert_non_null(strstr(e.s, "larger than 9999 bytes"));
	assert_null(data);
	close(fd);
	assert_int_equal(read_file("/nonexistent", 10, &data, &len, &e), JB_NOT_FOUND);
	assert_string_equal(e.s, "/nonexistent: No such file or directory");
	assert_int_equal(read_file("/", 10, &data, &len, &e), JB_UNAVAILABLE);
	assert_int_equal(read_file("/nonexistent", 10, &data, &len, NULL), JB_NOT_FOUND);
}

static void
descriptors_are_read_from_an_offset_or_from_here(void **state)
{
	char path[] = "/tmp/jumpbox-test-XXXXXX", *data = NULL;
	int fd = mkstemp(path), p[2];
	struct errtext e;
	size_t len;

	(void)state;
	unlink(path);
	assert_int_equal(write_all(fd, "abcdef", 6, -1), 0);
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	assert_int_equal(read_fd(fd, 1, "it", 5, &data, &len, &e), 0);
	assert_string_equal(data, "bcdef");
	free(data);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 4); /* where the others are */
	assert_int_equal(read_fd(fd, FROM_HERE, "it", 2, &data, &len, &e), 0);
	assert_string_equal(data, "ef");
	free(data);
	data = NULL;
	assert_int_equal(read_fd(fd, 0, "it", 5, &data, &len, &e), JB_BAD_INPUT);
	assert_string_equal(e.s, "it: larger than 5 bytes");
	assert_null(data);
	close(fd);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write_all(p[1], "x\0y", 3, -1), 0);
	close(p[1]);
	assert_int_equal(read_fd(p[0], FROM_HERE, "it", 3, &data, &len, &e), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "x\0y", 4);
	free(data);
	close(p[0]);
}

static void
start_times(void **state)
{
	uint64_t own = proc_start_time(getpid()), child;
	siginfo_t ended;
	int p[2];
	pid_t pid;
	char c;

	(void)state;
	assert_true(own > 0);
	assert_true(proc_start_time(getpid()) == own);
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		close(p[1]);
		_exit((int)read(p[0], &c, 1));
	}
	child = proc_start_time(pid);
	assert_true(child >= own);
	close(p[1]);
	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	assert_true(proc_start_time(pid) == 0); /* not reaped yet */
	waitpid(pid, NULL, 0);
	assert_true(proc_start_time(pid) == 0);
	assert_true(proc_start_time(-1) == 0);
	close(p[0]);
}

static void
machine(void **state)
{
	char name[256];

	(void)state;
	assert_int_equal(strlen(boot_id()), 36);
	assert_ptr_equal(boot_id(), boot_id());
	gethostname(name, sizeof name);
	assert_string_equal(host_name(), name);
	assert_true(now_unix() > 1600000000);
	assert_true(now_unix_ms() / 1000 - now_unix() <= 1);
}

/* ---- time -------------------------------------------------------------- */

static int64_t
when(const char *s)
{
	struct errtext e = { 0 };
	int64_t at = -1;

	if (when_parse(s, 1000000, &at, &e) != 0)
		fail_msg("%s: %s", s, e.s);
	return at;
}

static void
points_in_time(void **state)
{
	(void)state;
	setenv("TZ", "XXX-2", 1); /* two hours east, no summer time */
	tzset();
	assert_int_equal(when(""), 0);
	assert_int_equal(when("never"), 0);
	assert_int_equal(when("+15m"), 1000000 + 900);
	assert_int_equal(when("+8h"), 1000000 + 28800);
	assert_int_equal(when("+30d"), 1000000 + 2592000);
	assert_int_equal(when("+0m"), 1000000);
	assert_true(when("+36500d") == 1000000 + INT64_C(36500) * 86400);
	assert_int_equal(when("2027-01-31"), 1801353600 - 7200);
	assert_int_equal(when("2027-01-31T18:00"), 1801418400 - 7200);
	assert_int_equal(when("2027-01-31T18:00:09"), 1801418409 - 7200);
	assert_int_equal(when("2027-01-31T18:00:09Z"), 1801418409);
	assert_int_equal(when("2028-02-29T00:00Z"), 1835395200);
	assert_int_equal(when("1970-01-02"), 86400 - 7200);
	assert_true(when("9999-12-31T23:59:59Z") == INT64_C(253402300799));
	unsetenv("TZ");
	tzset();
}

static void
not_points_in_time(void **state)
{
	static const char *const wrong[] = { "0", "tomorrow", "Never", "+", "+h", "+8", "+8w",
		"+8hh", "+-8h", "+ 8h", "-8h", "+8h ", "+36501d", "+99999999999999999999d",
		"2027-1-31", "2027-01-32", "2027-00-10", "2027-13-01", "2027-02-29", "2100-02-29",
		"2027-01-00", "1969-12-31", "2027-01-31 18:00", "2027-01-31T", "2027-01-31T18",
		"2027-01-31T24:00", "2027-01-31T18:60", "2027-01-31T18:00:60", "2027-01-31T18:00ZZ",
		"2027-01-31T18:00+02:00", "2027-01-31x", "02027-01-31", " 2027-01-31" };
	struct errtext e;
	int64_t at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		at = 77;
		if (when_parse(wrong[i], 0, &at, &e) != JB_BAD_INPUT)
			fail_msg("'%s' is accepted", wrong[i]);
		assert_int_equal(at, 77);
		assert_non_null(strstr(e.s, wrong[i]));
	}
}

static void
time_as_text(void **state)
{
	char s[32], libc[32];
	struct tm tm;
	time_t t;
	int64_t at;

	(void)state;
	for (at = 0; at < INT64_C(253402300799); at += INT64_C(86400) * 53 + 3671) {
		t = (time_t)at;
		strftime(libc, sizeof libc, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		when_format(at, s);
		assert_string_equal(s, libc);
		assert_true(when(s) == at);
	}
	when_format(951782400, s);
	assert_string_equal(s, "2000-02-29T00:00:00Z");
	when_format(-5, s);
	assert_string_equal(s, "1970-01-01T00:00:00Z");
	when_format(INT64_MAX, s);
	assert_string_equal(s, "9999-12-31T23:59:59Z");
}

static void
times_of_which_0_is_never(void **state)
{
	(void)state;
	assert_int_equal(sooner(0, 0), 0);
	assert_int_equal(sooner(0, 5), 5);
	assert_int_equal(sooner(5, 0), 5);
	assert_int_equal(sooner(5, 7), 5);
	assert_int_equal(sooner(7, 5), 5);
	assert_false(due(0, 5));
	assert_false(due(6, 5));
	assert_true(due(5, 5));
	assert_true(due(1, 5));
	assert_int_equal(poll_timeout(0), -1);
	assert_int_equal(poll_timeout(1), 0);
	assert_in_range(poll_timeout(now_mono_ms() + 60000), 50000, 60000);
	assert_int_equal(poll_timeout(INT64_MAX), INT_MAX);
}

static void
test_numbers_on_a_wire(void **state)
{
	uint8_t p[6] = { 0 };

	(void)state;
	store_u32(p + 1, 0x01fe80ff); /* no place to align it */
	assert_memory_equal(p, "\0\x01\xfe\x80\xff\0", 6);
	assert_int_equal(load_u32(p + 1), 0x01fe80ff);
	store_u32(p, UINT32_MAX);
	assert_int_equal(load_u32(p), UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_on_a_wire),
		cmocka_unit_test(times_of_which_0_is_never),
		cmocka_unit_test(error_sentences),
		cmocka_unit_test(copies_fit_or_fail),
		cmocka_unit_test(wiping),
		cmocka_unit_test(allocation),
		cmocka_unit_test(flags),
		cmocka_unit_test(whole_writes),
		cmocka_unit_test(writes_that_fail),
		cmocka_unit_test(whole_files),
		cmocka_unit_test(descriptors_are_read_from_an_offset_or_from_here),
		cmocka_unit_test(start_times),
		cmocka_unit_test(machine),
		cmocka_unit_test(points_in_time),
		cmocka_unit_test(not_points_in_time),
		cmocka_unit_test(time_as_text),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
