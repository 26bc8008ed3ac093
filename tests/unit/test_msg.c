/*
 * Typed messages: fields, limits, sticky errors and the socket.
 */
#include "jumpbox/msg.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

/* Makes `to` hold what was put into `from`, without a socket. */
static int
reload(struct msg *from, struct msg *to)
{
	return msg_load(to, from->data, from->len);
}

static void
fields_come_back(void **state)
{
	struct msg out, in;
	char s[8], *dup;
	const uint8_t *p;
	size_t n;
	int sv[2];

	(void)state;
	make_pair(sv);
	msg_init(&out, 7, 0xfffffffe);
	msg_put_u32(&out, 0xdeadbeef);
	msg_put_u64(&out, 0x0123456789abcdef);
	msg_put_bytes(&out, "\0\1\2", 3);
	msg_put_bytes(&out, NULL, 0);
	msg_put_str(&out, "seven77");
	msg_put_str(&out, "");
	msg_put_str(&out, "longer");
	assert_int_equal(msg_send(sv[0], &out), 0);

	msg_init(&in, 0, 0);
	assert_int_equal(msg_recv(sv[1], &in), 0);
	assert_int_equal(in.type, 7);
	assert_int_equal(in.id, 0xfffffffe);
	assert_int_equal(msg_get_u32(&in), 0xdeadbeef);
	assert_true(msg_get_u64(&in) == 0x0123456789abcdef);
	p = msg_get_bytes(&in, &n, 3);
	assert_int_equal(n, 3);
	assert_memory_equal(p, "\0\1\2", 3);
	assert_non_null(msg_get_bytes(&in, &n, 3));
	assert_int_equal(n, 0);
	msg_get_str(&in, s, sizeof s);
	assert_string_equal(s, "seven77");
	msg_get_str(&in, s, sizeof s);
	assert_string_equal(s, "");
	assert_false(msg_end(&in));
	dup = msg_dup_str(&in, 6);
	assert_string_equal(dup, "longer");
	assert_true(msg_end(&in));
	free_secret(dup);
	msg_release(&in);
	msg_release(&out);
	close(sv[0]);
	close(sv[1]);
}

static void
big_endian_on_the_wire(void **state)
{
	static const uint8_t want[] = { 0, 0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 2, 'h', 'i' };
	uint8_t got[64];
	struct msg m;
	int sv[2];

	(void)state;
	make_pair(sv);
	msg_init(&m, 0x102, 9);
	msg_put_str(&m, "hi");
	assert_int_equal(msg_send(sv[0], &m), 0);
	assert_int_equal(recv(sv[1], got, sizeof got, 0), sizeof want);
	assert_memory_equal(got, want, sizeof want);
	msg_release(&m);
	close(sv[0]);
	close(sv[1]);
}

static void
the_end_is_insisted_on(void **state)
{
	struct msg out, in;

	(void)state;
	msg_init(&out, 1, 1);
	msg_put_u32(&out, 5);
	msg_put_u32(&out, 6);
	msg_init(&in, 0, 0);
	assert_int_equal(reload(&out, &in), 0);
	assert_int_equal(msg_get_u32(&in), 5);
	assert_false(msg_end(&in)); /* trailing bytes */
	assert_int_equal(msg_get_u32(&in), 6);
	assert_true(msg_end(&in));
	assert_int_equal(msg_get_u32(&in), 0);
	assert_false(msg_end(&in)); /* one too many */
	msg_release(&in);
	msg_release(&out);
}

/* Every proper prefix of a message is an error at the end, and none reads past it. */
static void
truncated_anywhere(void **state)
{
	struct msg out, in;
	char s[16], *dup;
	size_t n, cut;
	uint8_t *copy;

	(void)state;
	msg_init(&out, 3, 4);
	msg_put_u32(&out, 1);
	msg_put_u64(&out, 2);
	msg_put_str(&out, "name");
	msg_put_bytes(&out, "blob", 4);
	msg_put_str(&out, "dup");
	for (cut = 0; cut <= out.len; cut++) {
		copy = xcalloc(cut, 1);
		memcpy(copy, out.data, cut);
		msg_init(&in, 0, 0);
		assert_int_equal(msg_load(&in, copy, cut), cut < MSG_HEADER ? JB_BAD_INPUT : 0);
		free(copy);
		msg_get_u32(&in);
		msg_get_u64(&in);
		msg_get_str(&in, s, sizeof s);
		msg_get_bytes(&in, &n, 16);
		dup = msg_dup_str(&in, 16);
		assert_int_equal(msg_end(&in), cut == out.len);
		free_secret(dup);
		msg_release(&in);
	}
	msg_release(&out);
}

