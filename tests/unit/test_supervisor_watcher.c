/*
 * When the watcher of the database is listened to, killed and started again:
 * the real file, over a socket whose other end is this test's; no process is
 * started, and signals are noted.  One life, in the order of the tests; time passes by what is
 * told to watcher_tick().
 */
#include "../../src/supervisor/loop.h"
#include "../../src/supervisor/restart.h"
#include "../../src/supervisor/spawn.h"
#include "../../src/supervisor/watcher.h"

#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { END_MS = 2000, SILENT_MS = 30000, CONFIG_FD = 77, FIRST_PID = 1 << 30 };

/* ---- what is started ------------------------------------------------------------ */

static unsigned started, looked;
static int fd = -1; /* the watcher's end of its control socket */
static int got;	    /* the last signal since this was looked at */
static bool no_process;

pid_t
spawn_role(const struct spawn *s, int *control)
{
	int pair[2];

	if (no_process) {
		errno = EAGAIN;
		return -1;
	}
	assert_string_equal(s->program, "jumpbox-watcher");
	assert_null(s->arg);
	assert_int_equal(s->control, SOCK_STREAM);
	assert_int_equal(s->config, CONFIG_FD);
	assert_int_equal(s->keys, -1);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*control = pair[0];
	fd = pair[1];
	return FIRST_PID + (pid_t)started++;
}

/* No process has such a number. */
static pid_t
pid(void)
{
	return FIRST_PID + (pid_t)started - 1;
}

int
kill(pid_t to, int signal)
{
	assert_int_equal(to, pid());
	got = signal;
	return 0;
}

static int
signalled(void)
{
	int signal = got;

	got = 0;
	return signal;
}

static void
look(void)
{
	looked++;
}

static void
writes(const char *bytes)
{
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

static void
dies(void)
{
	close(fd);
	assert_false(watcher_reaped(getpid(), SIGKILL));
	assert_false(watcher_gone());
	assert_true(watcher_reaped(pid(), SIGKILL));
	assert_true(watcher_gone());
}

/* ---- one life ----------------------------------------------------------------------- */

static void
one_look_for_all_the_changes_that_it_reports(void **state)
{
	(void)state;
	loop_init();
	watcher_start(CONFIG_FD, look);
	assert_int_equal(started, 1);
	assert_false(watcher_gone());
	writes((const char[]){ WATCH_ALIVE, WATCH_POLICY, WATCH_POLICY, WATCH_ALIVE, 0 });
	loop_wait(1000);
	assert_int_equal(looked, 1);
	writes((const char[]){ WATCH_ALIVE, 0 });
	loop_wait(1000);
	assert_int_equal(looked, 1);
	writes((const char[]){ WATCH_POLICY, 0 });
	loop_wait(1000);
	assert_int_equal(looked, 2);
}

static void
what_it_said_counts_before_its_silence(void **state)
{
	int64_t late = watcher_tick(now_mono_ms());

	(void)state;
	while (now_mono_ms() + SILENT_MS <= late)
		; /* at most a millisecond */
	writes((const char[]){ WATCH_POLICY, 0 });
	watcher_tick(late); /* it was this process that did not listen */
	assert_int_equal(signalled(), 0);
	assert_int_equal(looked, 3);
}

static void
a_silent_one_is_killed_and_replaced_at_once(void **state)
{
	int64_t now = now_mono_ms(), next;

	(void)state;
	writes((const char[]){ WATCH_ALIVE, 0 });
	loop_wait(1000);
	next = watcher_tick(now);
	assert_in_range(next, now + SILENT_MS, now_mono_ms() + SILENT_MS);
	watcher_tick(next - 1);
	assert_int_equal(signalled(), 0);
	watcher_tick(next);
	assert_int_equal(signalled(), SIGKILL);
	watcher_tick(next + 1); /* once is enough */
	assert_int_equal(signalled(), 0);
	assert_int_equal(started, 1);
	dies();
	now = now_mono_ms();
	next = watcher_tick(now);
	assert_int_equal(started, 2);
	assert_in_range(next, now + SILENT_MS, now_mono_ms() + SILENT_MS);
}

static void
the_next_deaths_are_waited_for(void **state)
{
	int64_t now, next;

	(void)state;
	dies();
	now = now_mono_ms();
	next = watcher_tick(now);
	assert_in_range(next, now + 1, now + RESTART_FIRST_MS);
	no_process = true;
	watcher_tick(next);
	now = next;
	next = watcher_tick(now);
	assert_in_range(next, now + 1, now + RESTART_MAX_MS);
	no_process = false;
	watcher_tick(next - 1);
	assert_int_equal(started, 2);
	watcher_tick(next);
	assert_int_equal(started, 3);
}

static void
one_that_hangs_up_has_a_moment_to_end(void **state)
{
	int64_t now = now_mono_ms(), next;

	(void)state;
	shutdown(fd, SHUT_WR);
	loop_wait(1000);
	next = watcher_tick(now);
	assert_in_range(next, now + END_MS, now_mono_ms() + END_MS);
	watcher_tick(next - 1);
	assert_int_equal(signalled(), 0);
	assert_int_equal(watcher_tick(next), 0);
	assert_int_equal(signalled(), SIGKILL);
	dies();
	assert_int_equal(looked, 3);
}

static void
the_last_is_told_to_end_and_killed_if_it_does_not(void **state)
{
	int64_t now = now_mono_ms(), next;

	(void)state;
	watcher_tick(now + RESTART_MAX_MS);
	assert_int_equal(started, 4);
	watcher_retire();
	assert_int_equal(signalled(), SIGTERM);
	next = watcher_tick(now);
	assert_in_range(next, now + END_MS, now_mono_ms() + END_MS);
	watcher_tick(next - 1);
	assert_int_equal(signalled(), 0);
	watcher_tick(next);
	assert_int_equal(signalled(), SIGKILL);
	dies();
	assert_int_equal(watcher_tick(next + RESTART_MAX_MS), 0);
	assert_int_equal(started, 4);
}

static void
one_that_ends_in_time_leaves_nothing_to_do(void **state)
{
	(void)state;
	watcher_start(CONFIG_FD, look);
	watcher_retire();
	assert_int_equal(signalled(), SIGTERM);
	dies();
	assert_int_equal(watcher_tick(now_mono_ms()), 0);
	assert_int_equal(started, 5);
}

static void
at_the_end_none_is_started_for_one_that_died(void **state)
{
	(void)state;
	watcher_start(CONFIG_FD, look);
	dies();
	assert_true(watcher_tick(now_mono_ms()) != 0);
	watcher_retire();
	assert_int_equal(signalled(), 0);
	assert_int_equal(watcher_tick(now_mono_ms() + RESTART_MAX_MS), 0);
	assert_int_equal(started, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_look_for_all_the_changes_that_it_reports),
		cmocka_unit_test(what_it_said_counts_before_its_silence),
		cmocka_unit_test(a_silent_one_is_killed_and_replaced_at_once),
		cmocka_unit_test(the_next_deaths_are_waited_for),
		cmocka_unit_test(one_that_hangs_up_has_a_moment_to_end),
		cmocka_unit_test(the_last_is_told_to_end_and_killed_if_it_does_not),
		cmocka_unit_test(one_that_ends_in_time_leaves_nothing_to_do),
		cmocka_unit_test(at_the_end_none_is_started_for_one_that_died),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
