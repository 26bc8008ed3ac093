/* The reply head of an upgrade, whole and in pieces, good and hostile; and addresses of nodes. */
#include "../../src/docker/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UPGRADED                                                                       \
	"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n" \
	"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

/* Feeds text in pieces; what http_head_feed took in all, or its error. */
static long
feed(struct http_head *h, const char *text, size_t n, size_t piece)
{
	size_t off = 0, k;
	long took;

	http_head_init(h);
	while (off < n && !h->done) {
		k = n - off < piece ? n - off : piece;
		took = http_head_feed(h, text + off, k);
		if (took < 0)
			return took;
		off += (size_t)took;
	}
	return (long)off;
}

static void
takes_the_head_and_no_more(void **state)
{
	static const char text[] = UPGRADED "first bytes of the shell\r\n\r\n";
	struct http_head *h = malloc(sizeof(*h));

	(void)state;
	for (size_t piece = 1; piece <= sizeof(text) - 1; piece++) {
		assert_int_equal(feed(h, text, sizeof(text) - 1, piece), sizeof(UPGRADED) - 1);
		assert_true(h->done);
		assert_int_equal(h->status, 101);
		assert_int_equal(h->content_length, -1);
	}
	free(h);
}

static void
reads_status_and_length(void **state)
{
	static const struct {
		const char *text;
		int status;
		long length;
	} rows[] = {
		{ "HTTP/1.1 409 Conflict\r\ncontent-length: 12\r\n\r\n", 409, 12 },
		{ "HTTP/1.0 500 X\r\nContent-Length:7\r\nA: b\r\n\r\n", 500, 7 },
		{ "HTTP/1.1 404 X\r\nContent-Length: -1\r\n\r\n", 404, -1 },
		{ "HTTP/1.1 404 X\r\nContent-Length: 12x\r\n\r\n", 404, -1 },
		{ "HTTP/1.1 404 X\r\nX-Content-Length: 5\r\n\r\n", 404, -1 },
		{ "HTTP/1.1 404\r\n\r\n", 404, -1 },
		{ "HTTP/1.1 200 X\n\n", 200, -1 },
	};
	struct http_head *h = malloc(sizeof(*h));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].text);

		assert_int_equal(feed(h, rows[i].text, n, n), n);
		assert_true(h->done);
		assert_int_equal(h->status, rows[i].status);
		assert_int_equal(h->content_length, rows[i].length);
	}
	free(h);
}

static void
refuses_what_is_no_http(void **state)
{
	static const char *const rows[] = {
		"SSH-2.0-x\r\n\r\n",
		"HTTP/2 200\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n",
		"HTTP/1.1 1010 X\r\n\r\n",
		"HTTP/1.1  101 X\r\n\r\n",
		"HTTP/1.x 101 X\r\n\r\n",
		"\r\n\r\n\r\n",
	};
	struct http_head *h = malloc(sizeof(*h));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(feed(h, rows[i], strlen(rows[i]), 3), JB_UNAVAILABLE);
		assert_false(h->done);
	}
	assert_int_equal(feed(h, "HTTP/1.1 101 X\r\nA: \0\r\n\r\n", 24, 24), JB_UNAVAILABLE);
	free(h);
}

static void
refuses_a_head_without_end(void **state)
{
	size_t n = 1 << 20;
	char *text = malloc(n);
	struct http_head *h = malloc(sizeof(*h));

	(void)state;
	memset(text, 'a', n);
	memcpy(text, "HTTP/1.1 101 X\r\nX: ", 19);
	assert_int_equal(feed(h, text, n, 4096), JB_UNAVAILABLE);
	memset(text, '\n', n);
	for (size_t i = 0; i + 1 < n; i += 2)
		text[i] = 'a';
	memcpy(text, "HTTP/1.1 101 X\r\n", 16);
	assert_int_equal(feed(h, text, n, 4096), JB_UNAVAILABLE);
	free(text);
	free(h);
}

/* ---- addresses ---------------------------------------------------------------- */

#define PEM "-----BEGIN X-----"

