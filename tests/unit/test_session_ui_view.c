/*
 * What is drawn where: whole screens, at several sizes, in both languages,
 * over names that would take a terminal over.
 */
#include "../../src/session/ui_view.h"

#include "../../src/session/ui_input.h"
#include "jumpbox/proto.h"
#include "jumpbox/text.h"
#include "ui_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { COLS = 300, LINE = 4 * COLS };

static struct ui_model model;
static struct ui_menu menu;
static const struct ui_place place = { "alice", "gw" };

static int
begin(void **state)
{
	(void)state;
	words_speak(LANGUAGE_EN);
	ui_model_init(&model);
	ui_menu_init(&menu, &model, 80, 12);
	menu.loading = false;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ui_menu_release(&menu);
	ui_model_release(&model);
	words_speak(LANGUAGE_EN);
	return 0;
}

/* A line as a terminal would show it; what a piece covers is overwritten from its column on. */
struct line {
	char text[LINE];
	unsigned cols;
	enum ui_role role;
	bool lit;
};

static void
put(void *arg, unsigned x, unsigned width, enum ui_role role, bool lit, const char *text)
{
	struct line *l = arg;
	char before[LINE];

	assert_true(x < l->cols && x + text_width(text) <= l->cols && text_width(text) <= width);
	for (const char *p = text; *p != '\0';) {
		int32_t cp;

		p += text_decode(p, &cp);
		assert_false(text_unsafe(cp));
	}
	text_fit(before, sizeof(before), l->text, x, true);
	snprintf(l->text, sizeof(l->text), "%s%s", before, text);
	if (role != ROLE_PLAIN)
		l->role = role;
	l->lit |= lit;
}

/* Line y, without blanks at its end. */
static const struct line *
line(unsigned y)
{
	static struct line l;
	const struct ui_canvas c = { put, &l };

	l = (struct line){ .cols = menu.cols };
	ui_view_line(&menu, &place, NOW, y, &c);
	for (size_t n = strlen(l.text); n > 0 && l.text[n - 1] == ' '; n--)
		l.text[n - 1] = '\0';
	return &l;
}

static void
type(const char *text)
{
	for (; *text != '\0'; text++)
		ui_menu_key(&menu, *text);
}

static void
assert_screen(const char *const *want)
{
	for (unsigned y = 0; y < menu.rows; y++)
		assert_string_equal(line(y)->text, want[y]);
}

/* Three containers; the second in trouble, the third on a node that does not answer. */
static void
sample(void)
{
	struct ui_entry a = ui_row(1, "web", "one"), b = ui_row(2, "db", "one"),
			c = ui_row(3, "\xe5\xae\xb9\xe5\x99\xa8-\xf0\x9f\x90\xb3", "far");

	a.used = NOW - 60;
	a.health = "healthy";
	a.service = "shop/web";
	a.ports = "8080->80/tcp";
	a.owner = "zoe";
	a.flags = ROW_GPU;
	b.state = "exited";
	b.exit_code = 137;
	b.started = NOW - 90000;
	b.finished = NOW - 7200;
	c.state = "unreachable";
	c.node_seen = NOW - 300;
	ui_model_add(&model, &a);
	ui_model_add(&model, &b);
	ui_model_add(&model, &c);
	ui_menu_update(&menu);
}

static void
test_the_screen(void **state)
{
	static const char *const want[] = {
		"alice on gw  3 containers                                     sorted by last use",
		" NO  NAME     STATE             HEALTH   NODE  SERVICE   IMAGE    SINCE",
		"> 1  web      running           healthy  one   shop/web  nginx:1     5m",
		"  2  db       exited 137                 one             nginx:1     2h",
		"  3  容器-🐳  unreachable 5m             far             nginx:1     5m",
		"",
		"",
		"",
		"",
		"",
		"",
		"Enter connect  / filter  s sort  i details  l logs  ? help  q quit",
	};

	(void)state;
	sample();
	assert_screen(want);
	assert_true(line(2)->lit);
	assert_false(line(3)->lit);
	assert_int_equal(line(3)->role, ROLE_BAD);
}

