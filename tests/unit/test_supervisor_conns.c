/*
 * What becomes of a connection until its broker is gone: the real file over
 * real sockets; the zygotes are this test.  Time passes by what is told to
 * conns_tick().
 */
#include "../../src/supervisor/conns.h"
#include "../../src/supervisor/loop.h"
#include "../../src/supervisor/zygotes.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { GRACE_S = 60, LONG_MS = 2 * GRACE_S * 1000, MOST = 3, PER_SOURCE = 2 };

/* ---- the zygotes --------------------------------------------------------- */

static bool ready;
static unsigned given;
static int broker = -1; /* the broker's end of the status pair of the last one given */
static int client = -1; /* of the same one */

bool
zygotes_ready(void)
{
	return ready;
}

int
zygotes_give(const struct handover *h, int *status)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*status = pair[0];
	broker = pair[1];
	client = h->client;
	given++;
	return 0;
}

/* ---- clients ------------------------------------------------------------- */

static struct listeners listeners;
static struct sockaddr_in address;

static int
setup(void **state)
{
	struct config c;
	struct errtext e;
	socklen_t len = sizeof(address);

	(void)state;
	assert_int_equal(config_load("/dev/null", &c, &e), 0);
	c.max_startups = MOST;
	c.max_startups_per_source = PER_SOURCE;
	c.login_grace_time = GRACE_S;
	loop_init();
	conns_init(&c, 1024);
	config_release(&c);
	listeners.fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listeners.fd[0], (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listeners.fd[0], 16), 0);
	assert_int_equal(getsockname(listeners.fd[0], (void *)&address, &len), 0);
	listeners.n = 1;
	conns_listen(&listeners);
	return 0;
}

/* A client from 127.0.0.HOST that has been accepted. */
static int
from(unsigned host)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000 + host) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (void *)&here, sizeof(here)), 0);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	conns_tick(now_mono_ms());
	loop_wait(1000);
	return fd;
}

static void
says(int fd, const char *what)
{
	assert_int_equal(write(fd, what, strlen(what)), (ssize_t)strlen(what));
	loop_wait(1000);
	conns_pump();
}

/* The byte that the broker is told; 0: none, -1: nobody is there any more. */
static int
told(int fd)
{
	char byte = 0;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	return n == 0 ? -1 : n < 0 ? 0 : byte;
}

static bool
is_closed(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char byte;

	return poll(&p, 1, 0) == 1 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* The broker has gone. */
static void
leaves(int fd)
{
	close(fd);
	loop_wait(1000);
}

static void
give_back(void)
{
	close(client);
	client = -1;
}

/* A client from 127.0.0.HOST that spoke, and its broker's end. */
struct started {
	int client, broker;
};

static struct started
started_from(unsigned host)
{
	struct started s = { .client = from(host) };

	ready = true;
	says(s.client, "S");
	give_back();
	ready = false;
	s.broker = broker;
	return s;
}

static const char login[] = { STATUS_LOGIN, '\0' };

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(conns_count(), 0);
	ready = false;
	given = 0;
	return 0;
}

/* ---- until it is handed over ---------------------------------------------- */

static void
the_first_byte_or_a_moment_is_waited_for(void **state)
{
	int first = from(2), second;
	int64_t next, now = now_mono_ms();

	(void)state;
	ready = true;
	next = conns_tick(now);
	conns_pump();
	assert_int_equal(given, 0);
	assert_in_range(next, now, now + 250);
	says(first, "S");
	assert_int_equal(given, 1);
	give_back();
	leaves(broker);
	second = from(2);
	conns_tick(now_mono_ms() + 250);
	conns_pump();
	assert_int_equal(given, 2);
	give_back();
	leaves(broker);
	close(first);
	close(second);
}

static void
one_that_leaves_without_a_word_is_nobody_s_work(void **state)
{
	(void)state;
	ready = true;
	close(from(2));
	loop_wait(1000);
	conns_tick(now_mono_ms() + 250);
	conns_pump();
	assert_int_equal(given, 0);
}

static void
it_waits_for_the_zygotes_until_its_time_is_over(void **state)
{
	int fd = from(2), late = from(2);

	(void)state;
	says(fd, "S");
	assert_int_equal(given, 0);
	assert_true(conns_pending());
	ready = true;
	conns_pump();
	assert_int_equal(given, 1);
	give_back();
	leaves(broker);
	ready = false;
	says(late, "S");
	conns_tick(now_mono_ms() + GRACE_S * 1000 - 1000);
	assert_false(is_closed(late));
	conns_tick(now_mono_ms() + GRACE_S * 1000);
	assert_true(is_closed(late));
	close(fd);
	close(late);
}

/* ---- limits ------------------------------------------------------------------ */

static void
the_oldest_of_the_busiest_goes(void **state)
{
	int a = from(2), b = from(3), c = from(3), d;

	(void)state;
	d = from(4);
	assert_false(is_closed(a));
	assert_true(is_closed(b));
	assert_false(is_closed(c) || is_closed(d));
	conns_shutdown();
	assert_true(is_closed(a) && is_closed(c) && is_closed(d));
	close(a);
	close(b);
	close(c);
	close(d);
}

