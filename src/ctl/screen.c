/*
 * A recording on the operator's terminal: keys, its size, and the state that
 * it is given back in.  jumpboxctl.
 */
#include "replay.h"

#include "jumpbox/util.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* What ends it from outside; each is noticed where the loop waits. */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static volatile sig_atomic_t ended, resized;

static void
on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		ended = sig;
}

bool
screen_size(unsigned *cols, unsigned *rows)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0 || w.ws_row == 0)
		return false;
	*cols = w.ws_col;
	*rows = w.ws_row;
	return true;
}

static void
fit(struct player *p)
{
	unsigned cols = 0, rows = 0;

	resized = 0;
	screen_size(&cols, &rows);
	player_screen(p, cols, rows);
}

/* True: it is enough. */
static bool
keys(struct player *p)
{
	char typed[64];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	for (ssize_t i = 0; i < n; i++)
		if (player_key(p, (uint8_t)typed[i], now_mono_ms()))
			return true;
	return n <= 0;
}

/* Until there is something to do; true: it is enough. */
static bool
wait_for_turn(struct player *p, int64_t next, const sigset_t *mask)
{
	int64_t left = next - now_mono_ms();
	const struct timespec ts = { left > 0 ? left / 1000 : 0,
		left > 0 ? left % 1000 * 1000000 : 0 };
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	int n = ppoll(&in, 1, next != 0 ? &ts : NULL, mask);

	if (resized)
		fit(p);
	return ended || (n > 0 && keys(p));
}

static enum player_state
play(struct player *p, const sigset_t *mask, bool *left)
{
	enum player_state state;
	struct buf out;
	int64_t next;
	int r = 0;

	buf_init(&out, PLAYER_OUT);
	do {
		state = player_turn(p, now_mono_ms(), &out, &next);
		r = write_all(STDOUT_FILENO, buf_ptr(&out), buf_len(&out), -1);
		buf_reset(&out);
		*left = r != 0 || (state == PLAYER_WAITS && wait_for_turn(p, next, mask));
	} while (state == PLAYER_WAITS && !*left);
	buf_release(&out);
	return state;
}

enum player_state
screen_play(struct player *p, bool *left)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct termios usual, raw;
	enum player_state state;
	sigset_t blocked, mask;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	sigaction(SIGWINCH, &act, NULL);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		sigaddset(&blocked, ending[i]);
		sigaction(ending[i], &act, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	tcgetattr(STDIN_FILENO, &usual);
	raw = usual;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	fit(p);
	state = play(p, &mask, left);
	write_all(STDOUT_FILENO, player_reset, strlen(player_reset), -1);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual); /* what was typed or answered is nobody's */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return state;
}
