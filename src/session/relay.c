/*
 * The stream between a channel and a container: attach, copy, resize, exit
 * status, the slow reader.  jumpbox-session.
 *
 * Where there is a helper, or can be, the process is a channel of its stream
 * (relay_helper.c).  All else is about the stream of an exec of its own.
 *
 * A terminal's stream is raw and never half-closed; another one is framed and
 * half-closed when the client's input ends.  The container is read only while
 * the client takes what was read before, but for one case: once the main
 * process has ended the engine waits about two seconds and then drops what
 * nobody took.  So while the client's window stays shut the broker is asked
 * now and then whether it has ended, and if so the rest is drained into `raw`.
 * An engine may not answer that just while it waits before it drops (Docker
 * does not since 24): no answer for a moment counts as yes, for half of `raw`.
 * Asking costs the engine a call: it is done only while the stream has bytes
 * that could be lost, and at its end ever more rarely, for a process may close
 * its output and go on for hours.
 */
#include "forward.h"

#include "jumpbox/log.h"
#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BLOCKED_MS = 250, /* the client takes nothing for so long before it is worth asking */
	BLOCKED_AGAIN_MS = 1000, /* well within those two seconds */
	ANSWER_MS = 200,       /* an engine that does not answer for so long may be about to drop */
	EOF_AGAIN_MS = 50,     /* the stream has ended and the process not yet: doubles */
	EOF_AGAIN_MOST = 2000, /* up to this */
	UNKNOWN_TRIES = 5,     /* a busy engine is not the end of a process */
	UNKNOWN_CODE = 255,
	SIGNAL_MAX = 15,
};

/* No helper starts another shell than the user's own, or as somebody else. */
static uint32_t
choose_helper(const struct channel *ch, uint64_t ref)
{
	if (ch->bare || ch->run_as != NULL || ch->shell != NULL)
		return 0;
	return mux_for_process(ch->conn, ref, ch->command != NULL ? PERM_EXEC : PERM_SHELL);
}

void
relay_attach(struct channel *ch, uint64_t ref, const char *name)
{
	const char *agent;
	struct msg m;

	if (name != ch->name)
		str_copy(ch->name, sizeof(ch->name), name);
	if (agent_waits(ch, ref))
		return;
	agent = ch->agent ? agent_path(ch->conn, ref) : NULL;
	ch->helper = choose_helper(ch, ref);
	demux_init(&ch->demux);
	ch->attach = link_id();
	ch->ref = ref;
	ch->eof = ch->have_code = ch->unknown = ch->in_shut = ch->asked_at_eof = false;
	ch->cancelled = ch->suspect = false;
	ch->unanswered = 0;
	ch->readable = true; /* bytes may come with the descriptor */
	ch->told_cols = ch->cols;
	ch->told_rows = ch->rows;
	ch->slice = 0;
	ch->ask_again = EOF_AGAIN_MS;
	ch->bytes_in = ch->bytes_out = ch->granted = 0;
	ch->signal = 0;
	ch->asked = ch->blocked = 0;
	msg_init(&m, REQ_ATTACH, ch->attach);
	msg_put_u64(&m, ref);
	msg_put_u32(&m, ch->command != NULL ? ATTACH_EXEC : ATTACH_SHELL);
	msg_put_u32(&m, ch->tty);
	msg_put_u32(&m, ch->cols);
	msg_put_u32(&m, ch->rows);
	msg_put_str(&m, ch->term);
	msg_put_u32(&m, ch->nenv + (agent != NULL));
	for (unsigned i = 0; i < ch->nenv; i++) {
		msg_put_str(&m, ch->env[i].name);
		msg_put_str(&m, ch->env[i].value);
	}
	if (agent != NULL) {
		msg_put_str(&m, "SSH_AUTH_SOCK");
		msg_put_str(&m, agent);
	}
	msg_put_str(&m, ch->command != NULL ? ch->command : "");
	msg_put_str(&m, ch->run_as != NULL ? ch->run_as : "");
	msg_put_str(&m, ch->shell != NULL ? ch->shell : "");
	msg_put_u32(&m, ch->helper);
	link_send(&m);
	ch->state = CH_CONNECTING;
}