static void
a_broker_is_told_of_the_limit_and_its_end_waited_for(void **state)
{
	struct server_state before, s;
	struct started a;
	int b, c;

	(void)state;
	conns_numbers(&before);
	a = started_from(2);
	b = from(2);
	c = from(2);
	assert_int_equal(told(a.broker), STATUS_DROP);
	assert_int_equal(conns_count(), 3);
	conns_numbers(&s);
	assert_int_equal(s.accepted - before.accepted, 3);
	assert_int_equal(s.dropped - before.dropped, 1);
	assert_int_equal(s.waiting, 3); /* until its broker has gone */
	assert_int_equal(s.logged_in, 0);
	leaves(a.broker);
	assert_int_equal(conns_count(), 2);
	conns_shutdown();
	close(a.client);
	close(b);
	close(c);
}

static void
one_that_logged_in_counts_and_expires_no_more(void **state)
{
	struct started a = started_from(2);
	struct server_state s;
	int b, c;

	(void)state;
	says(a.broker, login);
	b = from(2);
	c = from(2);
	assert_false(is_closed(b) || is_closed(c));
	conns_tick(now_mono_ms() + LONG_MS);
	assert_true(is_closed(b) && is_closed(c));
	assert_int_equal(told(a.broker), 0);
	assert_int_equal(conns_count(), 1);
	conns_numbers(&s);
	assert_int_equal(s.logged_in, 1);
	assert_int_equal(s.waiting, 0);
	leaves(a.broker);
	close(a.client);
	close(b);
	close(c);
}

static void
a_login_that_crosses_the_drop_stays(void **state)
{
	struct started a = started_from(2);
	int b = from(2), c = from(2);

	(void)state;
	assert_int_equal(told(a.broker), STATUS_DROP);
	conns_policy();
	assert_int_equal(told(a.broker), 0); /* not logged in, as far as is known */
	says(a.broker, login);
	assert_int_equal(told(a.broker), STATUS_POLICY);
	conns_policy();
	assert_int_equal(told(a.broker), STATUS_POLICY);
	assert_false(is_closed(b) || is_closed(c));
	conns_tick(now_mono_ms() + LONG_MS);
	assert_int_equal(told(a.broker), 0);
	assert_int_equal(conns_count(), 1);
	leaves(a.broker);
	close(a.client);
	close(b);
	close(c);
}

/* ---- what brokers are told ------------------------------------------------------ */

/* All others are left asleep. */
static void
the_inventory_s_changes_are_told_to_open_menus(void **state)
{
	static const char menu[] = { STATUS_MENU, 0 }, both[] = { STATUS_MENU, STATUS_NO_MENU, 0 };
	struct started a = started_from(2), b = started_from(3);

	(void)state;
	says(a.broker, login);
	says(b.broker, login);
	conns_inventory();
	assert_int_equal(told(a.broker), 0);
	says(a.broker, menu);
	says(b.broker, both);
	conns_inventory();
	assert_int_equal(told(a.broker), STATUS_INVENTORY);
	assert_int_equal(told(b.broker), 0);
	says(a.broker, both + 1);
	conns_inventory();
	assert_int_equal(told(a.broker), 0);
	leaves(a.broker);
	leaves(b.broker);
	close(a.client);
	close(b.client);
}

static void
a_change_is_told_to_those_that_logged_in_also_meanwhile(void **state)
{
	struct started a = started_from(2), b = started_from(3);

	(void)state;
	says(a.broker, login);
	assert_int_equal(told(a.broker), 0);
	conns_policy();
	assert_int_equal(told(a.broker), STATUS_POLICY);
	assert_int_equal(told(b.broker), 0);
	says(b.broker, login); /* what it was decided by may be old */
	assert_int_equal(told(b.broker), STATUS_POLICY);
	leaves(a.broker);
	leaves(b.broker);
	close(a.client);
	close(b.client);
}

static void
the_end_is_told_to_all_that_were_handed_over(void **state)
{
	struct started leaving = started_from(2), authed = started_from(3), a;
	int waiting;

	(void)state;
	says(authed.broker, login);
	a = started_from(2);
	waiting = from(2);
	assert_int_equal(told(leaving.broker), STATUS_DROP);
	conns_shutdown();
	assert_true(is_closed(waiting));
	assert_int_equal(told(a.broker), STATUS_SHUTDOWN);
	assert_int_equal(told(authed.broker), STATUS_SHUTDOWN);
	assert_int_equal(told(leaving.broker), STATUS_SHUTDOWN); /* it may have logged in */
	assert_int_equal(conns_count(), 3);
	leaves(leaving.broker);
	leaves(authed.broker);
	leaves(a.broker);
	close(leaving.client);
	close(authed.client);
	close(a.client);
	close(waiting);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_first_byte_or_a_moment_is_waited_for, teardown),
		cmocka_unit_test_teardown(
		    one_that_leaves_without_a_word_is_nobody_s_work, teardown),
		cmocka_unit_test_teardown(
		    it_waits_for_the_zygotes_until_its_time_is_over, teardown),
		cmocka_unit_test_teardown(the_oldest_of_the_busiest_goes, teardown),
		cmocka_unit_test_teardown(
		    a_broker_is_told_of_the_limit_and_its_end_waited_for, teardown),
		cmocka_unit_test_teardown(one_that_logged_in_counts_and_expires_no_more, teardown),
		cmocka_unit_test_teardown(a_login_that_crosses_the_drop_stays, teardown),
		cmocka_unit_test_teardown(
		    a_change_is_told_to_those_that_logged_in_also_meanwhile, teardown),
		cmocka_unit_test_teardown(the_inventory_s_changes_are_told_to_open_menus, teardown),
		cmocka_unit_test_teardown(the_end_is_told_to_all_that_were_handed_over, teardown),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
