/* Where /healthz and /metrics may be: nowhere that others reach. */
#include "jumpbox/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void
loopback_addresses_are_taken(void **state)
{
	struct sockaddr_storage to;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&to;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&to;
	socklen_t len = 0;
	struct errtext e;

	(void)state;
	assert_int_equal(loopback_parse("127.1.2.3:65535", &to, &len, &e), 0);
	assert_int_equal(to.ss_family, AF_INET);
	assert_int_equal(len, sizeof *in);
	assert_int_equal(ntohl(in->sin_addr.s_addr), 0x7f010203);
	assert_int_equal(ntohs(in->sin_port), 65535);
	assert_int_equal(loopback_parse("[::1]:1", &to, &len, &e), 0);
	assert_int_equal(to.ss_family, AF_INET6);
	assert_int_equal(len, sizeof *in6);
	assert_true(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
	assert_int_equal(ntohs(in6->sin6_port), 1);
	assert_int_equal(loopback_parse("127.0.0.1:9026", NULL, NULL, &e), 0);
}

static void
nothing_else_is(void **state)
{
	static const char *const bad[] = { "", ":", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
		"127.0.0.1:00", "127.0.0.1:65536", "127.0.0.1:4294967297",
		"127.0.0.1:99999999999999999999", "127.0.0.1:1 ", "127.0.0.1:+1", "127.0.0.1:-1",
		" 127.0.0.1:1", "127.1:1", "0x7f.0.0.1:1", "localhost:1", "126.255.255.255:1",
		"128.0.0.0:1", "0.0.0.0:1", "10.0.0.1:1", "::1:1", "[::1]", "[::1]1", "[::1:1",
		"[]:1", "[:1", "[::]:1", "[::2]:1", "[::ffff:127.0.0.1]:1", "[127.0.0.1]:1",
		"[fe80::1%lo]:1",
		"[0000000000000000000000000000000000000000000000000000000000000000000001]:1" };
	struct sockaddr_storage to;
	socklen_t len = 7;
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		e.s[0] = '\0';
		if (loopback_parse(bad[i], &to, &len, &e) != JB_CONFIG || e.s[0] == '\0')
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(len, 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_addresses_are_taken),
		cmocka_unit_test(nothing_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