static void
tell_size(struct channel *ch)
{
	struct msg m;

	if (!ch->tty || ch->eof || (ch->cols == ch->told_cols && ch->rows == ch->told_rows))
		return;
	if (ch->mux != NULL && !mux_resize(ch->mux, ch->cols, ch->rows))
		return;
	ch->told_cols = ch->cols;
	ch->told_rows = ch->rows;
	if (ch->record != NULL)
		record_size(ch->record, now_mono_ms(), ch->cols, ch->rows);
	if (ch->mux != NULL)
		return;
	msg_init(&m, REQ_RESIZE, link_id());
	msg_put_u32(&m, ch->attach);
	msg_put_u32(&m, ch->cols);
	msg_put_u32(&m, ch->rows);
	link_send(&m);
}

void
relay_signal(struct channel *ch, const char *name)
{
	struct msg m;

	if (ch->state != CH_STREAM || strlen(name) > SIGNAL_MAX) /* longer than any there is */
		return;
	if (ch->mux != NULL) {
		mux_signal(ch->mux, name);
		return;
	}
	msg_init(&m, REQ_SIGNAL, link_id());
	msg_put_u32(&m, ch->attach);
	msg_put_str(&m, name);
	link_send(&m);
}

/* A bare stream has one end for all that is said: there it goes on. */
void
relay_unread(struct channel *ch)
{
	ch->unread = true;
	if (ch->state == CH_STREAM && ch->mux != NULL)
		mux_unread(ch->mux);
}

static void
cancel(struct channel *ch)
{
	struct msg m;

	if (ch->cancelled)
		return;
	ch->cancelled = true;
	msg_init(&m, REQ_CANCEL, link_id());
	msg_put_u32(&m, ch->attach);
	link_send(&m);
}

void
relay_detach(struct channel *ch, const char *how)
{
	struct msg m;

	if (ch->attach == 0)
		return;
	msg_init(&m, REQ_DETACH, link_id());
	msg_put_u32(&m, ch->attach);
	msg_put_u64(&m, ch->bytes_in);
	msg_put_u64(&m, ch->bytes_out);
	msg_put_str(&m, how);
	msg_put_u32(&m, ch->helper != 0 && ch->have_code && !ch->unknown ? ch->code + 1 : 0);
	link_send(&m);
	ch->attach = 0;
	ch->status_request = 0;
	carry_forget(ch);
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
	record_end(ch->record);
	ch->record = NULL;
}

static void
ask_status(struct channel *ch, int64_t now)
{
	struct msg m;

	if (ch->asked_at_eof && ch->ask_again < EOF_AGAIN_MOST)
		ch->ask_again *= 2;
	ch->asked = now;
	ch->asked_at_eof = ch->eof;
	ch->status_request = link_id();
	msg_init(&m, REQ_STATUS, ch->status_request);
	msg_put_u32(&m, ch->attach);
	link_send(&m);
}

void
relay_broken(struct channel *ch)
{
	buf_reset(&ch->raw);
	relay_detach(ch, "broken stream");
	chan_words(ch, W_STREAM_BROKEN, NULL, NULL, NULL);
	chan_end(ch, UNKNOWN_CODE);
}

/* ---- answers ---------------------------------------------------------------- */

static void
refused(struct channel *ch, uint32_t code, const char *message)
{
	ch->attach = 0; /* it never was one */
	if (ch->closed)
		return;
	if (code == (uint32_t)-JB_NOT_FOUND && ch->named) {
		front_again(ch);
		return;
	}
	chan_reason(ch, message);
	if (ch->menu)
		front_back(ch, message);
	else
		chan_end(ch, code);
}

/* A list of what changed does not have it: a use is no change of a container. */
static void
note_use(const struct channel *ch)
{
	for (struct channel *c = ch->conn->channels; c != NULL; c = c->next)
		ui_model_used(&c->model, ch->ref, (uint64_t)now_unix());
}

