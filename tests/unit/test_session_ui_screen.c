/*
 * The menu through ncurses: every terminal's entry is in the program, a
 * terminal is given back as it was, a line that has not changed costs nothing,
 * and the largest frame with the worst text in it goes through the pair.
 */
#include "../../src/session/ui_screen.h"

#include "../../src/session/ui_input.h"
#include "../../src/session/ui_terms.h"
#include "jumpbox/util.h"
#include "ui_fixture.h"

#include <locale.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct ui_model model;
static struct ui_menu menu;
static struct buf out;
static const struct ui_place place = { "alice", "gw" };

static int
begin(void **state)
{
	(void)state;
	ui_model_init(&model);
	ui_menu_init(&menu, &model, 80, 24);
	menu.loading = false;
	ui_rows_add(&model, 50);
	ui_menu_update(&menu);
	buf_init(&out, 16 << 20);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ui_menu_release(&menu);
	ui_model_release(&model);
	buf_release(&out);
	return 0;
}

static bool
said(const char *text)
{
	return memmem(buf_ptr(&out), buf_len(&out), text, strlen(text)) != NULL;
}

/* How many bytes a frame takes. */
static size_t
draw(struct ui_screen *s, bool repaint)
{
	buf_reset(&out);
	ui_screen_draw(s, &menu, &place, NOW, repaint, &out);
	return buf_len(&out);
}

static void
test_every_terminal(void **state)
{
	static const char *const must[] = { "xterm", "xterm-256color", "screen", "screen-256color",
		"tmux", "tmux-256color", "linux", "vt100", "rxvt", "rxvt-unicode-256color" };
	struct ui_screen *s;
	unsigned n = 0;

	(void)state;
	for (const struct ui_term *t = ui_terms; t->name != NULL; t++, n++) {
		assert_int_equal(strncmp(t->entry, "b64:", 4), 0);
		s = ui_screen_open(t->name, true);
		assert_non_null(s);
		assert_true(draw(s, false) > 500);
		assert_true(said("c-0") && said("nginx:1"));
		ui_screen_close(s, &out);
		buf_reset(&out);
	}
	assert_true(n >= sizeof(must) / sizeof(must[0]));
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
		s = ui_screen_open(must[i], true);
		assert_non_null(s);
		ui_screen_close(s, &out);
	}
	for (const char *const *name = (const char *const[]){ "", "dumb", "xter", "xterm-kitty",
		 "../../etc/passwd", "vt100\n", NULL };
	     *name != NULL; name++)
		assert_null(ui_screen_open(*name, true));
}

static void
test_the_terminal_is_given_back(void **state)
{
	struct ui_screen *s = ui_screen_open("xterm-256color", true);

	(void)state;
	draw(s, false);
	assert_true(said("\033[?1049h"));
	assert_false(said("\033[?1049l"));
	buf_reset(&out);
	ui_screen_close(s, &out);
	assert_true(said("\033[?1049l"));
	/* Its signal handlers are not ours. */
	assert_true(signal(SIGTSTP, SIG_DFL) == SIG_DFL);
	assert_true(signal(SIGWINCH, SIG_DFL) == SIG_DFL);
}

static void
test_colour_is_left_out(void **state)
{
	struct ui_screen *s = ui_screen_open("xterm-256color", false);

	(void)state;
	draw(s, false);
	assert_false(said("\033[32m"));
	ui_screen_close(s, &out);
	s = ui_screen_open("xterm-256color", true);
	draw(s, false);
	assert_true(said("\033[32m"));
	ui_screen_close(s, &out);
	s = ui_screen_open("vt100", true);
	draw(s, false);
	assert_false(said("\033[32m"));
	ui_screen_close(s, &out);
}

static void
test_only_what_changed(void **state)
{
	struct ui_screen *s = ui_screen_open("xterm-256color", true);
	size_t whole = draw(s, false), less;

	(void)state;
	assert_int_equal(draw(s, false), 0);
	ui_menu_key(&menu, K_DOWN);
	less = draw(s, false);
	assert_true(less > 0 && less < whole / 2);
	assert_true(draw(s, true) > less);
	assert_int_equal(draw(s, false), 0);
	ui_screen_close(s, &out);
}

/* Screens of several channels share the pair, and nothing of one goes to another. */
static void
test_several_at_once(void **state)
{
	struct ui_screen *a = ui_screen_open("xterm", true);
	struct ui_screen *b = ui_screen_open("vt100", true);

	(void)state;
	draw(a, false);
	assert_int_equal(draw(a, false), 0);
	draw(b, false);
	assert_int_equal(draw(b, false), 0);
	/* Another one has drawn meanwhile: all of it, but the terminal is not taken twice. */
	draw(a, false);
	assert_true(said("c-3") && !said("\033[?1049h"));
	assert_int_equal(draw(a, false), 0);
	draw(b, false);
	ui_menu_resize(&menu, 100, 30);
	draw(a, false);
	assert_true(said("c-3"));
	draw(b, false);
	buf_reset(&out);
	ui_screen_close(a, &out);
	assert_true(said("\033[?1049l"));
	draw(b, false);
	assert_true(said("c-3"));
	assert_int_equal(draw(b, false), 0);
	/* Taken over anew, it is painted anew, and given back again. */
	a = ui_screen_open("xterm", true);
	draw(a, false);
	assert_true(said("\033[?1049h") && said("c-3"));
	assert_int_equal(draw(a, false), 0);
	buf_reset(&out);
	ui_screen_close(a, &out);
	assert_true(said("\033[?1049l"));
	draw(b, true);
	assert_true(said("c-3"));
	ui_screen_close(b, &out);
}

