/*
 * The numbered list and the JSON: aligned, within the width, nothing foreign raw.
 */
#include "../../src/session/ui_plain.h"

#include "jumpbox/proto.h"
#include "jumpbox/text.h"
#include "jumpbox/words.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct ui_model *m, uint64_t ref, char *name, char *state, char *node, char *image)
{
	const struct ui_entry row = { .ref = ref,
		.id = (char[]){ "0123abcd" },
		.name = name,
		.state = state,
		.node = node,
		.image = image,
		.created = 7 };

	ui_model_add(m, &row);
}

static char *
rows(const struct ui_model *m, unsigned width, struct buf *out)
{
	buf_init(out, 1 << 20);
	ui_plain_rows(m, width, 100, out);
	assert_int_equal(buf_add(out, "", 1), 0);
	return (char *)out->data + out->off;
}

static void
test_rows(void **state)
{
	char web[] = "web", run[] = "running", one[] = "one", img[] = "nginx:1",
	     long_[] = "database", ex[] = "exited", node[] = "second";
	struct ui_model m;
	struct buf out;

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	add(&m, 4, web, run, one, img);
	add(&m, 9, long_, ex, node, img);
	assert_string_equal(rows(&m, 0, &out),
	    "  1  web       running   one     nginx:1\n"
	    "  2  database  exited 0  second  nginx:1\n");
	buf_release(&out);
	ui_model_begin(&m);
	add(&m, 9, long_, ex, node, img);
	ui_model_end(&m);
	assert_string_equal(rows(&m, 0, &out), "  2  database  exited 0  second  nginx:1\n");
	buf_release(&out);
	ui_model_begin(&m);
	ui_model_end(&m);
	assert_string_equal(rows(&m, 80, &out), "");
	buf_release(&out);
	ui_model_release(&m);
}

/* No line is wider than the terminal, however narrow. */
static void
test_width(void **state)
{
	char name[] = "\xe5\xae\xb9\xe5\x99\xa8-a-rather-long-name-of-a-container-indeed",
	     run[] = "running", one[] = "one",
	     img[] = "registry.example.org/some/where/an/image/of/some/length:latest";
	struct ui_model m;
	struct buf out;

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	add(&m, 4, name, run, one, img);
	for (unsigned width = 1; width < 160; width++) {
		char *text = rows(&m, width, &out), *end = strchr(text, '\n');

		assert_non_null(end);
		*end = '\0';
		if (width > 3)
			assert_true(text_width(text) <= width);
		buf_release(&out);
	}
	ui_model_release(&m);
}

static void
test_foreign_text(void **state)
{
	char name[] = "\033]0;x\a\"\\\n", run[] = "\u202erunning", one[] = "\xff",
	     img[] = "\xc2\x9b"
		     "31m";
	struct ui_model m;
	struct buf out;
	json_t *array;
	json_error_t e;

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	add(&m, 4, name, run, one, img);
	for (int face = 0; face < 2; face++) {
		buf_init(&out, 65536);
		if (face == 0)
			ui_plain_rows(&m, 0, 100, &out);
		else
			ui_plain_json(&m, &out);
		for (size_t i = 0; i < buf_len(&out); i++)
			assert_true(buf_ptr(&out)[i] == '\n' ||
			    (buf_ptr(&out)[i] >= ' ' && buf_ptr(&out)[i] < 127));
		if (face == 1) {
			array = json_loadb((const char *)buf_ptr(&out), buf_len(&out), 0, &e);
			assert_non_null(array);
			assert_int_equal(json_array_size(array), 1);
			assert_string_equal(
			    json_string_value(json_object_get(json_array_get(array, 0), "id")),
			    "0123abcd");
			json_decref(array);
		}
		buf_release(&out);
	}
	ui_model_release(&m);
}

static void
test_json_keys(void **state)
{
	static const char *const keys[] = { "id", "name", "node", "state", "health", "exit_code",
		"image", "service", "owner", "ports", "region", "since", "started", "finished",
		"node_seen", "used", "oom", "gpu", "allow" };
	char web[] = "web", run[] = "running", one[] = "one", img[] = "nginx";
	struct ui_model m;
	struct buf out;
	json_t *array, *row;

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	buf_init(&out, 65536);
	ui_plain_json(&m, &out);
	array = json_loadb((const char *)buf_ptr(&out), buf_len(&out), 0, NULL);
	assert_true(json_is_array(array) && json_array_size(array) == 0);
	json_decref(array);
	buf_reset(&out);
	add(&m, 4, web, run, one, img);
	add(&m, 5, web, run, one, img);
	ui_plain_json(&m, &out);
	array = json_loadb((const char *)buf_ptr(&out), buf_len(&out), 0, NULL);
	assert_int_equal(json_array_size(array), 2);
	row = json_array_get(array, 1);
	assert_int_equal(json_object_size(row), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(row, keys[i]));
	assert_string_equal(json_string_value(json_object_get(row, "image")), "nginx");
	json_decref(array);
	buf_release(&out);
	ui_model_release(&m);
}

/* How long it has been up, and nothing of what is not. */
static void
test_age(void **state)
{
	struct ui_entry row = {
		.ref = 1, .name = "web", .state = "running", .node = "one", .image = "nginx"
	};
	struct ui_model m;
	struct buf out;

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	row.started = 1;
	ui_model_add(&m, &row);
	row = (struct ui_entry){
		.ref = 2, .name = "db", .state = "exited", .node = "one", .image = "pg"
	};
	row.started = row.finished = 1;
	ui_model_add(&m, &row);
	buf_init(&out, 65536);
	ui_plain_rows(&m, 0, 7201, &out);
	buf_add(&out, "", 1);
	assert_string_equal((const char *)buf_ptr(&out),
	    "  1  web  running   2h  one  nginx\n"
	    "  2  db   exited 0      one  pg\n");
	buf_release(&out);
	words_speak(LANGUAGE_ZH);
	buf_init(&out, 65536);
	ui_plain_rows(&m, 0, 7201, &out);
	buf_add(&out, "", 1);
	words_speak(LANGUAGE_EN);
	assert_string_equal((const char *)buf_ptr(&out),
	    "  1  web  运行中    2 时  one  nginx\n"
	    "  2  db   已退出 0        one  pg\n");
	buf_release(&out);
	ui_model_release(&m);
}

/* What is not well is said as the full-screen menu says it, and seen on a narrow terminal, too. */
static void
test_states(void **state)
{
	struct ui_entry row = { .ref = 1,
		.name = "a-name-of-thirty-columns-or-so",
		.state = "running",
		.health = "unhealthy",
		.node = "one",
		.image = "nginx" };
	struct ui_model m;
	struct buf out;

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	ui_model_add(&m, &row);
	row = (struct ui_entry){ .ref = 2, .name = "db", .state = "exited", .flags = ROW_OOM };
	ui_model_add(&m, &row);
	row = (struct ui_entry){ .ref = 3, .name = "c", .state = "unreachable", .node_seen = 7 };
	ui_model_add(&m, &row);
	assert_string_equal(rows(&m, 40, &out),
	    "  1  a-name-of-thirty-c~  unhealthy     \n"
	    "  2  db                   out of memory \n"
	    "  3  c                    unreachable 1m\n");
	buf_release(&out);
	ui_model_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_foreign_text),
		cmocka_unit_test(test_json_keys),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
