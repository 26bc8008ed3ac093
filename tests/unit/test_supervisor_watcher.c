/*
 * When the watchers are listened to, killed and started again: the real file,
 * over sockets whose other ends are this test's; no process is started, and
 * signals are noted.  One life of that of the database, then those of nodes, in
 * the order of the tests; time passes by what is told to watcher_tick().
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { END_MS = 2000, SILENT_MS = 30000, CONFIG_FD = 77, FIRST_PID = 1 << 30, LIVES = 32 };

/* ---- what is started ------------------------------------------------------------ */

static unsigned started, looked, inventories;
static int fd = -1; /* the newest watcher's end of its control socket */
static int got;	    /* the last signal since this was looked at */
static bool no_process;
static struct life {
	char arg[24]; /* "": the database's */
	int fd;
} lives[LIVES]; /* by number */

pid_t
spawn_role(const struct spawn *s, int *control)
{
	int pair[2];

	if (no_process) {
		errno = EAGAIN;
		return -1;
	}
	assert_string_equal(s->program, "jumpbox-watcher");
	assert_int_equal(s->control, SOCK_SEQPACKET);
	assert_int_equal(s->config, CONFIG_FD);
	assert_int_equal(s->keys, -1);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*control = pair[0];
	fd = pair[1];
	assert_in_range(started, 0, LIVES - 1);
	lives[started].fd = fd;
	snprintf(
	    lives[started].arg, sizeof(lives[started].arg), "%s", s->arg != NULL ? s->arg : "");
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
	assert_in_range(to, FIRST_PID, pid());
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
look_at_inventory(void)
{
	inventories++;
}

static const struct watcher_news news = { look, look_at_inventory };

static void
says(enum watch_type type)
{
	struct msg m;

	msg_init(&m, type, 0);
	assert_int_equal(msg_send(fd, &m), 0);
	msg_release(&m);
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
	watcher_start(CONFIG_FD, &news);
	assert_int_equal(started, 1);
	assert_string_equal(lives[0].arg, "");
	assert_false(watcher_gone());
	says(WATCH_ALIVE);
	says(WATCH_POLICY);
	says(WATCH_POLICY);
	says(WATCH_ALIVE);
	loop_wait(1000);
	assert_int_equal(looked, 1);
	says(WATCH_ALIVE);
	loop_wait(1000);
	assert_int_equal(looked, 1);
	assert_int_equal(inventories, 0);
	says(WATCH_POLICY);
	says(WATCH_INVENTORY);
	says(WATCH_INVENTORY);
	loop_wait(1000);
	assert_int_equal(looked, 2);
	assert_int_equal(inventories, 1);
}

static void
what_it_said_counts_before_its_silence(void **state)
{
	int64_t late = watcher_tick(now_mono_ms());

	(void)state;
	while (now_mono_ms() + SILENT_MS <= late)
		; /* at most a millisecond */
	says(WATCH_POLICY);
	watcher_tick(late); /* it was this process that did not listen */
	assert_int_equal(signalled(), 0);
	assert_int_equal(looked, 3);
}

static void
a_silent_one_is_killed_and_replaced_at_once(void **state)
{
	int64_t now = now_mono_ms(), next;

	(void)state;
	says(WATCH_ALIVE);
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
	watcher_start(CONFIG_FD, &news);
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
	watcher_start(CONFIG_FD, &news);
	dies();
	assert_true(watcher_tick(now_mono_ms()) != 0);
	watcher_retire();
	assert_int_equal(signalled(), 0);
	assert_int_equal(watcher_tick(now_mono_ms() + RESTART_MAX_MS), 0);
	assert_int_equal(started, 6);
}

/* ---- of nodes --------------------------------------------------------------------------- */

struct told {
	uint64_t id, revision;
};

/* By the one of the database, whose number this is. */
static void
tells_of(unsigned database, const struct told *t, size_t n)
{
	struct msg m;

	msg_init(&m, WATCH_NODES, 0);
	for (size_t i = 0; i < n; i++) {
		msg_put_u64(&m, t[i].id);
		msg_put_u64(&m, t[i].revision);
	}
	assert_int_equal(msg_send(lives[database].fd, &m), 0);
	msg_release(&m);
	loop_wait(1000);
	watcher_tick(now_mono_ms());
}

static void
reaped(unsigned life, int status)
{
	close(lives[life].fd);
	assert_true(watcher_reaped(FIRST_PID + (pid_t)life, status));
}

/* So many since the last were started, for these nodes in any order. */
static void
were_started(unsigned first, const char *args)
{
	char all[128] = "";

	for (unsigned i = first; i < started; i++)
		strcat(all, lives[i].arg);
	assert_int_equal(strlen(all), strlen(args));
	assert_int_equal(strspn(all, args), strlen(all));
}

static void
each_node_in_use_has_one(void **state)
{
	static const struct told two[] = { { 5, 1 }, { 7, 1 } }, other[] = { { 7, 2 }, { 9, 1 } };
	unsigned db, first;

	(void)state;
	db = started;
	watcher_start(CONFIG_FD, &news);
	first = started;
	tells_of(db, two, 2);
	were_started(first, "57");
	tells_of(db, two, 2); /* nothing new */
	were_started(first, "57");
	assert_int_equal(signalled(), 0);
	/* 5 is in use no more, 7 has changed, 9 is new. */
	tells_of(db, other, 2);
	assert_int_equal(signalled(), SIGTERM);
	were_started(first, "579");
	for (unsigned i = first; i < first + 2; i++)
		reaped(i, SIGTERM);
	watcher_tick(now_mono_ms());
	were_started(first, "5797");
	tells_of(db, other, 2);
	assert_int_equal(signalled(), 0);
	were_started(first, "5797");
}

/* What a node's watcher says is no news, whatever it is. */
static void
a_node_s_watcher_is_not_believed(void **state)
{
	unsigned before = started, seen = looked;
	struct msg m;

	(void)state;
	says(WATCH_POLICY);
	says(WATCH_INVENTORY);
	msg_init(&m, WATCH_NODES, 0);
	assert_int_equal(msg_send(fd, &m), 0);
	msg_release(&m);
	loop_wait(1000);
	watcher_tick(now_mono_ms());
	assert_int_equal(started, before);
	assert_int_equal(looked, seen);
	assert_int_equal(signalled(), 0);
}

static void
one_that_was_killed_comes_back(void **state)
{
	unsigned last = started - 1;
	int64_t next;

	(void)state;
	reaped(last, SIGKILL);
	watcher_tick(now_mono_ms());
	assert_int_equal(started, last + 2); /* the first death: at once */
	assert_string_equal(lives[last + 1].arg, lives[last].arg);
	reaped(last + 1, SIGKILL);
	next = watcher_tick(now_mono_ms());
	assert_int_equal(started, last + 2);
	assert_in_range(next, now_mono_ms() + 1, now_mono_ms() + RESTART_MAX_MS);
	watcher_tick(next);
	assert_int_equal(started, last + 3);
}

static void
at_the_end_all_are_told(void **state)
{
	int64_t now = now_mono_ms();

	(void)state;
	watcher_retire();
	assert_int_equal(signalled(), SIGTERM);
	assert_false(watcher_gone());
	for (unsigned i = 0; i < started; i++)
		if (watcher_reaped(FIRST_PID + (pid_t)i, SIGTERM))
			close(lives[i].fd);
	assert_true(watcher_gone());
	assert_int_equal(watcher_tick(now + RESTART_MAX_MS), 0);
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
		cmocka_unit_test(each_node_in_use_has_one),
		cmocka_unit_test(a_node_s_watcher_is_not_believed),
		cmocka_unit_test(one_that_was_killed_comes_back),
		cmocka_unit_test(at_the_end_all_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
