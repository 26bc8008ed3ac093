/* What a fresh copy of jumpboxd takes over: an environment variable, read with care. */
#include "../../src/supervisor/reexec.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char variable[] = "JUMPBOX_LISTEN_FDS";

static int
listening(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static bool
is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

/* The variable as "PID REST"; pid 0: this process. */
static bool
inherited(int pid, const char *rest, struct listeners *l, int *lock)
{
	char value[4096];
	bool r;

	snprintf(value, sizeof value, "%d %s", pid != 0 ? pid : (int)getpid(), rest);
	setenv(variable, value, 1);
	r = reexec_inherited(l, lock);
	assert_null(getenv(variable)); /* not for what this process starts */
	return r;
}

static void
what_was_handed_down_is_taken_over(void **state)
{
	int first = listening(), second = listening(), lock_fd = open("/dev/null", O_RDONLY), lock;
	struct listeners l;
	char rest[64];

	(void)state;
	snprintf(rest, sizeof rest, "%d %d %d", lock_fd, first, second);
	assert_true(inherited(0, rest, &l, &lock));
	assert_int_equal(lock, lock_fd);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.fd[0], first);
	assert_int_equal(l.fd[1], second);
	assert_true(is_cloexec(lock) && is_cloexec(first) && is_cloexec(second));
	listeners_close(&l);
	close(lock);
}

static void
a_first_start_has_nothing(void **state)
{
	struct listeners l = { .n = 7 };
	int lock = 7;

	(void)state;
	unsetenv(variable);
	assert_false(reexec_inherited(&l, &lock));
	assert_int_equal(l.n, 0);
	assert_int_equal(lock, -1);
}

static void
another_process_s_variable_is_not_ours(void **state)
{
	int fd = listening(), lock;
	struct listeners l;
	char rest[64];

	(void)state;
	snprintf(rest, sizeof rest, "%d %d", fd, fd);
	assert_false(inherited((int)getppid(), rest, &l, &lock));
	assert_int_equal(l.n, 0);
	assert_int_equal(lock, -1);
	close(fd);
}

static void
what_is_no_open_descriptor_is_not_believed(void **state)
{
	static const char *const bad[] = { "", " ", "x", "-1", "0", "1", "2", "3x", "999999",
		"99999999999999999999", "4294967299" };
	struct listeners l;
	int lock;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(inherited(0, bad[i], &l, &lock));
		assert_int_equal(l.n, 0);
		assert_int_equal(lock, -1);
	}
}

static void
only_listening_sockets_are_listened_on(void **state)
{
	int file = open("/dev/null", O_RDONLY), fd = listening(), plain, lock;
	struct listeners l;
	char rest[64];

	(void)state;
	plain = socket(AF_INET, SOCK_STREAM, 0);
	snprintf(rest, sizeof rest, "%d %d %d %d", file, file, plain, fd);
	assert_true(inherited(0, rest, &l, &lock));
	assert_int_equal(l.n, 1);
	assert_int_equal(l.fd[0], fd);
	listeners_close(&l);
	close(plain);
	close(file);
}

static void
no_more_than_there_is_room_for(void **state)
{
	int fd = listening(), lock, len;
	struct listeners l;
	char rest[16 * (CONFIG_LIST_MAX + 4)];

	(void)state;
	len = snprintf(rest, sizeof rest, "%d", fd);
	for (int i = 0; i < CONFIG_LIST_MAX + 2; i++)
		len += snprintf(rest + len, sizeof rest - (size_t)len, " %d", fd);
	assert_true(inherited(0, rest, &l, &lock));
	assert_int_equal(l.n, CONFIG_LIST_MAX);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_handed_down_is_taken_over),
		cmocka_unit_test(a_first_start_has_nothing),
		cmocka_unit_test(another_process_s_variable_is_not_ours),
		cmocka_unit_test(what_is_no_open_descriptor_is_not_believed),
		cmocka_unit_test(only_listening_sockets_are_listened_on),
		cmocka_unit_test(no_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
