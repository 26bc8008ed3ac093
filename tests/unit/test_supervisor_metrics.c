/*
 * When jumpbox-metrics is answered, let go and started again: the real file,
 * over a socket whose other end is this test's; no process is started, and
 * signals are noted.  One life, in the order of the tests.
 */
#include "../../src/supervisor/loop.h"
#include "../../src/supervisor/metrics.h"
#include "../../src/supervisor/restart.h"
#include "../../src/supervisor/spawn.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { END_MS = 500, CONFIG_FD = 77, FIRST_PID = 1 << 30 };

static unsigned started;
static int fd = -1; /* its end of the control socket */
static int got;	    /* the last signal */

pid_t
spawn_role(const struct spawn *s, int *control)
{
	int pair[2];

	assert_string_equal(s->program, "jumpbox-metrics");
	assert_null(s->arg);
	assert_int_equal(s->control, SOCK_SEQPACKET);
	assert_int_equal(s->config, CONFIG_FD);
	assert_int_equal(s->keys, -1);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*control = pair[0];
	fd = pair[1];
	return FIRST_PID + (pid_t)started++;
}

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

static void
look(struct server_state *s)
{
	*s = (struct server_state){ true, 1, 2, 3, 4, 5 };
}

static void
asks(uint32_t type, uint32_t id)
{
	struct msg m;

	msg_init(&m, type, id);
	assert_int_equal(msg_send(fd, &m), 0);
	msg_release(&m);
	loop_wait(1000);
}

static void
dies(void)
{
	close(fd);
	assert_false(metrics_reaped(getpid(), 0));
	assert_true(metrics_reaped(pid(), SIGKILL));
	assert_true(metrics_gone());
}

static void
nothing_is_there_unless_it_is_wanted(void **state)
{
	(void)state;
	loop_init();
	assert_true(metrics_gone());
	assert_int_equal(metrics_tick(now_mono_ms()), 0);
	metrics_retire();
	assert_int_equal(started, 0);
}

static void
each_question_is_answered_once_by_its_number(void **state)
{
	struct server_state s = { 0 };
	struct msg m;

	(void)state;
	metrics_start(CONFIG_FD, look);
	assert_int_equal(metrics_tick(now_mono_ms()), 0); /* nothing is done by time */
	asks(STATE_ASK, 41);
	msg_init(&m, 0, 0);
	assert_int_equal(msg_recv(fd, &m), 0);
	assert_int_equal(m.id, 41);
	assert_true(server_state_get(&m, &s));
	assert_true(s.draining);
	assert_int_equal(s.accepted, 1);
	assert_int_equal(s.dropped, 2);
	assert_int_equal(s.waiting, 3);
	assert_int_equal(s.logged_in, 4);
	assert_int_equal(s.watcher_heard, 5);
	assert_int_equal(msg_recv(fd, &m), JB_TRY_AGAIN);
	msg_release(&m);
}

static void
one_that_asks_for_something_else_is_let_go(void **state)
{
	int64_t now = now_mono_ms(), next;

	(void)state;
	asks(STATE_TELL, 1);
	next = metrics_tick(now);
	assert_in_range(next, now + END_MS, now_mono_ms() + END_MS);
	assert_int_equal(metrics_tick(next), 0);
	assert_int_equal(got, SIGKILL);
	dies();
	metrics_tick(now_mono_ms());
	assert_int_equal(started, 2);
}

static void
the_next_deaths_are_waited_for(void **state)
{
	int64_t now, next;

	(void)state;
	dies();
	now = now_mono_ms();
	next = metrics_tick(now);
	assert_in_range(next, now + 1, now + RESTART_FIRST_MS);
	metrics_tick(next);
	assert_int_equal(started, 3);
}

static void
the_last_is_let_go_and_killed_if_it_does_not_end(void **state)
{
	int64_t now = now_mono_ms(), next;
	char byte;

	(void)state;
	got = 0;
	metrics_retire();
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	next = metrics_tick(now);
	metrics_retire(); /* again: no later for that */
	assert_int_equal(metrics_tick(now), next);
	metrics_tick(next - 1);
	assert_int_equal(got, 0);
	metrics_tick(next);
	assert_int_equal(got, SIGKILL);
	dies();
	assert_int_equal(metrics_tick(next + RESTART_MAX_MS), 0);
	assert_int_equal(started, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_there_unless_it_is_wanted),
		cmocka_unit_test(each_question_is_answered_once_by_its_number),
		cmocka_unit_test(one_that_asks_for_something_else_is_let_go),
		cmocka_unit_test(the_next_deaths_are_waited_for),
		cmocka_unit_test(the_last_is_let_go_and_killed_if_it_does_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
