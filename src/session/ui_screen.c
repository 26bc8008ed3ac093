/*
 * The menu on a terminal, through ncurses.  jumpbox-session.
 *
 * ncurses writes to a descriptor, and one that takes nothing would stop this
 * process, which has one thread: so it writes to one end of a socket pair, and
 * what it wrote is read from the other end after each line of the screen.
 * A line is far smaller than what the pair holds.  The input of the terminal
 * does not come here: ui_input.c reads it.
 *
 * ncurses has one list of windows for all its screens, and resizes and frees
 * them together (6.4): it has one screen at a time here.  When another channel
 * draws, that one is dropped, and what it showed is painted anew by its next
 * turn.
 */
#include "ui_screen.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "ui_terms.h"

#include <errno.h>
#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wchar.h>

struct ui_screen {
	const struct ui_term *term;
	bool want_colour, colour;
	bool entered; /* the terminal has been taken over */
	int cols, rows;
	int line; /* that is drawn */
};

static struct ui_screen *current; /* whose ncurses' screen is */
static SCREEN *screen;
static int pair[2] = { -1, -1 }; /* ncurses writes, we read */
static FILE *stream;

void
ui_screen_prepare(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		fatal(JB_INTERNAL, "socketpair: %s", strerror(errno));
}

/* What ncurses has written since. */
static void
drain(struct buf *out)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(pair[1], bytes, sizeof(bytes), 0)) > 0)
		if (out != NULL)
			buf_add(out, bytes, (size_t)n);
}

/* ---- a terminal ---------------------------------------------------------------- */

static const struct ui_term *
find_term(const char *name)
{
	const struct ui_term *t = ui_terms;

	while (t->name != NULL && strcmp(t->name, name) != 0)
		t++;
	return t->name == NULL ? NULL : t;
}

static const struct {
	short colour; /* -1: the terminal's own */
	attr_t attributes;
} looks[ROLE_COUNT] = {
	[ROLE_PLAIN] = { -1, A_NORMAL },
	[ROLE_HEAD] = { -1, A_BOLD },
	[ROLE_TITLE] = { -1, A_BOLD },
	[ROLE_GOOD] = { COLOR_GREEN, A_NORMAL },
	[ROLE_WARN] = { COLOR_YELLOW, A_NORMAL },
	[ROLE_BAD] = { COLOR_RED, A_BOLD },
	[ROLE_DIM] = { -1, A_NORMAL },
	[ROLE_KEY] = { -1, A_BOLD },
};

static void
begin_colours(struct ui_screen *s)
{
	s->colour = has_colors() && start_color() == OK && use_default_colors() == OK;
	for (short r = 0; s->colour && r < ROLE_COUNT; r++)
		init_pair(r + 1, looks[r].colour, -1);
}

static void
drop_screen(void)
{
	if (screen != NULL)
		delscreen(screen);
	screen = NULL;
	current = NULL;
}

/* Makes ncurses' screen that of s; false: it cannot. */
static bool
take_screen(struct ui_screen *s)
{
	if (current == s)
		return true;
	drop_screen();
	if (stream == NULL && (stream = fdopen(pair[0], "r+")) == NULL)
		fatal(JB_INTERNAL, "fdopen: %s", strerror(errno));
	if (setenv("TERMINFO", s->term->entry, 1) != 0 ||
	    (screen = newterm(s->term->called, stream, stream)) == NULL)
		return false;
	/* It has a mind of its own about these. */
	signal(SIGTSTP, SIG_DFL);
	signal(SIGWINCH, SIG_DFL);
	current = s;
	s->cols = s->rows = 0;
	typeahead(-1); /* it would look for input while it draws */
	if (s->want_colour)
		begin_colours(s);
	if (s->entered) { /* what takes a terminal over is not sent twice */
		refresh();
		drain(NULL);
	}
	return true;
}

struct ui_screen *
ui_screen_open(const char *term, bool colour)
{
	const struct ui_term *t = find_term(term);
	struct ui_screen *s;

	if (t == NULL)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->term = t;
	s->want_colour = colour;
	if (take_screen(s))
		return s;
	free(s);
	return NULL;
}

void
ui_screen_close(struct ui_screen *s, struct buf *out)
{
	if (s->entered && out != NULL && take_screen(s)) {
		endwin();
		drain(out);
	}
	if (current == s)
		drop_screen();
	drain(NULL);
	free(s);
}

/* ---- drawing --------------------------------------------------------------------- */

/*
 * Adds what this libc and our tables agree on, so that ncurses knows where
 * the cursor is; in place of another character as many question marks as we
 * take it to be wide.
 */
static size_t
to_wide(const char *text, wchar_t *wide, size_t size, size_t *width)
{
	char one[TEXT_CHAR_MAX + 1];
	size_t n = 0, len, w;
	int32_t cp;

	for (*width = 0; *text != '\0' && n + 2 < size; text += len) {
		len = text_decode(text, &cp);
		memcpy(one, text, len);
		one[len] = '\0';
		w = text_width(one);
		*width += w;
		if (cp >= 0 && wcwidth((wchar_t)cp) == (int)w)
			wide[n++] = (wchar_t)cp;
		else
			for (; w > 0; w--)
				wide[n++] = L'?';
	}
	wide[n] = L'\0';
	return n;
}

static void
put(void *arg, unsigned x, unsigned width, enum ui_role role, bool lit, const char *text)
{
	const struct ui_screen *s = arg;
	wchar_t wide[1024];
	size_t n, used;
	attr_t a = lit ? A_REVERSE : looks[role].attributes;
	short colour = s->colour && !lit ? (short)(role + 1) : 0;

	if (x >= (unsigned)s->cols)
		return;
	attr_set(a, colour, NULL);
	n = to_wide(text, wide, sizeof(wide) / sizeof(wide[0]), &used);
	mvaddnwstr(s->line, (int)x, wide, (int)n);
	for (; lit && used < width && x + used < (unsigned)s->cols; used++)
		addch(' ');
}

/* A blank screen, whatever the terminal shows. */
static void
wipe_clean(struct buf *out)
{
	attr_set(A_NORMAL, 0, NULL);
	erase();
	wnoutrefresh(stdscr);
	clearok(curscr, TRUE);
	doupdate();
	drain(out);
}

void
ui_screen_draw(struct ui_screen *s, const struct ui_menu *m, const struct ui_place *p, int64_t now,
    bool repaint, struct buf *out)
{
	const struct ui_canvas canvas = { put, s };
	unsigned x, y;

	if (!take_screen(s))
		return; /* no memory: the next turn may have some */
	s->entered = true;
	if (s->cols != (int)m->cols || s->rows != (int)m->rows) {
		s->cols = (int)m->cols;
		s->rows = (int)m->rows;
		resizeterm(s->rows, s->cols);
		repaint = true;
	}
	if (repaint)
		wipe_clean(out);
	leaveok(stdscr, TRUE); /* unless a line has changed, nothing is sent */
	for (y = 0; y < m->rows; y++) {
		s->line = (int)y;
		move(s->line, 0);
		attr_set(A_NORMAL, 0, NULL);
		clrtoeol();
		ui_view_line(m, p, now, y, &canvas);
		wnoutrefresh(stdscr);
		doupdate();
		drain(out);
	}
	ui_view_cursor(m, &y, &x);
	leaveok(stdscr, FALSE);
	move((int)y, (int)x);
	wnoutrefresh(stdscr);
	doupdate();
	drain(out);
}
