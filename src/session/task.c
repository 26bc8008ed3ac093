/*
 * One thing that a command or the plain menu asks the broker for, apart from
 * a shell: sent, answered, given up.  What is special to logs and to figures
 * is in task_logs.c and task_top.c.  jumpbox-session.
 */
#include "task_parts.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "ui_details.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- its life ----------------------------------------------------------------- */

struct task *
task_new(struct channel *ch, const struct task_kind *kind)
{
	struct task *t;

	task_free(ch);
	t = ch->task = xcalloc(1, sizeof(*t));
	t->kind = kind;
	ch->state = CH_TASK;
	return t;
}

void
task_cancel(uint32_t request)
{
	struct msg m;

	msg_init(&m, REQ_CANCEL, link_id());
	msg_put_u32(&m, request);
	link_send(&m);
}

void
task_free(struct channel *ch)
{
	struct task *t = ch->task;

	if (t == NULL)
		return;
	ch->task = NULL;
	if (t->open)
		task_cancel(t->request);
	if (t->kind->release != NULL)
		t->kind->release(t);
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
	table_release(&t->table);
	free(t);
}

void
task_over(struct channel *ch, uint32_t code, const char *said)
{
	task_free(ch);
	if (ch->menu)
		front_resume(ch, said);
	else
		chan_end(ch, code);
}

void
task_done(struct channel *ch, uint32_t code)
{
	task_over(ch, code, NULL);
}

void
task_failed(struct channel *ch, uint32_t code, const char *reason)
{
	chan_reason(ch, reason);
	task_over(ch, code, reason);
}

void
task_send(struct channel *ch, struct msg *m)
{
	ch->task->request = m->id;
	ch->task->open = ch->task->kind->action;
	link_send(m);
}

void
task_malformed(const struct msg *m)
{
	fatal(JB_INTERNAL, "the broker's answer %u is malformed", m->type);
}

bool
task_good(struct channel *ch, struct msg *m, char why[static MAX_REASON + 1], uint32_t *code)
{
	ch->task->open = false;
	*code = msg_get_u32(m);
	msg_get_str(m, why, MAX_REASON + 1);
	return *code == 0;
}

static void
print(struct channel *ch, const struct buf *out)
{
	chan_out(ch, buf_ptr(out), buf_len(out));
}

/* ---- details -------------------------------------------------------------------- */

void
task_take_details(struct msg *m, struct ui_details *d)
{
	uint32_t n = msg_get_u32(m);

	d->row = xcalloc((size_t)(n < MSG_MAX ? n : 0) + 1, sizeof(*d->row));
	for (d->n = 0; d->n < n && !m->bad; d->n++) {
		d->row[d->n].key = msg_get_u32(m);
		d->row[d->n].value = msg_dup_str(m, DETAIL_MAX);
	}
}

static void
details_answer(struct channel *ch, struct msg *m)
{
	struct ui_details d = { 0 };
	char why[MAX_REASON + 1];
	uint32_t code;
	struct buf out;
	bool good = task_good(ch, m, why, &code);

	task_take_details(m, &d);
	if (!msg_end(m))
		task_malformed(m);
	if (!good) {
		ui_details_release(&d);
		task_failed(ch, code, why);
		return;
	}
	buf_init(&out, SAY_MAX);
	if (ch->task->json)
		ui_details_json(&d, &out);
	else
		ui_details_text(&d, &out);
	print(ch, &out);
	buf_release(&out);
	ui_details_release(&d);
	task_done(ch, 0);
}

static const struct task_kind details_kind = { REP_DETAILS, true, details_answer, NULL, NULL, NULL,
	NULL };

void
task_details(struct channel *ch, uint64_t ref, bool json)
{
	struct msg m;

	task_new(ch, &details_kind)->json = json;
	msg_init(&m, REQ_DETAILS, link_id());
	msg_put_u64(&m, ref);
	task_send(ch, &m);
}

/* ---- power, changes ---------------------------------------------------------------- */

/* What was done is what is said; a menu says it like everything else. */
static void
said_answer(struct channel *ch, struct msg *m)
{
	char why[MAX_REASON + 1], safe[4 * MAX_REASON], text[5 * MAX_REASON];
	uint32_t code;
	bool good = task_good(ch, m, why, &code);

	if (!msg_end(m))
		task_malformed(m);
	if (!good) {
		task_failed(ch, code, why);
		return;
	}
	words(text, sizeof(text), W_SAID, text_safe(safe, sizeof(safe), why), NULL, NULL);
	chan_out(ch, text, strlen(text));
	task_done(ch, 0);
}

