/*
 * When zygotes are started, fed and replaced: the real file, over processes
 * that only wait and sockets whose other end is this test's.  One life, in the
 * order of the tests.
 */
#include "../../src/supervisor/loop.h"
#include "../../src/supervisor/restart.h"
#include "../../src/supervisor/spawn.h"
#include "../../src/supervisor/zygotes.h"

#include "jumpbox/errors.h"
#include "jumpbox/msg.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIFE = 1000, SEGV = SIGSEGV, EXIT_3 = 3 << 8 };

/* ---- what is started, newest last --------------------------------------- */

struct fake {
	pid_t pid;
	int fd;
};

static struct fake sessions[16], brokers[16];
static unsigned nsessions, nbrokers;
static bool no_process;

/* It has none of this process's descriptors when it is returned. */
static pid_t
waiting_process(void)
{
	int closed[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(closed), 0);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		close_range(3, ~0U, 0);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(closed[1]);
	assert_int_equal(read(closed[0], &byte, 1), 0);
	close(closed[0]);
	return pid;
}

pid_t
spawn_role(const struct spawn *s, int *control)
{
	bool session = strcmp(s->program, "jumpbox-session") == 0;
	struct fake *f = session ? &sessions[nsessions] : &brokers[nbrokers];
	int pair[2];

	if (no_process) {
		errno = EAGAIN;
		return -1;
	}
	assert_true(nsessions < 16 && nbrokers < 16);
	assert_int_equal(s->control, SOCK_SEQPACKET);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	f->pid = waiting_process();
	f->fd = pair[1];
	*control = pair[0];
	nsessions += session;
	nbrokers += !session;
	return f->pid;
}

static struct fake *
session(void)
{
	return &sessions[nsessions - 1];
}

static struct fake *
broker(void)
{
	return &brokers[nbrokers - 1];
}

static void
says(const struct fake *f, uint32_t type, uint64_t conn, int status)
{
	struct msg m;

	msg_init(&m, type, 0);
	if (type == ZYG_EXIT) {
		msg_put_u64(&m, conn);
		msg_put_u32(&m, (uint32_t)status);
	}
	assert_int_equal(msg_send(f->fd, &m), 0);
	msg_release(&m);
	loop_wait(1000);
}

/* The connection that it was given; 0: none. */
static uint64_t
was_given(const struct fake *f)
{
	struct zygote_conn c;
	struct msg m;
	int r;

	msg_init(&m, 0, 0);
	if ((r = msg_recv(f->fd, &m)) == 0) {
		assert_true(zygote_conn_get(&m, &c));
		assert_string_equal(c.peer, "192.0.2.1");
		assert_int_equal(c.peer_port, 40000);
		close(c.fd[0]);
		close(c.fd[1]);
	}
	msg_release(&m);
	return r == 0 ? c.conn : 0;
}

static bool
was_let_go(const struct fake *f)
{
	struct pollfd p = { f->fd, POLLIN, 0 };
	char byte;

	return poll(&p, 1, 0) == 1 && recv(f->fd, &byte, 1, MSG_PEEK) == 0;
}

static void
dies(struct fake *f, int signal)
{
	int status;

	close(f->fd);
	kill(f->pid, signal);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_true(zygotes_reaped(f->pid, status));
}

static void
give(uint64_t conn)
{
	struct handover h = { .conn = conn,
		.peer = { .port = 40000, .text = "192.0.2.1" },
		.local = { .port = 2026, .text = "192.0.2.2" } };
	int status;

	assert_true(zygotes_ready());
	h.client = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(zygotes_give(&h, &status), 0);
	close(status);
}

/* ---- one life -------------------------------------------------------------- */

static void
both_have_to_be_ready(void **state)
{
	(void)state;
	loop_init();
	zygotes_start(-1, -1);
	assert_int_equal(nsessions, 1);
	assert_int_equal(nbrokers, 1);
	assert_false(zygotes_ready() || zygotes_started());
	says(session(), ZYG_READY, 0, 0);
	assert_false(zygotes_ready() || zygotes_started());
	says(broker(), ZYG_READY, 0, 0);
	assert_true(zygotes_ready() && zygotes_started());
	give(5);
	assert_int_equal(was_given(session()), 5);
	assert_int_equal(was_given(broker()), 5);
}

static void
a_child_that_exits_changes_nothing(void **state)
{
	(void)state;
	says(session(), ZYG_EXIT, 5, EXIT_3);
	says(broker(), ZYG_EXIT, 5, 0);
	assert_true(zygotes_ready());
	assert_int_equal(zygotes_tick(now_mono_ms()), 0);
	assert_int_equal(nsessions + nbrokers, 2);
}

