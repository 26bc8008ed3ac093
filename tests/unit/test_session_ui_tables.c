/* Details, tables, figures and ssh_config as text and as JSON: shapes, and foreign bytes in them. */
#include "../../src/session/ui_details.h"
#include "../../src/session/ui_hosts.h"
#include "../../src/session/ui_json.h"
#include "../../src/session/ui_stats.h"
#include "../../src/session/ui_table.h"

#include "jumpbox/util.h"
#include "jumpbox/words.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NASTY "\x1b[31m\xe2\x80\xae\"\\\n\xff"
#define SAFE  "\\x1b[31m\\u{202e}\"\\\\x0a\\xff"

static const char *
text_of(struct buf *out)
{
	buf_add(out, "", 1);
	return (const char *)buf_ptr(out);
}

/* ---- details ------------------------------------------------------------------ */

static struct ui_detail rows[] = {
	{ DETAIL_LABEL, "b=2" },
	{ DETAIL_NAME, NASTY },
	{ DETAIL_STATE, "running" },
	{ DETAIL_HEALTH, NASTY },
	{ DETAIL_CREATED, "1795666236" },
	{ DETAIL_LABEL, "a=1" },
	{ DETAIL_OOM, "yes" },
	{ 0, "of a later broker" },
	{ 999, "of a later broker" },
};
static const struct ui_details details = { rows, sizeof(rows) / sizeof(rows[0]) };

static void
details_are_lines(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	ui_details_text(&details, &out);
	assert_string_equal(text_of(&out),
	    "Name            " SAFE "\n"
	    "State           running\n"
	    "Health          " SAFE "\n"
	    "Out of memory   yes\n"
	    "Created         2026-11-26T04:10:36Z\n"
	    "Labels          b=2\n"
	    "                a=1\n");
	buf_release(&out);
}

static void
details_are_an_object_with_every_key(void **state)
{
	struct buf out;
	json_t *o;

	(void)state;
	buf_init(&out, 1 << 20);
	ui_details_json(&details, &out);
	o = json_loads(text_of(&out), 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_object_size(o), DETAIL_KEYS - 1);
	assert_string_equal(json_string_value(json_object_get(o, "name")), SAFE);
	assert_int_equal(json_integer_value(json_object_get(o, "created")), 1795666236);
	assert_int_equal(json_integer_value(json_object_get(o, "finished")), 0);
	assert_true(json_is_true(json_object_get(o, "oom")));
	assert_int_equal(json_array_size(json_object_get(o, "labels")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "env")), 0);
	json_decref(o);
	buf_release(&out);
}

/* ---- tables -------------------------------------------------------------------- */

static void
fill(struct table *t, enum query what, const char *const *cell)
{
	table_init(t, table_kind_of(what));
	for (; *cell != NULL; cell++)
		table_add(t, xstrdup(*cell));
}

static void
rows_are_aligned_by_what_is_seen(void **state)
{
	static const char *const cells[] = { "7", "\xe4\xb8\xad\xe6\x96\x87", "192.0.2.1",
		"password", "1795666236", "one/web", "gw", "12", NASTY, "::1", "publickey", "0", "",
		"gw", NULL };
	struct table t;
	struct buf out;

	(void)state;
	fill(&t, QUERY_WHO, cells);
	buf_init(&out, 1 << 20);
	table_text(&t, &out);
	assert_string_equal(text_of(&out),
	    "ID  USER                        FROM       LOGIN      SINCE                 "
	    "CONTAINER  HOST\n"
	    "7   \xe4\xb8\xad\xe6\x96\x87                        192.0.2.1  password   "
	    "2026-11-26T04:10:36Z  one/web    gw\n"
	    "12  " SAFE "  ::1        publickey                                   gw\n");
	buf_release(&out);
	buf_init(&out, 1 << 20);
	table_json(&t, &out);
	json_t *a = json_loads(text_of(&out), 0, NULL);
	assert_int_equal(json_array_size(a), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(a, 1), "user")), SAFE);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(a, 0), "id")), 7);
	json_decref(a);
	buf_release(&out);
	table_release(&t);
}

