/* A row of a list as it goes to the session: what is cut, and where. */
#include "../../src/broker/list_row.h"

#include "jumpbox/docker.h"
#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct container plain = { .ref = 7,
	.node = "gpu1",
	.node_state = "connected",
	.id = "abc",
	.name = "web",
	.image = "nginx",
	.state = "running",
	.labels = "{\"a\":\"1\"}",
	.service = "shop/web",
	.ports = "80/tcp",
	.health = "healthy",
	.gpus = "",
	.created = 1,
	.started = 2,
	.finished = 3,
	.seen = 4,
	.exit_code = 137 };

static void
says_what_the_inventory_says(void **state)
{
	struct container c = plain;
	struct list_row r;

	(void)state;
	list_row_fill(&r, &c, 99);
	assert_string_equal(r.state, "running");
	assert_string_equal(r.owner, "");
	assert_string_equal(r.region, "");
	assert_string_equal(r.labels, "{\"a\":\"1\"}");
	assert_string_equal(r.service, "shop/web");
	assert_int_equal(r.used, 99);
	assert_int_equal(r.node_seen, 4);
	assert_int_equal(r.exit_code, 137);
	assert_int_equal(r.flags, 0);
	c.node_state = "failed";
	c.owner = "alice";
	c.region = "eu-west";
	c.oom = true;
	c.gpus = "all";
	list_row_fill(&r, &c, 0);
	assert_string_equal(r.state, "unreachable");
	assert_string_equal(r.owner, "alice");
	assert_string_equal(r.region, "eu-west");
	assert_int_equal(r.flags, ROW_OOM | ROW_GPU);
}

/* n pairs of about `each` bytes, as compact JSON. */
static char *
many_labels(size_t n, size_t each)
{
	char *s = xcalloc(n, each + 32), *p = s;

	*p++ = '{';
	for (size_t i = 0; i < n; i++) {
		p += sprintf(p, "%s\"k%zu\":\"\\\"", i > 0 ? "," : "", i);
		memset(p, 'v', each);
		p = strcpy(p + each, "\\\\\"") + 3;
	}
	strcpy(p, "}");
	return s;
}

/* Whatever the length, it is JSON, and no pair is there by half. */
static void
labels_are_cut_at_a_whole_pair(void **state)
{
	struct container c = plain;
	struct list_row r;
	char *all, *value;

	(void)state;
	for (size_t each = 1; each < 600; each++) {
		all = many_labels(40, each);
		c.labels = all;
		list_row_fill(&r, &c, 0);
		assert_true(strlen(r.labels) <= MAX_ROW_LABELS);
		value = engine_label(r.labels, "k0");
		if (value == NULL)
			assert_string_equal(r.labels, "{}");
		else
			assert_int_equal(strlen(value), each + 2);
		assert_true(value != NULL || each > 400);
		assert_true(strncmp(r.labels, all, strlen(r.labels) - 1) == 0);
		free(value);
		free(all);
	}
}

static void
labels_that_are_none_are_none(void **state)
{
	static const char *const rows[] = { "", "{}", "{", "x", "[]", "{\"a\"",
		"{\"a\":", "{\"a\":1}", "{\"a\":\"", "{\"a\\", "{\"a\":\"b\\" };
	struct container c = plain;
	struct list_row r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.labels = rows[i];
		list_row_fill(&r, &c, 0);
		assert_string_equal(r.labels, "{}");
	}
}

static void
ports_are_cut_at_a_whole_one(void **state)
{
	struct container c = plain;
	struct list_row r;
	char text[MAX_ROW_PORTS * 2];

	(void)state;
	for (size_t n = 0; n < sizeof(text) / 8; n++) {
		text[0] = '\0';
		for (size_t i = 0; i < n; i++)
			strcat(text, i > 0 ? ", 80/tcp" : "80/tcp");
		c.ports = text;
		list_row_fill(&r, &c, 0);
		assert_true(strlen(r.ports) <= MAX_ROW_PORTS);
		assert_true(n == 0 || (strlen(r.ports) + 2) % 8 == 0);
		assert_true(n > 16 || strcmp(r.ports, text) == 0);
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	list_row_fill(&r, &c, 0);
	assert_string_equal(r.ports, "");
}

/* The longest rows, and as many refs that are gone: one message. */
static void
a_page_of_the_longest_rows_is_one_message(void **state)
{
	char text[2048], *labels = many_labels(10, 44);
	struct container c = { .node = text,
		.node_state = "connected",
		.id = text,
		.name = text,
		.image = text,
		.state = text,
		.labels = labels,
		.owner = text,
		.service = text,
		.ports = "",
		.region = text,
		.health = text,
		.gpus = text };
	struct list_row r;
	struct msg m;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	list_row_fill(&r, &c, 0);
	memset(r.ports, 'x', MAX_ROW_PORTS);
	memset(r.labels, 'x', MAX_ROW_LABELS);
	r.ports[MAX_ROW_PORTS] = r.labels[MAX_ROW_LABELS] = '\0';
	msg_init(&m, REP_LIST, 1);
	for (int i = 0; i < 6; i++)
		msg_put_u32(&m, 0);
	for (int i = 0; i < LIST_PAGE; i++)
		list_row_put(&m, &r);
	for (int i = 0; i < GONE_PAGE; i++)
		msg_put_u64(&m, 0);
	assert_false(m.bad);
	msg_release(&m);
	free(labels);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_inventory_says),
		cmocka_unit_test(labels_are_cut_at_a_whole_pair),
		cmocka_unit_test(labels_that_are_none_are_none),
		cmocka_unit_test(ports_are_cut_at_a_whole_one),
		cmocka_unit_test(a_page_of_the_longest_rows_is_one_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