static void
on_attached(struct channel *ch, struct msg *m)
{
	uint32_t code = msg_get_u32(m);
	char message[MAX_REASON + 1], *env[RELAY_ENV_MAX];
	uint32_t recorded, carried, nenv, i;
	int fd = -1, file = -1;

	msg_get_str(m, message, sizeof(message));
	recorded = msg_get_u32(m);
	carried = msg_get_u32(m);
	nenv = msg_get_u32(m);
	for (i = 0; i < nenv && i < RELAY_ENV_MAX; i++)
		env[i] = msg_dup_str(m, MAX_ENV_NAME + MAX_ENV_VALUE + 1);
	if (code == 0 && !carried)
		fd = msg_take_fd(m);
	if (code == 0 && recorded != 0)
		file = msg_take_fd(m);
	if (!msg_end(m) || (code == 0 && !carried && fd < 0) ||
	    (code == 0 && recorded != 0 && file < 0))
		fatal(JB_INTERNAL, "the broker's ATTACH answer is malformed");
	if (code != 0) {
		refused(ch, code, message);
		return;
	}
	ch->fd = fd;
	if (fd >= 0)
		set_nonblock(fd, true);
	if (!carried)
		ch->helper = ch->bare = 0;
	ch->state = CH_STREAM;
	note_use(ch);
	if (file >= 0) {
		ch->record = record_new(file, ch->conn->cfg, now_mono_ms());
		chan_words(ch, ch->conn->cfg->recording_input ? W_RECORDED_INPUT : W_RECORDED, NULL,
		    NULL, NULL);
	}
	notices_shell(ch);
	if (ch->cancelled) { /* the two crossed */
		relay_detach(ch, "cancelled");
		refused(ch, -JB_TRY_AGAIN, words(message, sizeof(message), W_CANCELLED, 0, 0, 0));
	} else if (carried) {
		relay_start(ch, env, nenv);
	}
	for (i = 0; i < nenv; i++)
		free_secret(env[i]);
}

static void
on_status(struct channel *ch, struct msg *m)
{
	enum run_state state = (enum run_state)msg_get_u32(m);
	uint32_t code = msg_get_u32(m);

	ch->status_request = 0;
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's STATUS answer is malformed");
	if (state == RUN_EXITED) {
		/* A helper's own code is its process's where both were killed, and else nobody's. */
		ch->unknown = ch->helper != 0 && code <= 128;
		ch->have_code = true;
		ch->code = ch->unknown ? UNKNOWN_CODE : code;
	} else if (state == RUN_RUNNING) {
		ch->unanswered = 0;
	} else if (ch->asked_at_eof && ++ch->unanswered == UNKNOWN_TRIES) {
		ch->have_code = ch->unknown = true;
		ch->code = UNKNOWN_CODE;
	}
}

bool
relay_answer(struct channel *ch, struct msg *m)
{
	if (m->type == REP_ATTACH && m->id == ch->attach && ch->state == CH_CONNECTING)
		on_attached(ch, m);
	else if (m->type == REP_STATUS && m->id == ch->status_request && ch->attach != 0)
		on_status(ch, m);
	else
		return false;
	return true;
}

/* ---- bytes -------------------------------------------------------------------- */

/* Ctrl-C while it connects gives up; what was typed with it goes, too. */
static bool
connecting(struct channel *ch)
{
	const uint8_t *p = buf_ptr(&ch->in);

	if (!ch->tty || buf_len(&ch->in) == 0 || memchr(p, 3, buf_len(&ch->in)) == NULL)
		return false;
	buf_reset(&ch->in);
	cancel(ch);
	return true;
}

static bool
pump_in(struct channel *ch)
{
	bool any = false;
	ssize_t n;

	if (ch->helper != 0)
		return ch->mux != NULL && carry_in(ch);
	while (buf_len(&ch->in) > 0) {
		n = send(ch->fd, buf_ptr(&ch->in), buf_len(&ch->in), MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return any;
		if (n < 0) { /* the reader is gone; its status is yet to come */
			buf_reset(&ch->in);
			return true;
		}
		if (ch->record != NULL)
			record_input(ch->record, now_mono_ms(), buf_ptr(&ch->in), (size_t)n);
		buf_consume(&ch->in, (size_t)n);
		ch->bytes_in += (uint64_t)n;
		any = true;
	}
	if (ch->in_eof && !ch->held && !ch->in_shut && !ch->tty) {
		shutdown(ch->fd, SHUT_WR);
		ch->in_shut = true;
	}
	return any;
}

static bool
wants_bytes(const struct channel *ch)
{
	if (ch->fd < 0 || ch->eof)
		return false;
	if (ch->have_code)
		return buf_room(&ch->raw) >= STREAM_READ;
	if (ch->suspect)
		return buf_len(&ch->raw) + STREAM_READ <= DRAIN_MAX;
	return buf_len(&ch->raw) == 0 && !(ssh_get_status(ch->conn->ssh) & SSH_WRITE_PENDING);
}

static bool
pump_out(struct channel *ch)
{
	uint8_t *room;
	ssize_t n;

	if (!ch->readable || !wants_bytes(ch) ||
	    (room = buf_reserve(&ch->raw, STREAM_READ)) == NULL)
		return false;
	n = recv(ch->fd, room, STREAM_READ, 0);
	ch->readable = n == STREAM_READ; /* else poll() will tell */
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		ch->eof = true;
		return true;
	}
	buf_commit(&ch->raw, (size_t)n);
	if (ch->record != NULL)
		record_output(ch->record, now_mono_ms(), room, (size_t)n);
	timers_active(ch->conn);
	return true;
}

