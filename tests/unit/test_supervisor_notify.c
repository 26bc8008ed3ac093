/*
 * What the service manager hears, by its environment: the real file, in a
 * process of its own for each case, as it reads the environment once.
 */
#include "../../src/supervisor/notify.h"

#include "jumpbox/util.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

enum { LIMIT_S = 60 };

/* ---- the manager: a socket by its path in the directory where it all runs, and one without ---- */

static char dir[] = "/tmp/test_notify.XXXXXX", path[64], abstract[64];
static int by_path, by_name;

static int
listening(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	str_copy(a.sun_path, sizeof a.sun_path, name);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (void *)&a,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
	    0);
	return fd;
}

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	snprintf(path, sizeof path, "%s/s", dir);
	snprintf(abstract, sizeof abstract, "@%s", dir);
	by_path = listening(path);
	by_name = listening(abstract);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	return 0;
}

/* The next message; "" if there is none. */
static const char *
heard(int fd)
{
	static char s[256];
	ssize_t n = recv(fd, s, sizeof s - 1, 0);

	s[n > 0 ? n : 0] = '\0';
	return s;
}

static void
set(const char *name, const char *value)
{
	if (value != NULL)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* Runs fn in a process that began with these; its result must be 0. */
static void
with(const char *socket_name, const char *usec, const char *pid, int (*fn)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		char self[16];

		snprintf(self, sizeof self, "%d", (int)getpid());
		set("NOTIFY_SOCKET", socket_name);
		set("WATCHDOG_USEC", usec);
		set("WATCHDOG_PID", pid != NULL && strcmp(pid, "self") == 0 ? self : pid);
		notify_init();
		_exit(fn());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- whom it tells ------------------------------------------------------------------- */

static int
say_ready(void)
{
	notify_send("READY=1");
	return 0;
}

static void
a_socket_by_its_whole_name(void **state)
{
	char too_long[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	(void)state;
	with(path, NULL, NULL, say_ready);
	assert_string_equal(heard(by_path), "READY=1");
	with(abstract, NULL, NULL, say_ready);
	assert_string_equal(heard(by_name), "READY=1");
	/* Without its last letter it would be that socket's. */
	memset(too_long, '/', sizeof too_long);
	memcpy(too_long + sizeof too_long - 2 - strlen(path), path, strlen(path));
	str_copy(too_long + sizeof too_long - 2, 2, "x");
	with(too_long, NULL, NULL, say_ready);
	with("s", NULL, NULL, say_ready); /* there is one */
	with("", NULL, NULL, say_ready);
	with(NULL, NULL, NULL, say_ready);
	assert_string_equal(heard(by_path), "");
	assert_string_equal(heard(by_name), "");
}

static int
say_much(void)
{
	int i;

	for (i = 0; i < 10000; i++)
		notify_send("READY=1");
	return 0;
}

/* A supervisor that waited for it would serve nobody. */
static void
a_manager_that_does_not_listen_is_not_waited_for(void **state)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	(void)state;
	dup2(null, STDERR_FILENO); /* each is a warning */
	with(path, NULL, NULL, say_much);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	while (strcmp(heard(by_path), "READY=1") == 0)
		;
}

static int
say_reloading(void)
{
	notify_reloading();
	return 0;
}

static void
reloading_begins_at_a_time(void **state)
{
	int64_t before = now_mono_ms(), at;

	(void)state;
	with(path, NULL, NULL, say_reloading);
	assert_int_equal(sscanf(heard(by_path), "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &at), 1);
	assert_in_range(at, before * 1000, now_mono_ms() * 1000);
}

/* ---- signs of life ---------------------------------------------------------------------- */

static int
one_second_apart(void)
{
	static const struct {
		int64_t now, next;
	} looks[] = { { 5000, 6000 }, { 5001, 6000 }, { 5999, 6000 }, { 6000, 7000 },
		{ 9500, 10500 }, { 10499, 10500 } };

	for (size_t i = 0; i < NELEMS(looks); i++)
		if (notify_watchdog(looks[i].now) != looks[i].next)
			return (int)i + 1;
	return 0;
}

static int
never(void)
{
	return notify_watchdog(5000) != 0 || notify_watchdog(INT64_MAX / 2) != 0;
}

static void
twice_in_the_time_that_the_manager_waits(void **state)
{
	static const char *const pids[] = { NULL, "self" };

	(void)state;
	for (size_t i = 0; i < NELEMS(pids); i++) {
		with(path, "2000000", pids[i], one_second_apart);
		for (int n = 0; n < 3; n++)
			assert_string_equal(heard(by_path), "WATCHDOG=1");
		assert_string_equal(heard(by_path), "");
	}
}

static void
none_if_none_is_wanted_of_this_process(void **state)
{
	static const struct {
		const char *socket, *usec, *pid;
	} none[] = {
		{ path, NULL, NULL },
		{ path, NULL, "self" },
		{ path, "2000000", "1" },
		{ path, "2000000", "" },
		{ path, "0", NULL },
		{ path, "-2000000", NULL },
		{ path, "soon", NULL },
		{ NULL, "2000000", NULL },
		{ "s", "2000000", NULL },
	};

	(void)state;
	for (size_t i = 0; i < NELEMS(none); i++)
		with(none[i].socket, none[i].usec, none[i].pid, never);
	assert_string_equal(heard(by_path), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_by_its_whole_name),
		cmocka_unit_test(a_manager_that_does_not_listen_is_not_waited_for),
		cmocka_unit_test(reloading_begins_at_a_time),
		cmocka_unit_test(twice_in_the_time_that_the_manager_waits),
		cmocka_unit_test(none_if_none_is_wanted_of_this_process),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, setup, teardown);
}