/* Not even at 60 columns is number, name, state, node, image or time left out; a wide one shows all. */
static void
test_columns_by_priority(void **state)
{
	static const char *const at60 =
	    "> 1  web      running          healthy  one   nginx:1     5m";
	static const char *const at132 = "> 1  web      running           healthy  one   shop/web  "
					 "nginx:1  8080->80/tcp  zoe    yes     5m";

	(void)state;
	sample();
	ui_menu_resize(&menu, 60, 12);
	assert_string_equal(line(2)->text, at60);
	ui_menu_resize(&menu, 132, 12);
	assert_string_equal(line(2)->text, at132);
	for (size_t i = 0; i < model.n; i++)
		model.entry[i].region = "eu-west";
	ui_list_reopen(&menu.list);
	ui_menu_update(&menu);
	assert_non_null(strstr(line(1)->text, "  NODE  REGION   SERVICE  "));
	assert_non_null(strstr(line(2)->text, "  one   eu-west  shop/web  "));
	for (unsigned cols = 60; cols < 132; cols++) { /* whatever else there is comes before it */
		ui_menu_resize(&menu, cols, 12);
		assert_true(strstr(line(1)->text, "REGION") == NULL ||
		    strstr(line(1)->text, "GPU") != NULL);
	}
}

static void
test_chinese(void **state)
{
	(void)state;
	words_speak(LANGUAGE_ZH);
	sample();
	assert_string_equal(line(0)->text,
	    "alice 在 gw  3 个容器                                             按最近使用排序");
	assert_string_equal(line(3)->text,
	    "    2  db       已退出 137             one             nginx:1              2 时");
	assert_string_equal(
	    line(11)->text, "Enter 进入  / 筛选  s 排序  i 详情  l 输出  ? 帮助  q 退出");
}

/* ---- what is typed and said ---------------------------------------------------------- */

static void
test_status_line(void **state)
{
	(void)state;
	sample();
	type("3");
	assert_string_equal(line(10)->text, "Number: 3  容器-🐳 on far");
	type("33");
	assert_string_equal(line(10)->text, "Number: 333");
	type("\r");
	assert_string_equal(line(10)->text, "There is no container with the number 333.");
	assert_int_equal(line(10)->role, ROLE_BAD);
	type("/we");
	assert_string_equal(line(10)->text, "Filter: we");
	assert_string_equal(line(0)->text,
	    "alice on gw  1 of 3 containers                                sorted by last use");
	assert_string_equal(line(11)->text, "Enter connect  Tab keep  Esc all");
	type("\t");
	assert_string_equal(line(10)->text, "Filter: we");
	type("/xx");
	assert_string_equal(line(3)->text, " No container matches. Esc shows all.");
	ui_menu_key(&menu, K_ESC);
	ui_menu_say_text(&menu, true, "a\033[2J\nb");
	assert_string_equal(line(10)->text, "a\\x1b[2J\\x0ab");
}

static void
test_nothing_there(void **state)
{
	(void)state;
	ui_menu_update(&menu);
	assert_string_equal(line(0)->text,
	    "alice on gw  0 containers                                     sorted by last use");
	assert_string_equal(line(3)->text, " There is no container that you may reach.");
	menu.loading = true;
	assert_string_equal(line(3)->text, "");
}

static void
test_the_cursor(void **state)
{
	unsigned x, y;

	(void)state;
	sample();
	ui_menu_key(&menu, 'j');
	ui_view_cursor(&menu, &y, &x);
	assert_int_equal(y, 3);
	assert_int_equal(x, 0);
	type("/\xe5");
	ui_menu_key(&menu, 0x5bb9);
	ui_view_cursor(&menu, &y, &x);
	assert_int_equal(y, 10);
	assert_int_equal(x, (unsigned)text_width(line(10)->text));
}

static void
test_the_help(void **state)
{
	(void)state;
	sample();
	ui_menu_resize(&menu, 80, 24);
	for (int l = 0; l < LANGUAGE_COUNT; l++) {
		words_speak((enum language)l);
		type("?");
		/* Nothing of it is cut at 80 columns. */
		for (size_t i = 0; i < ui_page_lines(&menu.page); i++) {
			char text[PAGE_SHOWN];

			assert_true(text_width(ui_page_line(&menu.page, i, text)) <= 80);
		}
		if (l == LANGUAGE_EN) {
			assert_string_equal(line(0)->text,
			    "alice on gw  Keys                                                  1 "
			    "to 20 of 64");
			assert_string_equal(line(2)->text, " Keys");
			assert_string_equal(
			    line(3)->text, "   Enter                 a shell in the container");
			ui_menu_key(&menu, K_END);
			assert_string_equal(line(17)->text, "   Ctrl-D                leave");
			assert_string_equal(
			    line(21)->text, "   p                     play a session's recording");
		}
		type("q");
	}
}