static void
strings_too_long_or_with_nul(void **state)
{
	struct msg out, in;
	char s[4] = "old";
	size_t n = 99;

	(void)state;
	msg_init(&in, 0, 0);
	msg_init(&out, 1, 1);
	msg_put_str(&out, "four");
	msg_put_bytes(&out, "a\0b", 3);
	reload(&out, &in);
	msg_get_str(&in, s, sizeof s);
	assert_string_equal(s, "");
	assert_true(in.bad);
	reload(&out, &in);
	assert_null(msg_dup_str(&in, 3));
	assert_true(in.bad);
	reload(&out, &in);
	assert_null(msg_get_bytes(&in, &n, 3));
	assert_int_equal(n, 0);
	assert_true(in.bad);
	reload(&out, &in);
	msg_get_bytes(&in, &n, 4);
	assert_null(msg_dup_str(&in, 10));
	assert_true(in.bad);
	reload(&out, &in);
	msg_get_bytes(&in, &n, 4);
	strcpy(s, "old");
	msg_get_str(&in, s, sizeof s);
	assert_string_equal(s, "");
	assert_true(in.bad);
	msg_release(&in);
	msg_release(&out);
}

/* A length that lies, up to the largest. */
static void
lengths_that_lie(void **state)
{
	static const uint32_t lies[] = { 5, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff };
	uint8_t wire[16] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 'a', 'b', 'c', 'd' };
	struct msg m;
	size_t i, n;

	(void)state;
	msg_init(&m, 0, 0);
	for (i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		wire[8] = (uint8_t)(lies[i] >> 24);
		wire[9] = (uint8_t)(lies[i] >> 16);
		wire[10] = (uint8_t)(lies[i] >> 8);
		wire[11] = (uint8_t)lies[i];
		assert_int_equal(msg_load(&m, wire, sizeof wire), 0);
		assert_null(msg_get_bytes(&m, &n, SIZE_MAX));
		assert_int_equal(n, 0);
		assert_true(m.bad);
	}
	msg_release(&m);
}

/* After one error nothing is read or written any more, and the message cannot be sent. */
static void
errors_stick(void **state)
{
	struct msg m, in;
	char s[8];
	size_t n;
	int sv[2];

	(void)state;
	make_pair(sv);
	msg_init(&m, 1, 1);
	msg_put_bytes(&m, "x", (size_t)MSG_MAX + 1);
	assert_true(m.bad);
	n = m.len;
	msg_put_u32(&m, 1);
	msg_put_u64(&m, 1);
	msg_put_str(&m, "a");
	assert_int_equal(m.len, n);
	assert_int_equal(msg_send(sv[0], &m), JB_INTERNAL);
	assert_true(recv(sv[1], s, sizeof s, 0) < 0);

	msg_init(&in, 0, 0);
	msg_load(&in, "\0\0\0\1\0\0\0\1\0\0\0\2", 12);
	assert_int_equal(msg_get_u64(&in), 0);
	assert_int_equal(msg_get_u32(&in), 0);
	assert_null(msg_get_bytes(&in, &n, 100));
	msg_get_str(&in, s, sizeof s);
	assert_string_equal(s, "");
	assert_int_equal(msg_take_fd(&in), -1);
	assert_false(msg_end(&in));
	msg_release(&in);
	msg_release(&m);
	close(sv[0]);
	close(sv[1]);
}

/* The largest message passes a socket with default buffers; one byte more is refused before. */
static void
the_largest_message(void **state)
{
	const size_t room = (size_t)MSG_MAX - MSG_HEADER - 4;
	uint8_t *big = xcalloc(room + 1, 1);
	const uint8_t *p;
	struct msg out, in;
	size_t n;
	int sv[2];

	(void)state;
	make_pair(sv);
	memset(big, 'x', room + 1);
	msg_init(&out, 1, 1);
	msg_put_bytes(&out, big, room);
	assert_false(out.bad);
	assert_int_equal(out.len, MSG_MAX);
	assert_int_equal(msg_send(sv[0], &out), 0);
	msg_init(&in, 0, 0);
	assert_int_equal(msg_recv(sv[1], &in), 0);
	p = msg_get_bytes(&in, &n, MSG_MAX);
	assert_int_equal(n, room);
	assert_memory_equal(p, big, room);
	assert_true(msg_end(&in));
	msg_put_u32(&out, 1);
	assert_true(out.bad);
	msg_release(&out);
	msg_init(&out, 1, 1);
	msg_put_bytes(&out, big, room + 1);
	assert_true(out.bad);
	msg_release(&out);

	/* and a small one after it gives the storage back */
	msg_init(&out, 2, 2);
	assert_int_equal(msg_send(sv[0], &out), 0);
	assert_int_equal(msg_recv(sv[1], &in), 0);
	assert_int_equal(in.type, 2);
	assert_true(in.cap <= 4096);
	assert_true(msg_end(&in));
	msg_release(&out);
	msg_release(&in);
	free(big);
	close(sv[0]);
	close(sv[1]);
}