static void
judges_addresses(void **state)
{
	static const struct {
		const char *url, *ca, *cert, *key;
		bool insecure, good;
	} rows[] = {
		{ "unix:///var/run/docker.sock", NULL, NULL, NULL, false, true },
		{ "unix://docker.sock", NULL, NULL, NULL, false, false },
		{ "unix://", NULL, NULL, NULL, false, false },
		{ "unix:///s", PEM, PEM, PEM, false, false },
		{ "unix:///a b", NULL, NULL, NULL, false, false },
		{ "tcp://h:2375", NULL, NULL, NULL, false, false },
		{ "tcp://h:2375", NULL, NULL, NULL, true, true },
		{ "tcp://h:2376", PEM, PEM, PEM, false, true },
		{ "tcp://h:2376", PEM, NULL, NULL, false, false },
		{ "tcp://h:2376", PEM, PEM, NULL, true, false },
		{ "tcp://h:2376", "ca", PEM, PEM, false, false },
		{ "tcp://[::1]:2375", NULL, NULL, NULL, true, true },
		{ "tcp://[::1:2375", NULL, NULL, NULL, true, false },
		{ "tcp://::1:2375", NULL, NULL, NULL, true, false },
		{ "tcp://h", NULL, NULL, NULL, true, false },
		{ "tcp://h:", NULL, NULL, NULL, true, false },
		{ "tcp://:2375", NULL, NULL, NULL, true, false },
		{ "tcp://h:0", NULL, NULL, NULL, true, false },
		{ "tcp://h:65536", NULL, NULL, NULL, true, false },
		{ "tcp://h:99999999999999999999", NULL, NULL, NULL, true, false },
		{ "tcp://h:2375/x", NULL, NULL, NULL, true, false },
		{ "tcp://u@h:2375", NULL, NULL, NULL, true, false },
		{ "tcp://h\r\n:2375", NULL, NULL, NULL, true, false },
		{ "tcp://h\xc3\xa9:2375", NULL, NULL, NULL, true, false },
		{ "http://h:2375", NULL, NULL, NULL, true, false },
		{ "ssh://h", NULL, NULL, NULL, true, false },
		{ "", NULL, NULL, NULL, true, false },
		{ NULL, NULL, NULL, NULL, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_addr a = { "n", rows[i].url, rows[i].ca, rows[i].cert, rows[i].key,
			rows[i].insecure };
		struct errtext e = { 0 };
		int rc = engine_addr_check(&a, &e);

		if (rc != (rows[i].good ? 0 : JB_BAD_INPUT))
			fail_msg("%s: %d %s", rows[i].url ? rows[i].url : "(none)", rc, e.s);
		assert_int_equal(rc == 0, e.s[0] == '\0');
	}
}

static void
bounds_a_socket_path(void **state)
{
	char url[7 + 109] = "unix:///";
	struct engine_addr a = { .name = "n", .url = url };

	(void)state;
	memset(url + 8, 'x', 106);
	url[7 + 107] = '\0';
	assert_int_equal(engine_addr_check(&a, NULL), 0);
	strcat(url, "x");
	assert_int_equal(engine_addr_check(&a, NULL), JB_BAD_INPUT);
}

static void
ids_are_one_path_segment(void **state)
{
	char long_id[200];

	(void)state;
	assert_true(engine_id_ok("0123456789abcdef"));
	assert_true(engine_id_ok("sha256:0123"));
	assert_false(engine_id_ok(NULL));
	assert_false(engine_id_ok(""));
	assert_false(engine_id_ok(".."));
	assert_false(engine_id_ok("a/b"));
	assert_false(engine_id_ok("a?b"));
	assert_false(engine_id_ok("a%2fb"));
	assert_false(engine_id_ok("a b\r\n"));
	memset(long_id, 'a', sizeof(long_id));
	long_id[sizeof(long_id) - 1] = '\0';
	assert_false(engine_id_ok(long_id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_head_and_no_more),
		cmocka_unit_test(reads_status_and_length),
		cmocka_unit_test(refuses_what_is_no_http),
		cmocka_unit_test(refuses_a_head_without_end),
		cmocka_unit_test(judges_addresses),
		cmocka_unit_test(bounds_a_socket_path),
		cmocka_unit_test(ids_are_one_path_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