static void
a_child_that_crashes_is_the_last_of_its_zygote(void **state)
{
	struct fake *old = session();

	(void)state;
	says(old, ZYG_EXIT, 5, SEGV);
	assert_false(zygotes_ready()); /* no second guess at the same layout */
	assert_true(was_let_go(old));
	zygotes_tick(now_mono_ms());
	assert_int_equal(nsessions, 2);
	assert_int_equal(nbrokers, 1);
	says(old, ZYG_EXIT, 6, SEGV); /* another of the old one's */
	zygotes_tick(now_mono_ms());
	assert_int_equal(nsessions, 2);
	says(session(), ZYG_READY, 0, 0);
	assert_true(zygotes_ready());
	dies(old, SIGKILL); /* retired: nobody is started for it */
	zygotes_tick(now_mono_ms());
	assert_int_equal(nsessions, 2);
}

static void
after_its_life_it_serves_until_there_is_a_fresh_one(void **state)
{
	struct fake *old = broker(), *old_session = session();

	(void)state;
	/* The broker's has had the one before the session's was replaced. */
	for (uint64_t i = 1; i < LIFE - 1; i++) {
		give(i);
		assert_int_equal(was_given(session()), i);
		assert_int_equal(was_given(broker()), i);
	}
	zygotes_tick(now_mono_ms());
	assert_int_equal(nbrokers, 1);
	give(LIFE);
	zygotes_tick(now_mono_ms());
	assert_int_equal(nbrokers, 2);
	assert_int_equal(nsessions, 2);
	give(LIFE + 1);
	assert_int_equal(was_given(old), LIFE);
	assert_int_equal(was_given(old), LIFE + 1);
	assert_false(was_let_go(old));
	says(broker(), ZYG_READY, 0, 0);
	assert_true(was_let_go(old));
	give(LIFE + 2);
	assert_int_equal(was_given(broker()), LIFE + 2);
	dies(old, SIGKILL);
	/* That was the session's thousandth. */
	zygotes_tick(now_mono_ms());
	assert_int_equal(nsessions, 3);
	says(session(), ZYG_READY, 0, 0);
	dies(old_session, SIGKILL);
	assert_true(zygotes_ready());
}

static void
what_a_dead_one_was_to_get_is_held_for_the_next(void **state)
{
	struct fake *old = broker();

	(void)state;
	close(old->fd);
	old->fd = -1;
	give(7);
	assert_int_equal(was_given(session()), 7);
	assert_true(zygotes_holding());
	assert_false(zygotes_ready());
	dies(old, SIGKILL);
	zygotes_tick(now_mono_ms());
	assert_int_equal(nbrokers, 3); /* the first death in a row: at once */
	says(broker(), ZYG_READY, 0, 0);
	assert_false(zygotes_holding());
	assert_int_equal(was_given(broker()), 7);
}

static void
the_next_deaths_are_waited_for(void **state)
{
	int64_t now, next;

	(void)state;
	dies(broker(), SIGKILL);
	now = now_mono_ms();
	next = zygotes_tick(now);
	assert_int_equal(nbrokers, 3);
	assert_in_range(next, now + 1, now + RESTART_FIRST_MS);
	no_process = true;
	zygotes_tick(next);
	assert_int_equal(nbrokers, 3);
	no_process = false;
	next = zygotes_tick(next);
	assert_true(next != 0);
	zygotes_tick(next);
	assert_int_equal(nbrokers, 4);
	says(broker(), ZYG_READY, 0, 0);
	assert_true(zygotes_ready());
}

static void
one_that_is_never_ready_is_killed(void **state)
{
	int64_t next;
	int status;

	(void)state;
	says(broker(), ZYG_EXIT, 5, SEGV);
	next = zygotes_tick(
	    now_mono_ms()); /* the old one's time to end, before the new one's to be ready */
	assert_int_equal(nbrokers, 5);
	dies(&brokers[3], SIGKILL);
	next = zygotes_tick(next);
	zygotes_tick(next);
	assert_int_equal(waitpid(broker()->pid, &status, 0), broker()->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(zygotes_reaped(broker()->pid, status));
	assert_false(zygotes_failed()); /* they did start once */
}

static void
at_the_end_all_are_let_go(void **state)
{
	(void)state;
	zygotes_retire();
	assert_true(was_let_go(session()));
	assert_false(zygotes_gone());
	dies(session(), SIGKILL);
	assert_true(zygotes_gone());
	assert_int_equal(zygotes_tick(now_mono_ms() + 60000), 0);
	assert_int_equal(nsessions, 3);
	assert_int_equal(nbrokers, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_have_to_be_ready),
		cmocka_unit_test(a_child_that_exits_changes_nothing),
		cmocka_unit_test(a_child_that_crashes_is_the_last_of_its_zygote),
		cmocka_unit_test(after_its_life_it_serves_until_there_is_a_fresh_one),
		cmocka_unit_test(what_a_dead_one_was_to_get_is_held_for_the_next),
		cmocka_unit_test(the_next_deaths_are_waited_for),
		cmocka_unit_test(one_that_is_never_ready_is_killed),
		cmocka_unit_test(at_the_end_all_are_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