/* What takes most bytes for a column: four combining characters on each, and a colour of its own. */
static void
worst(char *dst, size_t columns)
{
	dst[0] = '\0';
	for (size_t i = 0; i < columns; i++)
		strcat(dst,
		    "\xf0\x9d\x9f\x8e\xf0\x9e\x80\x80\xf0\x9e\x80\x81\xf0\x9e\x80\x82\xf0\x9e\x80"
		    "\x83");
}

/* The pair holds as little as a kernel may give it: a line still has room, a whole frame has not. */
static void
small_pair(int size)
{
	struct stat st;

	for (int fd = 3; fd < 64; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void
test_the_largest_page(void **state)
{
	struct ui_screen *s = ui_screen_open("xterm-256color", true);
	char text[8192];

	(void)state;
	small_pair(16 * 1024);
	worst(text, 300);
	strcat(text, "\n");
	ui_menu_resize(&menu, SCREEN_COLS, SCREEN_ROWS);
	ui_menu_read(&menu, UI_LOGS, W_UI_LOGS_OF, "web");
	for (int i = 0; i < 300; i++)
		ui_page_add(&menu.page, text, strlen(text));
	ui_menu_grown(&menu);
	alarm(20);
	for (int i = 0; i < 3; i++)
		assert_true(draw(s, true) > 150000);
	assert_int_equal(draw(s, false), 0);
	ui_screen_close(s, &out);
	alarm(0);
}

static void
test_the_largest_frame(void **state)
{
	struct ui_screen *s = ui_screen_open("xterm-256color", true);
	char name[1024], image[1200];

	(void)state;
	small_pair(16 * 1024);
	worst(name, 40);
	worst(image, 50);
	ui_menu_resize(&menu, SCREEN_COLS, SCREEN_ROWS);
	for (unsigned i = 0; i < 200; i++) {
		struct ui_entry e = ui_row(1000 + i, name, "node");

		e.image = e.service = e.ports = e.owner = image;
		e.health = "unhealthy";
		ui_model_add(&model, &e);
	}
	ui_menu_update(&menu);
	ui_menu_key(&menu, K_END);
	alarm(20); /* a pair that is full would be waited for, for good */
	for (int i = 0; i < 3; i++)
		assert_true(draw(s, true) > 100000);
	assert_int_equal(draw(s, false), 0);
	for (int i = 0; i < 10; i++) {
		ui_menu_key(&menu, K_PGUP);
		draw(s, false);
	}
	assert_int_equal(draw(s, false), 0);
	ui_screen_close(s, &out);
	alarm(0);
}

static void
test_every_size(void **state)
{
	struct ui_screen *s = ui_screen_open("screen", true);

	(void)state;
	for (unsigned cols = 1; cols < 140; cols += 3) {
		for (unsigned rows = 1; rows < 40; rows += 2) {
			ui_menu_resize(&menu, cols, rows);
			draw(s, false);
			ui_menu_key(&menu, rows % 4 == 1 ? K_END : '/');
			draw(s, false);
			assert_int_equal(draw(s, false), 0);
		}
	}
	ui_screen_close(s, &out);
}

static void
test_nothing_stays_behind(void **state)
{
	struct ui_screen *s;
	size_t before = 0, after;

	(void)state;
	for (int i = 0; i < 60; i++) {
		s = ui_screen_open(i % 2 == 0 ? "xterm-256color" : "linux", true);
		ui_menu_resize(&menu, 100, 40);
		draw(s, false);
		ui_screen_close(s, i % 3 == 0 ? NULL : &out);
		buf_release(&out);
		buf_init(&out, 16 << 20);
		if (i == 9)
			before = mallinfo2().uordblks;
	}
	after = mallinfo2().uordblks;
	assert_true(after < before + 4096);
}

static int
prepare(void **state)
{
	(void)state;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return -1;
	/* As in the jail: no file is asked. */
	setenv("TERMINFO_DIRS", "/nonexistent", 1);
	ui_screen_prepare();
	return 0;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_every_terminal),
		TEST(test_the_terminal_is_given_back),
		TEST(test_colour_is_left_out),
		TEST(test_only_what_changed),
		TEST(test_several_at_once),
		TEST(test_the_largest_frame),
		TEST(test_the_largest_page),
		TEST(test_every_size),
		TEST(test_nothing_stays_behind),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