static const struct task_kind power_kind = { REP_POWER, true, said_answer, NULL, NULL, NULL, NULL };
static const struct task_kind change_kind = { REP_CHANGE, false, said_answer, NULL, NULL, NULL,
	NULL };

void
task_power(struct channel *ch, uint64_t ref, enum power what)
{
	struct msg m;

	task_new(ch, &power_kind);
	msg_init(&m, REQ_POWER, link_id());
	msg_put_u64(&m, ref);
	msg_put_u32(&m, what);
	task_send(ch, &m);
}

void
task_change(struct channel *ch, enum change_what what, const char *arg, const char *text)
{
	struct msg m;

	task_new(ch, &change_kind);
	msg_init(&m, REQ_CHANGE, link_id());
	msg_put_u32(&m, what);
	msg_put_str(&m, arg);
	msg_put_str(&m, text);
	task_send(ch, &m);
}

/* ---- queries --------------------------------------------------------------------------- */

uint32_t
task_ask_rows(enum query what, uint32_t offset)
{
	uint32_t id = link_id();
	struct msg m;

	msg_init(&m, REQ_QUERY, id);
	msg_put_u32(&m, what);
	msg_put_u32(&m, offset);
	link_send(&m);
	return id;
}

uint32_t
task_take_rows(struct msg *m, struct table *t)
{
	uint32_t total = msg_get_u32(m), offset = msg_get_u32(m), ncols = msg_get_u32(m);
	uint32_t n = msg_get_u32(m);

	if (n > QUERY_PAGE || ncols > QUERY_COLS)
		task_malformed(m);
	for (uint32_t i = 0; i < n * ncols && !m->bad; i++)
		table_add(t, msg_dup_str(m, QUERY_CELL));
	return n == QUERY_PAGE && offset + n < total ? offset + n : 0;
}

static void
query_answer(struct channel *ch, struct msg *m)
{
	struct task *t = ch->task;
	char why[MAX_REASON + 1];
	uint32_t code, next;
	struct buf out;
	bool good = task_good(ch, m, why, &code);

	next = task_take_rows(m, &t->table);
	if (!msg_end(m))
		task_malformed(m);
	if (!good) {
		task_failed(ch, code, why);
		return;
	}
	if (next != 0) {
		t->request = task_ask_rows(t->what, next);
		return;
	}
	buf_init(&out, SAY_MAX);
	if (t->json)
		table_json(&t->table, &out);
	else
		table_text(&t->table, &out);
	print(ch, &out);
	buf_release(&out);
	task_done(ch, 0);
}

static const struct task_kind query_kind = { REP_QUERY, false, query_answer, NULL, NULL, NULL,
	NULL };

void
task_query(struct channel *ch, enum query what, bool json)
{
	struct task *t = task_new(ch, &query_kind);

	t->json = json;
	t->what = what;
	table_init(&t->table, table_kind_of(what));
	t->request = task_ask_rows(what, 0);
}

/* ---- for the loop ------------------------------------------------------------------------ */

bool
task_answer(struct channel *ch, struct msg *m)
{
	struct task *t = ch->task;

	if (t == NULL)
		return false;
	if (t->kind->event != NULL && t->kind->event(ch, m))
		return true;
	if (m->type != t->kind->reply || m->id != t->request)
		return false;
	t->kind->answer(ch, m);
	return true;
}

bool
task_detached(struct channel *ch, uint32_t request, uint32_t code, const char *reason)
{
	struct task *t = ch->task;

	if (t == NULL)
		return false;
	if (t->kind == &task_top_kind)
		return task_top_detached(ch, request, code, reason);
	if (!t->open || t->request != request)
		return false;
	task_failed(ch, code, reason);
	return true;
}

/* Ctrl-C gives up; what was typed with it goes, too. */
static bool
given_up(struct channel *ch)
{
	if (!ch->tty || buf_len(&ch->in) == 0 ||
	    memchr(buf_ptr(&ch->in), 3, buf_len(&ch->in)) == NULL)
		return false;
	buf_reset(&ch->in);
	return true;
}

bool
task_work(struct channel *ch, int64_t now)
{
	struct task *t = ch->task;

	if (t->play == NULL && given_up(ch)) { /* a player has keys of its own */
		chan_say(ch, "^C\n");
		task_done(ch, t->interrupted);
		return true;
	}
	return t->kind->work != NULL && t->kind->work(ch, now);
}

int64_t
task_deadline(const struct channel *ch)
{
	return ch->task->kind->deadline != NULL ? ch->task->kind->deadline(ch) : 0;
}

short
task_events(const struct channel *ch)
{
	return ch->fd >= 0 && task_logs_room(ch) ? POLLIN : 0;
}
