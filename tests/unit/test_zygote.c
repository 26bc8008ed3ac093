/* A zygote and what it says to the supervisor, with a process for it and this one as the supervisor. */
#include "jumpbox/zygote.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 20000, PORT_EXIT = 1, PORT_SIGNAL, PORT_LOOK };

static const struct zygote_conn example = { .conn = 0x0102030405060708,
	.peer = "2001:db8::1",
	.local = "192.0.2.1",
	.peer_port = 40000,
	.local_port = 2026,
	.accepted = 1700000000123 };

/* ---- ZYG_CONN ---------------------------------------------------------- */

static void
make_pair(int type, int sv[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sv), 0);
}

static void
give(int control, struct zygote_conn c)
{
	struct msg m;

	msg_init(&m, ZYG_CONN, 0);
	zygote_conn_put(&m, &c);
	assert_int_equal(msg_send(control, &m), 0);
	msg_release(&m);
}

static void
a_connection_arrives_as_it_was_put(void **state)
{
	struct zygote_conn c = example, got;
	int control[2], pipes[2];
	struct msg m;
	char byte;

	(void)state;
	make_pair(SOCK_SEQPACKET, control);
	assert_int_equal(pipe(pipes), 0);
	c.fd[0] = pipes[0];
	c.fd[1] = pipes[1];
	give(control[0], c);
	msg_init(&m, 0, 0);
	assert_int_equal(msg_recv(control[1], &m), 0);
	assert_true(zygote_conn_get(&m, &got));
	msg_release(&m);
	assert_int_equal(got.conn, c.conn);
	assert_string_equal(got.peer, c.peer);
	assert_string_equal(got.local, c.local);
	assert_int_equal(got.peer_port, c.peer_port);
	assert_int_equal(got.local_port, c.local_port);
	assert_int_equal(got.accepted, c.accepted);
	/* in this order, and open */
	assert_int_equal(write(got.fd[1], "x", 1), 1);
	assert_int_equal(read(got.fd[0], &byte, 1), 1);
	close(got.fd[0]);
	close(got.fd[1]);
	close(control[0]);
	close(control[1]);
}

static void
anything_else_is_refused(void **state)
{
	struct zygote_conn got;
	int control[2];
	struct msg m;

	(void)state;
	make_pair(SOCK_SEQPACKET, control);
	for (uint32_t type = ZYG_CONN; type <= ZYG_EXIT;
	     type++) { /* right fields, no descriptors */
		msg_init(&m, type, 0);
		msg_put_u64(&m, 1);
		msg_put_str(&m, "");
		msg_put_u32(&m, 0);
		msg_put_str(&m, "");
		msg_put_u32(&m, 0);
		msg_put_u64(&m, 0);
		assert_int_equal(msg_send(control[0], &m), 0);
		assert_int_equal(msg_recv(control[1], &m), 0);
		assert_false(zygote_conn_get(&m, &got));
		msg_release(&m);
	}
	close(control[0]);
	close(control[1]);
}

/* ---- a zygote ------------------------------------------------------------ */

/* Exits 42 if nothing is open but 0, 1, 2 and the two, and no signal is blocked. */
static void
look_around(const struct zygote_conn *c)
{
	sigset_t mask;
	int n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (n == 5 && fcntl(c->fd[0], F_GETFD) >= 0 && fcntl(c->fd[1], F_GETFD) >= 0 &&
	    !sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGCHLD))
		_exit(42);
	_exit(1);
}

static void
child(const struct zygote_conn *c)
{
	char byte;

	if (c->peer_port == PORT_LOOK)
		look_around(c);
	if (c->peer_port == PORT_SIGNAL)
		raise(SIGKILL);
	_exit(read(c->fd[0], &byte, 1) == 0 ? 3 : 1); /* once it is let go */
}

/* Where the hooks say that they were called. */
static int calls = -1;

static void
say(char what)
{
	assert_int_equal(write(calls, &what, 1), 1);
}

static void
died(pid_t pid, int status)
{
	(void)pid;
	say(WIFSIGNALED(status) ? 'S' : 'E');
}