static void
oversized_and_headerless_datagrams(void **state)
{
	uint8_t *big = xcalloc(MSG_MAX + 1, 1);
	struct msg m;
	int sv[2];

	(void)state;
	make_pair(sv);
	msg_init(&m, 0, 0);
	assert_int_equal(send(sv[0], big, MSG_MAX + 1, 0), MSG_MAX + 1);
	assert_int_equal(msg_recv(sv[1], &m), JB_BAD_INPUT);
	assert_false(msg_end(&m));
	assert_int_equal(send(sv[0], big, 7, 0), 7);
	assert_int_equal(msg_recv(sv[1], &m), JB_BAD_INPUT);
	assert_false(msg_end(&m));
	assert_int_equal(msg_get_u32(&m), 0);
	/* the next good one is not disturbed */
	assert_int_equal(send(sv[0], big, 8, 0), 8);
	assert_int_equal(msg_recv(sv[1], &m), 0);
	assert_true(msg_end(&m));
	assert_int_equal(msg_load(&m, big, MSG_MAX + 1), JB_BAD_INPUT);
	assert_false(msg_end(&m));
	/* an empty datagram cannot be told from the end and is taken for it */
	assert_int_equal(send(sv[0], big, 0, 0), 0);
	assert_int_equal(msg_recv(sv[1], &m), JB_UNAVAILABLE);
	msg_release(&m);
	free(big);
	close(sv[0]);
	close(sv[1]);
}

static void
nothing_there_full_and_gone(void **state)
{
	struct msg out, in;
	int sv[2], r, sent = 0;

	(void)state;
	make_pair(sv);
	msg_init(&in, 0, 0);
	assert_int_equal(msg_recv(sv[1], &in), JB_TRY_AGAIN);
	msg_init(&out, 1, 1);
	while ((r = msg_send(sv[0], &out)) == 0)
		assert_true(++sent < 100000);
	assert_int_equal(r, JB_TRY_AGAIN);
	while (sent-- > 0)
		assert_int_equal(msg_recv(sv[1], &in), 0);
	assert_int_equal(msg_recv(sv[1], &in), JB_TRY_AGAIN);
	close(sv[0]);
	assert_int_equal(msg_recv(sv[1], &in), JB_UNAVAILABLE);
	assert_int_equal(msg_send(sv[1], &out), JB_UNAVAILABLE);
	msg_release(&in);
	msg_release(&out);
	close(sv[1]);
}

/* Who closes with something unread resets the pair: what it said before is heard first. */
static void
what_was_said_before_a_reset_is_heard(void **state)
{
	struct msg m;
	int sv[2];
	uint32_t i;

	(void)state;
	make_pair(sv);
	msg_init(&m, 7, 7);
	assert_int_equal(msg_send(sv[0], &m), 0);
	msg_release(&m);
	for (i = 0; i < 3; i++) {
		msg_init(&m, 1, i);
		assert_int_equal(msg_send(sv[1], &m), 0);
		msg_release(&m);
	}
	close(sv[1]);
	msg_init(&m, 0, 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(msg_recv(sv[0], &m), 0);
		assert_int_equal(m.id, i);
	}
	assert_int_equal(msg_recv(sv[0], &m), JB_UNAVAILABLE);
	msg_release(&m);
	close(sv[0]);
}

static bool end_first; /* the next recv() says what the kernel says to a look that was too early */

/* As libc's. */
ssize_t
recv(int sock, void *buf, size_t n, int flags)
{
	if (!end_first)
		return recvfrom(sock, buf, n, flags, NULL, NULL);
	end_first = false;
	return 0;
}

/* The peer said something that needs room, and closed, while it was looked whether there is anything. */
static void
an_end_does_not_hide_the_last_message(void **state)
{
	uint8_t bytes[1000] = { 0 };
	struct msg m;
	size_t n;
	int sv[2];

	(void)state;
	make_pair(sv);
	msg_init(&m, 7, 8);
	msg_put_bytes(&m, bytes, sizeof(bytes));
	assert_int_equal(msg_send(sv[1], &m), 0);
	close(sv[1]);
	msg_release(&m);
	msg_init(&m, 0, 0);
	end_first = true;
	assert_int_equal(msg_recv(sv[0], &m), 0);
	assert_false(end_first);
	assert_int_equal(m.type, 7);
	assert_non_null(msg_get_bytes(&m, &n, sizeof(bytes)));
	assert_int_equal(n, sizeof(bytes));
	assert_int_equal(msg_recv(sv[0], &m), JB_UNAVAILABLE);
	msg_release(&m);
	close(sv[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_back),
		cmocka_unit_test(big_endian_on_the_wire),
		cmocka_unit_test(the_end_is_insisted_on),
		cmocka_unit_test(truncated_anywhere),
		cmocka_unit_test(strings_too_long_or_with_nul),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(errors_stick),
		cmocka_unit_test(the_largest_message),
		cmocka_unit_test(oversized_and_headerless_datagrams),
		cmocka_unit_test(nothing_there_full_and_gone),
		cmocka_unit_test(what_was_said_before_a_reset_is_heard),
		cmocka_unit_test(an_end_does_not_hide_the_last_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