static void
no_rows_are_an_empty_array(void **state)
{
	static const char *const none[] = { NULL };
	struct table t;
	struct buf out;

	(void)state;
	fill(&t, QUERY_NODES, none);
	buf_init(&out, 1 << 20);
	table_json(&t, &out);
	assert_string_equal(text_of(&out), "[\n]\n");
	buf_release(&out);
	table_release(&t);
	assert_null(table_kind_of(0));
	assert_null(table_kind_of(99));
}

static void
pairs_are_an_object(void **state)
{
	static const char *const cells[] = { "name", "alice", "role", "user", "last-login", "5",
		"expires", "0", "password", "no", "session", "9", "group", "a", "grant",
		"0\nshell\n\n*", "grant", "1795666236\nshell,exec\nroot\nlabel:a=b\nc", "grant",
		NASTY, "of-a-later", "x", NULL };
	struct table t;
	struct buf out;
	json_t *o;

	(void)state;
	fill(&t, QUERY_ACCOUNT, cells);
	buf_init(&out, 1 << 20);
	table_text(&t, &out);
	assert_non_null(strstr(text_of(&out), "Grant       " SAFE "\n"));
	assert_null(strstr((const char *)buf_ptr(&out), "Expires"));
	buf_release(&out);
	buf_init(&out, 1 << 20);
	table_json(&t, &out);
	o = json_loads(text_of(&out), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "name")), "alice");
	assert_int_equal(json_integer_value(json_object_get(o, "last_login")), 5);
	assert_true(json_is_false(json_object_get(o, "password")));
	assert_int_equal(json_array_size(json_object_get(o, "groups")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "grants")), 3);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "grants"), 0)), "* allow shell");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "grants"), 1)),
	    "label:a=b\\x0ac allow shell,exec as root until 2026-11-26T04:10:36Z");
	json_decref(o);
	buf_release(&out);
	table_release(&t);
}

/* The words of the broker are for programs; a person reads those of the language. */
static void
words_in_cells_are_the_language_s(void **state)
{
	static const char *const node[] = { "n1", "failed", "0", "0", "unix:///x", "", "yes", "why",
		NULL };
	static const char *const me[] = { "role", "admin", "menu", "plain", "grant",
		"1795666236\nshell\nroot\n*", NULL };
	struct table t;
	struct buf out;

	(void)state;
	words_speak(LANGUAGE_ZH);
	buf_init(&out, 1 << 20);
	ui_details_text(&details, &out);
	fill(&t, QUERY_NODES, node);
	table_text(&t, &out);
	table_release(&t);
	fill(&t, QUERY_ACCOUNT, me);
	table_text(&t, &out);
	table_json(&t, &out);
	table_release(&t);
	words_speak(LANGUAGE_EN);
	text_of(&out);
	static const char *const said[] = { "状态      运行中\n", "  故障  ", "角色      管理员\n",
		"菜单      列表\n",
		"授权      *：允许 shell，以 root 身份，有效至 2026-11-26T04:10:36Z\n",
		"\"role\":\"admin\"", "* allow shell as root until 2026-11-26T04:10:36Z" };
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (strstr((const char *)buf_ptr(&out), said[i]) == NULL)
			fail_msg("no \"%s\" in %s", said[i], (const char *)buf_ptr(&out));
	buf_release(&out);
}

/* ---- figures -------------------------------------------------------------------- */