static void
test_a_page(void **state)
{
	static const char text[] = "one\n\tindented\nthree \xe5\xae\xb9\xe5\x99\xa8\n";

	(void)state;
	sample();
	ui_menu_read(&menu, UI_LOGS, W_UI_LOGS_OF, "web");
	ui_page_add(&menu.page, text, sizeof(text) - 1);
	ui_menu_grown(&menu);
	assert_string_equal(line(0)->text,
	    "alice on gw  Logs of web                                               following");
	assert_string_equal(line(2)->text, "one");
	assert_string_equal(line(3)->text, "        indented");
	assert_string_equal(line(11)->text, "f follow  / search  q back");
	type("/");
	ui_menu_key(&menu, 0x5bb9);
	assert_string_equal(line(10)->text, "Search: \xe5\xae\xb9");
	type("\r");
	assert_true(line(4)->lit);
	assert_false(line(3)->lit);
	type("/nothing\r");
	assert_string_equal(line(10)->text, "nothing: not found");
	ui_menu_key(&menu, K_RIGHT);
	assert_string_equal(line(3)->text, "indented");
	assert_string_equal(line(4)->text, "\xe5\x99\xa8");
}

static void
test_questions(void **state)
{
	unsigned x, y;

	(void)state;
	sample();
	type("T");
	assert_string_equal(line(10)->text, "Stop web? [y/N]");
	assert_string_equal(line(11)->text, "y yes  Enter no");
	ui_view_cursor(&menu, &y, &x);
	assert_int_equal(y, 10);
	assert_int_equal(x, 16);
	type("\ru");
	assert_string_equal(line(10)->text, "User there (empty: as the grant says):");
	type("dev\r/bin/sh");
	assert_string_equal(line(10)->text, "Shell (empty: the login shell): /bin/sh");
}

/* ---- what is foreign, and what is small -------------------------------------------------- */

/* put() looks at every character. */
static void
test_foreign_text(void **state)
{
	static const char odd[] =
	    "\033[31mred\033]0;t\a\xe2\x80\xae\xe2\x81\xa6\xc2\x9b\x32J\r\n\xff\xfe.";
	struct ui_entry e = ui_row(1, odd, odd);

	(void)state;
	e.id = e.state = e.health = e.image = e.service = e.labels = e.owner = e.ports = e.region =
	    odd;
	ui_model_add(&model, &e);
	ui_menu_update(&menu);
	for (unsigned cols = 1; cols <= COLS; cols += 7) {
		ui_menu_resize(&menu, cols, 12);
		for (unsigned y = 0; y < menu.rows; y++)
			line(y);
	}
	assert_non_null(strstr(line(2)->text, "\\x1b[31mred"));
	type("1");
	line(10);
}

static void
test_every_size(void **state)
{
	unsigned x, y;

	(void)state;
	sample();
	for (int l = 0; l < LANGUAGE_COUNT; l++) {
		words_speak((enum language)l);
		for (unsigned cols = 1; cols <= COLS; cols++) {
			for (unsigned rows = 1; rows < 20; rows++) {
				ui_menu_resize(&menu, cols, rows);
				for (y = 0; y < rows; y++)
					line(y);
				ui_view_cursor(&menu, &y, &x);
				assert_true(y < rows && x < cols);
			}
		}
	}
}

static void
test_when_times_change(void **state)
{
	(void)state;
	assert_int_equal(ui_view_next(&menu, NOW), 0);
	sample(); /* 300 s, 7200 s, 300 s */
	assert_int_equal(ui_view_next(&menu, NOW), NOW + 60);
	assert_int_equal(ui_view_next(&menu, NOW + 59), NOW + 60);
	assert_int_equal(ui_view_next(&menu, NOW + 60), NOW + 120);
	type("?");
	assert_int_equal(ui_view_next(&menu, NOW), 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_the_screen),
		TEST(test_columns_by_priority),
		TEST(test_chinese),
		TEST(test_status_line),
		TEST(test_nothing_there),
		TEST(test_the_cursor),
		TEST(test_the_help),
		TEST(test_a_page),
		TEST(test_questions),
		TEST(test_foreign_text),
		TEST(test_every_size),
		TEST(test_when_times_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