/*
 * At the end of the stream at once, and again while the process goes on
 * without its output; before it, while the client's window stays shut.
 */
static bool
status_due(const struct channel *ch, int64_t now)
{
	if (ch->have_code || ch->status_request != 0 || ch->mux != NULL)
		return false;
	if (ch->eof)
		return !ch->asked_at_eof || now - ch->asked >= ch->ask_again;
	return ch->blocked != 0 && ch->readable && now - ch->blocked >= BLOCKED_MS &&
	    now - ch->asked >= BLOCKED_AGAIN_MS;
}

/* Asked because the client takes nothing, and not answered yet. */
static bool
in_doubt(const struct channel *ch)
{
	return ch->status_request != 0 && ch->blocked != 0 && !ch->eof &&
	    ch->conn->nchannels <= DRAIN_CHANNELS;
}

static void
ended(struct channel *ch)
{
	char code[16], how[2 * sizeof(ch->name)];

	snprintf(code, sizeof(code), "%u", ch->code);
	relay_detach(ch, "exit");
	if (!ch->tty && !demux_at_boundary(&ch->demux))
		chan_words(ch, W_STREAM_BROKEN, NULL, NULL, NULL);
	if (!ch->menu) {
		if (ch->unknown)
			chan_words(ch, W_STATUS_UNKNOWN, NULL, NULL, NULL);
		chan_end(ch, ch->code);
		ch->died_of = relay_died_of(ch);
		return;
	}
	words(how, sizeof(how), ch->unknown ? W_ENDED_UNKNOWN : W_ENDED, ch->name, code, NULL);
	chan_say(ch, how);
	chan_say(ch, "\n\n");
	front_back(ch, how);
}

/* Who wants a terminal recorded does not want one that is not: it ends with its recording. */
static bool
unrecorded(struct channel *ch, int64_t now)
{
	char how[MAX_REASON];
	enum record_state state = ch->record != NULL ? record_work(ch->record, now) : RECORD_WELL;

	if (state == RECORD_WELL)
		return false;
	buf_reset(&ch->raw);
	ch->slice = 0;
	relay_detach(ch, state == RECORD_FULL ? "recording full" : "recording failed");
	words(how, sizeof(how), state == RECORD_FULL ? W_RECORDING_FULL : W_RECORDING_FAILED, NULL,
	    NULL, NULL);
	chan_say(ch, how);
	if (ch->menu)
		front_back(ch, how);
	else
		chan_end(ch, -JB_UNAVAILABLE);
	return true;
}

bool
relay_work(struct channel *ch, int64_t now)
{
	bool any = false;

	tell_size(ch);
	if (ch->state == CH_CONNECTING)
		return connecting(ch);
	ch->suspect = in_doubt(ch) && now - ch->asked >= ANSWER_MS;
	any |= pump_in(ch);
	any |= pump_out(ch);
	if (ch->mux != NULL)
		carry_granted(ch);
	if (unrecorded(ch, now))
		return true;
	if (status_due(ch, now))
		ask_status(ch, now);
	if (ch->eof && ch->have_code && buf_len(&ch->raw) == 0) {
		ended(ch);
		any = true;
	}
	return any;
}

/* When a slow reader or the end of the stream is worth a question. */
static int64_t
status_at(const struct channel *ch)
{
	int64_t at = 0;

	if (in_doubt(ch) && !ch->suspect)
		return ch->asked + ANSWER_MS;
	if (ch->have_code || ch->status_request != 0 || ch->mux != NULL)
		return 0;
	if (ch->eof)
		return ch->asked_at_eof ? ch->asked + ch->ask_again : 1;
	if (ch->blocked != 0 && ch->readable) {
		at = ch->blocked + BLOCKED_MS;
		if (at < ch->asked + BLOCKED_AGAIN_MS)
			at = ch->asked + BLOCKED_AGAIN_MS;
	}
	return at;
}

int64_t
relay_deadline(const struct channel *ch)
{
	return sooner(status_at(ch), ch->record != NULL ? record_deadline(ch->record) : 0);
}

short
relay_events(const struct channel *ch)
{
	short events = 0;

	if (ch->fd < 0)
		return 0;
	if (wants_bytes(ch) || (ch->blocked != 0 && !ch->readable && !ch->eof))
		events |= POLLIN;
	if (buf_len(&ch->in) > 0)
		events |= POLLOUT;
	return events;
}
