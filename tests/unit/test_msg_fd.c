/*
 * Descriptors in messages: whose they are at each moment, and none too many.
 */
#include "jumpbox/msg.h"

#include "jumpbox/errors.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
make_pair(int sv[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv), 0);
}

static int
open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* The number that the next descriptor would get: the same before and after means that none leaked. */
static int
next_fd(void)
{
	int fd = open_null();

	close(fd);
	return fd;
}

static void
descriptors_pass_and_are_cloexec(void **state)
{
	struct msg out, in;
	int sv[2], p[2], a, b, before;
	char c;

	(void)state;
	before = next_fd();
	make_pair(sv);
	assert_int_equal(pipe(p), 0); /* not CLOEXEC: only the receiver's copy must be */
	msg_init(&out, 1, 1);
	msg_put_fd(&out, p[1]);
	msg_put_fd(&out, open_null());
	assert_int_equal(msg_send(sv[0], &out), 0);
	assert_false(is_open(p[1])); /* sent: no longer ours */
	assert_int_equal(out.nfds, 0);
	msg_init(&in, 0, 0);
	assert_int_equal(msg_recv(sv[1], &in), 0);
	assert_false(msg_end(&in)); /* descriptors not taken */
	a = msg_take_fd(&in);
	assert_false(msg_end(&in));
	b = msg_take_fd(&in);
	assert_true(msg_end(&in));
	assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(b, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(a, "z", 1), 1); /* in the order they were put */
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(msg_take_fd(&in), -1);
	assert_false(msg_end(&in));
	close(a);
	close(b);
	close(p[0]);
	msg_release(&in);
	msg_release(&out);
	close(sv[0]);
	close(sv[1]);
	assert_int_equal(next_fd(), before);
}

static void
descriptors_not_taken_are_closed(void **state)
{
	struct msg out, in;
	int sv[2], before, i;

	(void)state;
	make_pair(sv);
	msg_init(&in, 0, 0);
	before = next_fd();
	for (i = 0; i < 2; i++) {
		msg_init(&out, 1, 1);
		msg_put_fd(&out, open_null());
		assert_int_equal(msg_send(sv[0], &out), 0);
		msg_release(&out);
	}
	assert_int_equal(msg_recv(sv[1], &in), 0);
	assert_int_equal(msg_recv(sv[1], &in), 0); /* replaces, and closes, the first */
	msg_release(&in);
	msg_init(&out, 1, 1);
	msg_put_fd(&out, open_null());
	msg_release(&out); /* never sent */
	assert_int_equal(next_fd(), before);
	close(sv[0]);
	close(sv[1]);
}

static void
a_full_socket_keeps_the_descriptor(void **state)
{
	struct msg fill, out, in;
	int sv[2], fd, fill_count = 0;

	(void)state;
	make_pair(sv);
	msg_init(&fill, 1, 1);
	while (msg_send(sv[0], &fill) == 0)
		fill_count++;
	fd = open_null();
	msg_init(&out, 2, 2);
	msg_put_fd(&out, fd);
	assert_int_equal(msg_send(sv[0], &out), JB_TRY_AGAIN);
	assert_true(is_open(fd));
	msg_init(&in, 0, 0);
	while (fill_count-- > 0)
		assert_int_equal(msg_recv(sv[1], &in), 0);
	assert_int_equal(msg_send(sv[0], &out), 0);
	assert_false(is_open(fd));
	assert_int_equal(msg_recv(sv[1], &in), 0);
	close(msg_take_fd(&in));
	assert_true(msg_end(&in));
	msg_release(&fill);
	msg_release(&out);
	msg_release(&in);
	close(sv[0]);
	close(sv[1]);
}

static void
too_many_or_bad_descriptors_to_put(void **state)
{
	struct msg m;
	int fd[3], i;

	(void)state;
	msg_init(&m, 1, 1);
	for (i = 0; i < 3; i++) {
		fd[i] = open_null();
		msg_put_fd(&m, fd[i]);
	}
	assert_true(m.bad);
	assert_false(is_open(fd[2])); /* it was the message's from the call on */
	msg_release(&m);
	assert_false(is_open(fd[0]));
	assert_false(is_open(fd[1]));
	msg_init(&m, 1, 1);
	msg_put_fd(&m, -1);
	assert_true(m.bad);
	msg_release(&m);
}

/* Sends n copies of fd with a datagram of len bytes, as a hostile peer may. */
static void
send_raw(int sock, int fd, int n, size_t len)
{
	static const uint8_t bytes[16] = { 0, 0, 0, 1, 0, 0, 0, 1 };
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(64 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes };
	struct cmsghdr *c;
	int i;

	h.msg_controllen = CMSG_SPACE((size_t)n * sizeof fd);
	c = CMSG_FIRSTHDR(&h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)n * sizeof fd);
	for (i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof fd, &fd, sizeof fd);
	assert_int_equal(sendmsg(sock, &h, 0), len);
}

static void
too_many_descriptors_to_receive(void **state)
{
	static const int counts[] = { 3, 4, 64 };
	struct msg m;
	size_t i;
	int sv[2], fd, before;

	(void)state;
	make_pair(sv);
	msg_init(&m, 0, 0);
	fd = open_null();
	before = next_fd();
	for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		send_raw(sv[0], fd, counts[i], 8);
		assert_int_equal(msg_recv(sv[1], &m), JB_BAD_INPUT);
		assert_int_equal(m.nfds, 0);
		assert_int_equal(next_fd(), before);
	}
	/* a datagram that is refused, or empty, leaks nothing either */
	send_raw(sv[0], fd, 1, 7);
	assert_int_equal(msg_recv(sv[1], &m), JB_BAD_INPUT);
	send_raw(sv[0], fd, 2, 0);
	assert_int_equal(msg_recv(sv[1], &m), JB_UNAVAILABLE);
	msg_release(&m);
	assert_int_equal(next_fd(), before);
	close(fd);
	close(sv[0]);
	close(sv[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_pass_and_are_cloexec),
		cmocka_unit_test(descriptors_not_taken_are_closed),
		cmocka_unit_test(a_full_socket_keeps_the_descriptor),
		cmocka_unit_test(too_many_or_bad_descriptors_to_put),
		cmocka_unit_test(too_many_descriptors_to_receive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