static void
figures_as_docker_writes_them(void **state)
{
	char s[UI_STATS_CELL];

	(void)state;
	assert_string_equal(ui_stats_percent(0, s), "0.00%");
	assert_string_equal(ui_stats_percent(123456, s), "1234.56%");
	assert_string_equal(ui_stats_size(0, s), "0B");
	assert_string_equal(ui_stats_size(1023, s), "1023B");
	assert_string_equal(ui_stats_size(462848, s), "452KiB");
	assert_string_equal(ui_stats_size(1110016, s), "1.059MiB");
	assert_string_equal(ui_stats_size(25276502016, s), "23.54GiB");
	assert_string_equal(ui_stats_size(UINT64_MAX, s), "1.638e+04PiB");
	assert_string_equal(ui_stats_moved(1000, s), "1kB");
	assert_string_equal(ui_stats_moved(1234567, s), "1.23MB");
}

static void
figures_are_a_line(void **state)
{
	const struct ui_stats s = { 1234, 512, 1024, 1, 2000, 3, 4, 7 };
	struct buf out;
	json_t *o;

	(void)state;
	buf_init(&out, 1 << 20);
	ui_stats_head(4, &out);
	ui_stats_line("web", &s, 4, &out);
	ui_stats_line(NASTY, NULL, 4, &out);
	assert_string_equal(text_of(&out),
	    "Name  CPU        MEMORY / LIMIT         MEMORY    NETWORK IN / OUT     DISK IN / OUT  "
	    "      PIDS\n"
	    "web   12.34%     512B / 1KiB            50.00%    1B / 2kB             3B / 4B        "
	    "      7\n"
	    "\\x1~  --         --                     --        --                   --            "
	    "       --\n");
	buf_release(&out);
	buf_init(&out, 1 << 20);
	ui_stats_json(NASTY, &s, &out);
	o = json_loads(text_of(&out), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "name")), SAFE);
	assert_true(json_real_value(json_object_get(o, "cpu_percent")) == 12.34);
	assert_int_equal(json_integer_value(json_object_get(o, "pids")), 7);
	json_decref(o);
	buf_release(&out);
}

/* ---- ssh_config ------------------------------------------------------------------- */

static void
hosts_are_what_ssh_can_read(void **state)
{
	struct ui_model m;
	struct buf out;
	char login[128];

	(void)state;
	ui_model_init(&m);
	ui_model_begin(&m);
	for (uint64_t i = 0; i < 4; i++) {
		static char *const names[] = { "web", "web", "db", "x\nHost *\n ProxyCommand id" };
		static char *const nodes[] = { "one", "two", "one", "one" };

		ui_model_add(&m,
		    &(struct ui_entry){ .ref = i + 1,
			.name = names[i],
			.node = nodes[i],
			.id = "",
			.state = "",
			.image = "" });
	}
	buf_init(&out, 1 << 20);
	ui_hosts(&m, "alice", "gw", 2026, &out);
	assert_string_equal(text_of(&out),
	    "Host web.one\n    HostName gw\n    Port 2026\n    User alice+one+web\n\n"
	    "Host web.two\n    HostName gw\n    Port 2026\n    User alice+two+web\n\n"
	    "Host db.one\n    HostName gw\n    Port 2026\n    User alice+one+db\n\n");
	buf_release(&out);
	ui_hosts_login(&m, &m.entry[1], "alice", '~', login, sizeof(login));
	assert_string_equal(login, "alice~two~web");
	ui_hosts_login(&m, &m.entry[2], "alice", '+', login, sizeof(login));
	assert_string_equal(login, "alice+db");
	ui_hosts_login(&m, &m.entry[3], "alice", '+', login, sizeof(login));
	assert_string_equal(login, "alice");
	ui_model_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(details_are_lines),
		cmocka_unit_test(details_are_an_object_with_every_key),
		cmocka_unit_test(rows_are_aligned_by_what_is_seen),
		cmocka_unit_test(no_rows_are_an_empty_array),
		cmocka_unit_test(pairs_are_an_object),
		cmocka_unit_test(words_in_cells_are_the_language_s),
		cmocka_unit_test(figures_as_docker_writes_them),
		cmocka_unit_test(figures_are_a_line),
		cmocka_unit_test(hosts_are_what_ssh_can_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
