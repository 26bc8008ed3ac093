/*
 * Plays a recording: which bytes are due when.  jumpboxctl at its terminal,
 * and the session on an administrator's channel; both write what comes out
 * and keep the time.
 */
#include "jumpbox/cast.h"

#include "jumpbox/recordings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { GROWS_MS = 250, READ_AGAIN_MS = 20, CTRL_C = 3, CTRL_D = 4, BEL = 7, ESC = 27 };

/*
 * The main screen, without a scrolling region (which moves the cursor, so it is
 * kept), soft reset, lines that wrap, usual keys; no reports of mouse, focus and
 * paste; a cursor, plain, in ASCII.
 */
const char player_reset[] = "\033[?1047l\0337\033[r\0338\033[!p\033[?7h\033[?1l\033>"
			    "\033[?1000l\033[?1002l\033[?1003l\033[?1004l\033[?1006l\033[?2004l"
			    "\033[?25h\033[0m\033(B\017";

void
player_release(struct player *p)
{
	cast_reader_free(p->reader);
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct player){ .fd = -1 };
}

void
player_screen(struct player *p, unsigned cols, unsigned rows)
{
	p->screen_cols = cols;
	p->screen_rows = rows;
}

/* ---- keys --------------------------------------------------------------------- */

/*
 * A key that means nothing here, or the terminal's answer to what was shown: to
 * the end of its sequence.  '[': ESC [ up to a final byte; ']': a string up to
 * BEL or ESC \; 'O': one byte more.
 */
static void
in_escape(struct player *p, uint8_t byte)
{
	if (p->escape == ESC)
		p->escape = byte == '['					       ? '['
		    : byte == 'O'					       ? 'O'
		    : byte == ']' || byte == 'P' || byte == '_' || byte == '^' ? ']'
									       : 0;
	else if (p->escape == ']')
		p->escape = byte == BEL ? 0 : byte == ESC ? 'O' : ']';
	else if (p->escape == 'O' || byte >= 0x40)
		p->escape = 0;
}

bool
player_key(struct player *p, uint8_t byte, int64_t now)
{
	if (byte == CTRL_C) /* wherever that is */
		return true;
	if (p->escape != 0) {
		in_escape(p, byte);
		return false;
	}
	if (byte == ESC)
		p->escape = ESC;
	if (byte == ' ' && !p->follow) {
		p->paused = !p->paused;
		p->since = now; /* what is left of a pause in it begins anew */
	}
	return byte == 'q' || byte == CTRL_D;
}

/* ---- events ---------------------------------------------------------------- */

/* More bytes for the reader; false: there are none now. */
static bool
feed(struct player *p)
{
	uint8_t block[CAST_FEED];
	ssize_t n;

	do
		n = read(p->fd, block, sizeof(block));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	cast_feed(p->reader, block, (size_t)n);
	return true;
}

/* The next event is there; otherwise *state says why not. */
static bool
fetch(struct player *p, enum player_state *state)
{
	enum cast_got got;

	if (p->waiting)
		return true;
	while ((got = cast_next(p->reader, &p->event)) == CAST_MORE) {
		if (feed(p)) {
			p->at_end = false;
			continue;
		}
		/* Once more after its writer has gone: that may have been in between. */
		*state = p->at_end || !p->follow ? PLAYER_ENDED : PLAYER_WAITS;
		p->at_end = !recording_live(p->fd);
		return false;
	}
	*state = PLAYER_BAD;
	p->waiting = got == CAST_EVENT;
	return p->waiting;
}

bool
player_init(struct player *p, int fd, bool follow)
{
	enum player_state state;

	*p = (struct player){
		.reader = cast_reader_new(), .fd = fd, .follow = follow, .speed = 100
	};
	if (!fetch(p, &state))
		return false;
	p->cols = p->event.cols;
	p->rows = p->event.rows;
	return true;
}

/* When the event is due; now, for who follows. */
static int64_t
due_at(const struct player *p, int64_t now)
{
	int64_t wait = p->event.at_ms - p->at_ms;

	if (p->follow || p->since == 0 || wait < 0)
		return now;
	if (p->idle_ms != 0 && wait > p->idle_ms)
		wait = p->idle_ms;
	return p->since + wait * 100 / p->speed;
}

/* Where it does not fit, lines are cut instead of being wrapped into others. */
static void
fit(struct player *p, struct buf *out)
{
	bool larger = p->screen_cols != 0 && (p->cols > p->screen_cols || p->rows > p->screen_rows);

	if (larger != p->clipped)
		buf_add(out, larger ? "\033[?7l" : "\033[?7h", 5);
	p->clipped = larger;
	p->cut = p->cut || larger;
}

static void
show(struct player *p, int64_t now, struct buf *out)
{
	const struct cast_event *e = &p->event;

	if (e->kind == 0 || e->kind == CAST_RESIZE) {
		p->cols = e->cols;
		p->rows = e->rows;
		fit(p, out);
	} else if (e->kind == CAST_OUTPUT) {
		buf_add(out, e->text, e->len);
	}
	p->since = due_at(p, now);
	p->at_ms = e->at_ms;
	p->waiting = false;
}

enum player_state
player_turn(struct player *p, int64_t now, struct buf *out, int64_t *next)
{
	enum player_state state = PLAYER_WAITS;

	*next = 0;
	if (p->paused)
		return PLAYER_WAITS;
	while (buf_room(out) >= 2 * CAST_EVENT_ROOM) {
		if (!fetch(p, &state)) {
			*next = now + (p->at_end ? READ_AGAIN_MS : GROWS_MS);
			return state;
		}
		if ((*next = due_at(p, now)) > now)
			return PLAYER_WAITS;
		show(p, now, out);
	}
	*next = now;
	return PLAYER_WAITS;
}