static int64_t
tick(int64_t now)
{
	static int n;

	if (++n == 1)
		say('t');
	if (n == 2)
		say('T');
	return n == 1 ? now + 20 : 0;
}

struct running {
	pid_t pid;
	int control, calls;
};

static void
run(struct running *z)
{
	static const struct zygote_role role = { child, died, tick };
	int control[2], said[2];

	make_pair(SOCK_SEQPACKET, control);
	make_pair(SOCK_STREAM, said);
	z->pid = fork();
	assert_true(z->pid >= 0);
	if (z->pid == 0) {
		calls = fcntl(said[1], F_DUPFD_CLOEXEC, 10);
		if (control[1] != ROLE_CONTROL_FD)
			dup2(control[1], ROLE_CONTROL_FD);
		for (int fd = ROLE_CONTROL_FD + 1; fd < 64; fd++)
			if (fd != calls)
				close(fd);
		zygote_run(&role);
	}
	close(control[1]);
	close(said[1]);
	z->control = control[0];
	z->calls = said[0];
}

static void
readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static void
expect_ready(const struct running *z)
{
	struct msg m;

	readable(z->control);
	msg_init(&m, 0, 0);
	assert_int_equal(msg_recv(z->control, &m), 0);
	assert_int_equal(m.type, ZYG_READY);
	assert_true(msg_end(&m));
	msg_release(&m);
}

/* The wait status of that connection's child. */
static int
expect_exit(const struct running *z, uint64_t conn)
{
	uint32_t status;
	struct msg m;

	readable(z->control);
	msg_init(&m, 0, 0);
	assert_int_equal(msg_recv(z->control, &m), 0);
	assert_int_equal(m.type, ZYG_EXIT);
	assert_int_equal(msg_get_u64(&m), conn);
	status = msg_get_u32(&m);
	assert_true(msg_end(&m));
	msg_release(&m);
	return (int)status;
}

static void
expect_call(const struct running *z, char what)
{
	char byte = 0;

	readable(z->calls);
	assert_int_equal(read(z->calls, &byte, 1), 1);
	assert_int_equal(byte, what);
}

static void
expect_end(const struct running *z)
{
	int status;

	assert_int_equal(waitpid(z->pid, &status, 0), z->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(z->control);
	close(z->calls);
}

/* Returns the end that holds the child of PORT_EXIT up. */
static int
connection(const struct running *z, uint64_t conn, unsigned port)
{
	struct zygote_conn c = example;
	int pair[2];

	make_pair(SOCK_STREAM, pair);
	c.conn = conn;
	c.peer_port = port;
	c.fd[0] = pair[1];
	c.fd[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	give(z->control, c);
	return pair[0];
}

static void
each_end_is_reported_with_its_connection(void **state)
{
	struct running z;
	int status, first, second;

	(void)state;
	run(&z);
	expect_ready(&z);
	expect_call(&z, 't');
	expect_call(&z, 'T');
	first = connection(&z, 11, PORT_EXIT);
	second = connection(&z, 22, PORT_EXIT);
	close(second);
	status = expect_exit(&z, 22);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	expect_call(&z, 'E');
	close(connection(&z, 33, PORT_SIGNAL));
	status = expect_exit(&z, 33);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect_call(&z, 'S');
	close(connection(&z, 44, PORT_LOOK));
	status = expect_exit(&z, 44);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	expect_call(&z, 'E');
	close(first);
	expect_exit(&z, 11);
	kill(z.pid, SIGTERM);
	expect_end(&z);
}

static void
the_end_of_the_supervisor_is_its_end_after_what_was_sent(void **state)
{
	struct running z;
	char byte;
	int held;

	(void)state;
	run(&z);
	expect_ready(&z);
	kill(z.pid, SIGSTOP);
	held = connection(&z, 11, PORT_EXIT);
	shutdown(z.control, SHUT_WR);
	kill(z.pid, SIGCONT);
	expect_end(&z);
	/* the child was forked, and goes on: it alone has the other end */
	assert_int_equal(recv(held, &byte, 1, MSG_DONTWAIT), -1);
	close(held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_arrives_as_it_was_put),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(each_end_is_reported_with_its_connection),
		cmocka_unit_test(the_end_of_the_supervisor_is_its_end_after_what_was_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
