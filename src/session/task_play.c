/*
 * A recording on an administrator's terminal: replay and watch.  The broker
 * passes the file; what is in it is read here, in the jail.  jumpbox-session.
 */
#include "task_parts.h"

#include "jumpbox/cast.h"
#include "jumpbox/util.h"

#include <libssh/server.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MS = 2000 }; /* no pause is longer */

struct play {
	struct channel *ch;
	struct player player;
	bool begun;
	int64_t next; /* when the player has more; monotonic ms, 0: not */
};

/* Raw, unlike what we say: lines have their ends as they were. */
static void
show(struct channel *ch, const void *p, size_t n)
{
	buf_add(&ch->say, p, n);
}

/* However it ends the terminal is given back as it was. */
static void
play_release(struct task *t)
{
	struct play *play = t->play;

	if (play->begun) {
		if (play->ch->state < CH_CLOSED) {
			show(play->ch, player_reset, strlen(player_reset));
			chan_say(play->ch, "\n");
		}
		player_release(&play->player);
	}
	free(play);
}

static void
begin(struct channel *ch, int fd, const char *user, const char *where, int64_t opened)
{
	struct play *play = ch->task->play;
	struct player *p = &play->player;
	char when[32], size[32], text[MAX_REASON];

	if (!player_init(p, fd, p->follow)) {
		player_release(p);
		task_failed(ch, -JB_BAD_INPUT,
		    words(text, sizeof(text), W_REPLAY_DAMAGED, NULL, NULL, NULL));
		return;
	}
	play->begun = true;
	p->idle_ms = IDLE_MS;
	when_format(opened, when);
	snprintf(text, sizeof(text), "%.40s, %.160s", user, where);
	chan_words(ch, p->follow ? W_WATCH_BEGIN : W_REPLAY_BEGIN, text, when, NULL);
	snprintf(size, sizeof(size), "%ux%u", p->cols, p->rows);
	if (p->cols > ch->cols || p->rows > ch->rows)
		chan_words(ch, W_REPLAY_SMALL, size, NULL, NULL);
	play->next = now_mono_ms();
}

static void
play_answer(struct channel *ch, struct msg *m)
{
	char why[MAX_REASON + 1], user[NAME_MAX_LEN + 1], where[160];
	uint32_t code;
	bool good = task_good(ch, m, why, &code);
	uint64_t opened;
	int fd = -1;

	msg_get_str(m, user, sizeof(user));
	msg_get_str(m, where, sizeof(where));
	opened = msg_get_u64(m);
	if (good)
		fd = msg_take_fd(m);
	if (!msg_end(m) || (good && fd < 0))
		task_malformed(m);
	if (good)
		begin(ch, fd, user, where, (int64_t)opened);
	else
		task_failed(ch, code, why);
}

/* True: it is enough. */
static bool
keys(struct channel *ch, int64_t now)
{
	bool left = false;

	while (!left && buf_len(&ch->in) > 0) {
		left = player_key(&ch->task->play->player, *buf_ptr(&ch->in), now);
		buf_consume(&ch->in, 1);
	}
	return left;
}

static void
over(struct channel *ch, enum player_state state, bool left)
{
	const struct player p = ch->task->play->player;
	char size[32], text[MAX_REASON];

	task_free(ch); /* what is said is said on the terminal as it was */
	if (p.cut) {
		snprintf(size, sizeof(size), "%ux%u", p.cols, p.rows);
		chan_words(ch, W_REPLAY_CUT, size, NULL, NULL);
	}
	if (!left && state == PLAYER_BAD) {
		task_failed(ch, -JB_BAD_INPUT,
		    words(text, sizeof(text), W_REPLAY_DAMAGED, NULL, NULL, NULL));
		return;
	}
	words(text, sizeof(text), p.follow ? W_WATCH_END : W_REPLAY_END, NULL, NULL, NULL);
	if (!left)
		chan_say(ch, text);
	task_over(ch, 0, left ? NULL : text);
}

static bool
play_work(struct channel *ch, int64_t now)
{
	struct play *play = ch->task->play;
	enum player_state state = PLAYER_WAITS;
	struct buf out;
	bool left;

	if (!play->begun)
		return false;
	left = keys(ch, now);
	if (!left && buf_len(&ch->say) > 0) /* the client takes what there is first */
		return false;
	player_screen(&play->player, ch->cols, ch->rows);
	buf_init(&out, PLAYER_OUT);
	if (!left)
		state = player_turn(&play->player, now, &out, &play->next);
	show(ch, buf_ptr(&out), buf_len(&out));
	if (buf_len(&out) > 0)
		timers_active(ch->conn);
	buf_release(&out);
	if (left || state != PLAYER_WAITS)
		over(ch, state, left);
	return left || state != PLAYER_WAITS || buf_len(&ch->say) > 0;
}

static int64_t
play_deadline(const struct channel *ch)
{
	return buf_len(&ch->say) == 0 ? ch->task->play->next : 0;
}

static const struct task_kind play_kind = { REP_REPLAY, false, play_answer, NULL, play_work,
	play_deadline, play_release };

void
task_play(struct channel *ch, uint64_t session, unsigned n, bool watch)
{
	struct task *t = task_new(ch, &play_kind);
	struct msg m;

	t->play = xcalloc(1, sizeof(*t->play));
	t->play->ch = ch;
	t->play->player.follow = watch;
	msg_init(&m, REQ_REPLAY, link_id());
	msg_put_u64(&m, session);
	msg_put_u32(&m, n);
	msg_put_u32(&m, watch);
	task_send(ch, &m);
}
