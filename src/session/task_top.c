/*
 * Figures of one or several containers: once, when all have come, or again
 * and again.  They are lines below each other, whatever the terminal: a slow
 * line and a screen reader follow them.  jumpbox-session.
 */
#include "task_parts.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIRST_MS = 10000, /* for the first figures of all of them */
	NEXT_MS = 1500,	  /* for all of them to have others */
	MANY_MS = 5000,	  /* between tables of several */
	HEAD_EVERY = 20,  /* lines of one */
	NAME_WIDTH = 32,
};

static const struct task_kind *const kind = &task_top_kind;

void
task_top_add(struct channel *ch, uint64_t ref, const char *name)
{
	struct task *t = ch->task != NULL && ch->task->kind == kind ? ch->task : task_new(ch, kind);
	struct figure *f;

	if (t->nfigures == TOP_MOST)
		return;
	t->figure = xreallocarray(t->figure, t->nfigures + 1, sizeof(*t->figure));
	f = &t->figure[t->nfigures++];
	*f = (struct figure){ .ref = ref };
	memcpy(f->name, name, text_cut(name, sizeof(f->name) - 1));
}

void
task_top(struct channel *ch, bool json, bool live)
{
	struct task *t = ch->task != NULL && ch->task->kind == kind ? ch->task : task_new(ch, kind);
	struct msg m;

	t->json = json;
	t->live = live;
	t->show_at = now_mono_ms() + FIRST_MS;
	for (size_t i = 0; i < t->nfigures; i++) {
		t->figure[i].request = link_id();
		msg_init(&m, REQ_STATS, t->figure[i].request);
		msg_put_u64(&m, t->figure[i].ref);
		link_send(&m);
	}
}

static void
release(struct task *t)
{
	for (size_t i = 0; i < t->nfigures; i++)
		if (t->figure[i].request != 0 && !t->figure[i].over)
			task_cancel(t->figure[i].request);
	free(t->figure);
}

/* ---- what comes ------------------------------------------------------------------- */

static struct figure *
find(struct task *t, uint32_t request)
{
	for (size_t i = 0; i < t->nfigures; i++)
		if (t->figure[i].request == request && !t->figure[i].over)
			return &t->figure[i];
	return NULL;
}

static void
lose(struct channel *ch, struct figure *f, uint32_t code, const char *reason)
{
	f->over = true;
	f->code = code;
	if (ch->task->nfigures == 1)
		task_failed(ch, code, reason);
}

void
task_take_stats(struct msg *m, struct ui_stats *s)
{
	s->cpu = msg_get_u64(m);
	s->mem = msg_get_u64(m);
	s->mem_limit = msg_get_u64(m);
	s->net_rx = msg_get_u64(m);
	s->net_tx = msg_get_u64(m);
	s->blk_read = msg_get_u64(m);
	s->blk_write = msg_get_u64(m);
	s->pids = msg_get_u32(m);
}

static bool
event(struct channel *ch, struct msg *m)
{
	char why[MAX_REASON + 1], name[sizeof(((struct figure *)0)->name)];
	struct figure *f;
	uint32_t code;

	if (m->type == EVT_STATS) {
		if ((f = find(ch->task, msg_get_u32(m))) == NULL) {
			m->pos = MSG_HEADER; /* another channel's */
			return false;
		}
		f->have = true;
		task_take_stats(m, &f->s);
		if (!msg_end(m))
			task_malformed(m);
		return true;
	}
	if (m->type != REP_STATS || (f = find(ch->task, m->id)) == NULL)
		return false;
	code = msg_get_u32(m);
	msg_get_str(m, why, sizeof(why));
	msg_get_str(m, name, sizeof(name));
	if (!msg_end(m))
		task_malformed(m);
	if (code == 0) /* what was asked for may have been the beginning of it */
		str_copy(f->name, sizeof(f->name), name);
	else
		lose(ch, f, code, why);
	return true;
}

bool
task_top_detached(struct channel *ch, uint32_t request, uint32_t code, const char *reason)
{
	struct figure *f = find(ch->task, request);

	if (f == NULL)
		return false;
	lose(ch, f, code, reason);
	return true;
}

/* ---- showing it ----------------------------------------------------------------------- */

static bool
complete(const struct task *t)
{
	for (size_t i = 0; i < t->nfigures; i++)
		if (!t->figure[i].have && !t->figure[i].over)
			return false;
	return true;
}

static void
put_json(const struct task *t, struct buf *out)
{
	const char *before = "[\n";

	for (size_t i = 0; i < t->nfigures; i++) {
		if (!t->figure[i].have)
			continue;
		buf_add(out, before, strlen(before));
		ui_stats_json(t->figure[i].name, &t->figure[i].s, out);
		before = ",\n";
	}
	buf_add(out, before[0] == '[' ? "[" : "", before[0] == '[' ? 1 : 0);
	buf_add(out, "\n]\n", 3);
}

static void
put_text(const struct task *t, struct buf *out)
{
	char safe[4 * NAME_WIDTH + 160];
	size_t width = 4, w;

	for (size_t i = 0; i < t->nfigures; i++) {
		w = text_width(text_safe(safe, sizeof(safe), t->figure[i].name));
		w = w > NAME_WIDTH ? NAME_WIDTH : w;
		width = w > width ? w : width;
	}
	if (t->nfigures > 1 || t->shown % HEAD_EVERY == 0)
		ui_stats_head(width, out);
	for (size_t i = 0; i < t->nfigures; i++)
		ui_stats_line(
		    t->figure[i].name, t->figure[i].have ? &t->figure[i].s : NULL, width, out);
}

static bool
work(struct channel *ch, int64_t now)
{
	struct task *t = ch->task;
	struct buf out;

	if (now < t->show_at && !(complete(t) && (t->shown == 0 || t->nfigures == 1)))
		return false;
	if (t->shown > 0 && t->nfigures == 1 && !complete(t)) /* nothing new */
		return false;
	buf_init(&out, SAY_MAX);
	if (t->json)
		put_json(t, &out);
	else
		put_text(t, &out);
	chan_out(ch, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	timers_active(ch->conn);
	t->shown++;
	t->show_at = now + (t->nfigures > 1 ? MANY_MS : NEXT_MS);
	for (size_t i = 0; i < t->nfigures; i++)
		t->figure[i].have = false;
	if (!t->live)
		task_done(ch, 0);
	return true;
}

static int64_t
deadline(const struct channel *ch)
{
	const struct task *t = ch->task;

	return t->nfigures > 1 || t->shown == 0 ? t->show_at : 0;
}

const struct task_kind task_top_kind = { REP_STATS, true, NULL, event, work, deadline, release };
