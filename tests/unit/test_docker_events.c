/* The stream of an engine's events: which of them matter, and every way it can be cut, repeated or broken. */
#include "../../src/docker/engine.h"

#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
/* As Docker 20.10 and Podman 4.3 send it. */
#define EVENT(action, id)                                   \
	"{\"status\":\"" action "\",\"id\":\"" id           \
	"\",\"from\":\"busybox\",\"Type\":\"container\","   \
	"\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id \
	"\",\"Attributes\":{\"name\":\"web\"}},"            \
	"\"scope\":\"local\",\"time\":1795245086,\"timeNano\":1795245086000000000}\n"

struct heard {
	char ids[4096];
	size_t n;
};

static void
hear(const char *id, void *arg)
{
	struct heard *h = arg;

	assert_true(engine_id_ok(id));
	strncat(h->ids, id, 4);
	strcat(h->ids, " ");
	h->n++;
}

/* In portions of so many bytes. */
static struct heard
feed(const char *text, size_t portion)
{
	struct heard h = { .n = 0 };
	struct events ev;
	size_t n = strlen(text);

	events_init(&ev);
	for (size_t at = 0; at < n; at += portion)
		events_feed(&ev, text + at, n - at < portion ? n - at : portion, hear, &h);
	events_release(&ev);
	return h;
}

static void
one_after_the_other_however_they_arrive(void **state)
{
	static const char text[] =
	    EVENT("start", ID) EVENT("die", OTHER) "\n\r\n" EVENT("start", ID);

	(void)state;
	for (size_t portion = 1; portion <= sizeof(text); portion++) {
		struct heard h = feed(text, portion);

		assert_string_equal(h.ids, "0123 fedc 0123 ");
	}
}

static void
what_changes_a_row_and_what_does_not(void **state)
{
	static const struct {
		const char *event;
		size_t n;
	} rows[] = {
		{ EVENT("create", ID), 1 },
		{ EVENT("rename", ID), 1 },
		{ EVENT("oom", ID), 1 },
		{ EVENT("destroy", ID), 1 },
		{ EVENT("health_status: unhealthy", ID), 1 },
		{ EVENT("health_status", ID), 1 },
		{ EVENT("died", ID), 1 },   /* Podman */
		{ EVENT("remove", ID), 1 }, /* Podman */
		{ EVENT("exec_start: sh -c true", ID), 0 },
		{ EVENT("exec_die", ID), 0 },
		{ EVENT("starting", ID), 0 },
		{ EVENT("", ID), 0 },
		{ EVENT("of a later version", ID), 0 },
		{ EVENT("start", "../../etc"), 0 },
		{ EVENT("start", ""), 0 },
		/* Of old engines, and of new ones. */
		{ "{\"status\":\"start\",\"id\":\"" ID "\",\"from\":\"busybox\",\"time\":1}\n", 1 },
		{ "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"" ID "\"}}\n",
		    1 },
		{ "{\"Type\":\"network\",\"Action\":\"create\",\"Actor\":{\"ID\":\"" ID "\"}}\n",
		    0 },
		{ "{\"Type\":\"image\",\"status\":\"start\",\"id\":\"" ID "\"}\n", 0 },
		{ "{\"Type\":7,\"Action\":[],\"Actor\":\"x\",\"id\":{}}\n", 0 },
		{ "{\"Actor\":{\"ID\":\"" ID "\"}}\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (feed(rows[i].event, 4096).n != rows[i].n)
			fail_msg("%s", rows[i].event);
}

/* What is broken costs itself alone. */
static void
a_stream_that_breaks_and_goes_on(void **state)
{
	static const char *const rows[] = {
		"{\"status\":\"start\",\"id\":\"0123\n",
		"{{{{\n",
		"}\n",
		"]\n",
		"\"\n",
		"null\n",
		"<html>404</html>\n",
		"{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"\\ud800\"}}\n",
		"\xff\xfe\x01\n",
	};
	struct heard h;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s%s%s", rows[i], EVENT("start", ID), rows[i]);
		h = feed(text, 7);
		assert_string_equal(h.ids, "0123 ");
	}
	/* The end in the middle of an object is no event. */
	h = feed("{\"status\":\"start\",\"id\":\"" ID "\"}", 10);
	assert_int_equal(h.n, 0);
}

static void
a_line_without_end_is_not_kept(void **state)
{
	char *text = xcalloc(EVENT_MAX + 4096, 1);

	(void)state;
	memset(text, 'x', EVENT_MAX + 1000);
	strcat(text, EVENT("start", OTHER)); /* still that line */
	strcat(text, EVENT("start", ID));
	assert_string_equal(feed(text, 65536).ids, "0123 ");
	assert_string_equal(feed(text, EVENT_MAX + 4096).ids, "0123 ");
	free(text);
}

static void
the_filters_are_json(void **state)
{
	char id[65], *labels = NULL;

	(void)state;
	assert_non_null(strstr(events_filters, "\"type\":[\"container\"]"));
	assert_non_null(strstr(events_filters, "\"health_status\""));
	assert_null(strstr(events_filters, "exec"));
	assert_int_equal(json_event(events_filters, strlen(events_filters), id), JB_NOT_FOUND);
	assert_int_equal(json_image_labels(events_filters, strlen(events_filters), &labels), 0);
	free(labels);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other_however_they_arrive),
		cmocka_unit_test(what_changes_a_row_and_what_does_not),
		cmocka_unit_test(a_stream_that_breaks_and_goes_on),
		cmocka_unit_test(a_line_without_end_is_not_kept),
		cmocka_unit_test(the_filters_are_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
