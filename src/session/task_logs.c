/*
 * Logs: read from the descriptor that the broker passed, taken out of their
 * frames and made safe.  Both of a container's outputs go to one, in order.
 * The engine takes an end of our half for an end of interest: it stays open.
 * jumpbox-session.
 */
#include "task_parts.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

enum { LOG_READ = 32 * 1024, LOG_WAITING = 256 * 1024 };

bool
task_logs_room(const struct channel *ch)
{
	return buf_len(&ch->say) < LOG_WAITING;
}

static void
logs_answer(struct channel *ch, struct msg *m)
{
	struct task *t = ch->task;
	char why[MAX_REASON + 1];
	uint32_t code;
	bool good = task_good(ch, m, why, &code);

	log_stream_init(&t->logs, msg_get_u32(m) != 0);
	if (good)
		ch->fd = msg_take_fd(m);
	if (!msg_end(m) || (good && ch->fd < 0))
		task_malformed(m);
	if (!good) {
		task_failed(ch, code, why);
		return;
	}
	set_nonblock(ch->fd, true);
	ch->readable = true;
	t->open = true;
}

static void
over(struct channel *ch, bool whole)
{
	struct task *t = ch->task;
	struct buf out;

	buf_init(&out, SAY_MAX);
	whole &= log_stream_end(&t->logs, &out);
	chan_out(ch, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	if (!whole) {
		chan_words(ch, W_STREAM_BROKEN, NULL, NULL, NULL);
		task_done(ch, -JB_UNAVAILABLE);
	} else {
		task_done(ch, 0);
	}
}

static bool
logs_work(struct channel *ch, int64_t now)
{
	uint8_t bytes[LOG_READ];
	struct buf out;
	ssize_t n;
	bool good;

	(void)now;
	if (ch->unread) {
		task_done(ch, 128 + SIGPIPE);
		return true;
	}
	if (ch->fd < 0 || !ch->readable || !task_logs_room(ch))
		return false;
	n = recv(ch->fd, bytes, sizeof(bytes), 0);
	ch->readable = n == (ssize_t)sizeof(bytes); /* else poll() will tell */
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		over(ch, n == 0);
		return true;
	}
	timers_active(ch->conn);
	buf_init(&out, SAY_MAX);
	good = log_stream_add(&ch->task->logs, bytes, (size_t)n, &out);
	chan_out(ch, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	if (!good)
		over(ch, false);
	return true;
}

static const struct task_kind logs_kind = { REP_LOGS, true, logs_answer, NULL, logs_work, NULL,
	NULL };

void
task_logs(struct channel *ch, uint64_t ref, unsigned tail, bool follow)
{
	struct msg m;

	task_new(ch, &logs_kind);
	msg_init(&m, REQ_LOGS, link_id());
	msg_put_u64(&m, ref);
	msg_put_u32(&m, tail);
	msg_put_u32(&m, follow);
	task_send(ch, &m);
}
