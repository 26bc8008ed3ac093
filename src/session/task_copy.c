/*
 * Files from one container to another: a channel of a helper at each end, and
 * between them what the one reads and the other writes, which nobody here looks
 * at.  What is on its way is bounded by the window of the one that reads: it is
 * given more when the other has taken it.  jumpbox-session.
 *
 *	the one that reads is opened ──► the one that writes ──► bytes, until that one ends
 *
 * One after the other: so a container that is both has one helper.
 */
#include "mux_client.h"
#include "task_parts.h"

#include "jumpbox/policy.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX = 1100, SAFE_MAX = 1900, SAID_WAITING = 256 * 1024, INTERRUPTED = 130 };

struct copying {
	struct channel *ch;
	struct copy_end from, to;
	struct mux_chan *reader, *writer; /* NULL: not yet, or over */
	bool readonly;			  /* the reader was asked for so */
	bool writing;			  /* the writer is open */
	bool read_all, told_all;	  /* the reader has said all, and the writer was told */
	bool over;
	uint32_t code; /* then: the exit status */
	char why[MAX_REASON + 1];
	bool exited;
	struct buf held; /* of the reader, for the writer */
	struct buf line; /* of the writer, for the user, until it is whole */
	size_t owed;	 /* bytes of such lines that the writer may send again */
};

/* The first reason counts. */
static void
over(struct copying *c, uint32_t code, const char *why)
{
	if (c->over)
		return;
	c->over = true;
	c->code = code;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

static void
over_with(struct copying *c, enum word why)
{
	char text[MAX_REASON + 1];

	over(c, (uint32_t)-JB_TRY_AGAIN, words(text, sizeof(text), why, NULL, NULL, NULL));
}

/* Passes on as much as the writer takes now, which the reader may send again: how much. */
static size_t
pass(struct copying *c, const uint8_t *p, size_t n)
{
	size_t done = 0, took;

	if (!c->writing || c->writer == NULL)
		return 0;
	while (done < n && (took = mux_send(c->writer, p + done, n - done)) > 0)
		done += took;
	if (c->reader != NULL)
		mux_grant(c->reader, done);
	return done;
}

static bool
pump(struct copying *c)
{
	size_t n = pass(c, buf_ptr(&c->held), buf_len(&c->held));

	buf_consume(&c->held, n);
	if (c->read_all && !c->told_all && buf_len(&c->held) == 0 && c->writer != NULL)
		c->told_all = mux_eof(c->writer);
	return n > 0;
}

/* ---- what the user is told --------------------------------------------------- */

/* "sPATH: reason" or "dPATH: reason", of the container that is read or written. */
static void
say_line(struct copying *c)
{
	const char *line = (const char *)buf_ptr(&c->line);
	const struct copy_end *end = line[0] == 's' ? &c->from : &c->to;
	char text[LINE_MAX + 300], safe[SAFE_MAX];

	if (buf_len(&c->line) == 0)
		return;
	snprintf(text, sizeof(text), "%s:%.*s", end->name, (int)buf_len(&c->line) - 1, line + 1);
	chan_words(c->ch, W_REASON, text_safe(safe, sizeof(safe), text), NULL, NULL);
	buf_reset(&c->line);
}

static void
on_line(void *owner, const void *p, size_t n)
{
	struct copying *c = owner;

	for (const char *s = p; n > 0; s++, n--) {
		c->owed++;
		if (*s == '\n' || buf_len(&c->line) == LINE_MAX)
			say_line(c);
		if (*s != '\n')
			buf_add(&c->line, s, 1);
	}
}

/* ---- the one that writes ------------------------------------------------------ */

static void
on_writing(void *owner, uint32_t port, const char *path)
{
	struct copying *c = owner;

	(void)port;
	(void)path;
	c->writing = true;
}

static void
on_no_writer(void *owner, uint32_t why, uint32_t code, const char *text)
{
	struct copying *c = owner;

	(void)why;
	c->writer = NULL;
	over(c, code, text);
}

static void
on_nothing(void *owner)
{
	(void)owner;
}

/* What failed it has said. */
static void
on_written(void *owner, uint32_t signal, uint32_t code, bool core)
{
	struct copying *c = owner;

	(void)core;
	say_line(c);
	if (signal != 0 || code > 1)
		over_with(c, W_HELPER_BROKEN);
	else
		over(c, code, "");
}

static void
on_writer_closed(void *owner, uint32_t code, const char *text)
{
	struct copying *c = owner;

	c->writer = NULL;
	if (code != 0)
		over(c, code, text);
	else
		over_with(c, W_HELPER_BROKEN);
}

static const struct mux_events writer_events = {
	.opened = on_writing,
	.failed = on_no_writer,
	.data = on_line,
	.eof = on_nothing,
	.exited = on_written,
	.closed = on_writer_closed,
};

/* ---- the one that reads --------------------------------------------------------- */

static void
on_reading(void *owner, uint32_t port, const char *path)
{
	struct copying *c = owner;
	struct mux_frame first = { .type = MUX_OPEN_COPY,
		.u.copy = {
		    1, mux_str(c->to.path), mux_str(c->from.path), c->from.ref == c->to.ref } };

	(void)port;
	(void)path;
	c->writer = mux_open(c->ch->conn, c->to.ref, PERM_FILES, &first, &writer_events, c);
	if (c->writer == NULL)
		over_with(c, W_HELPER_FULL);
}

static void open_reader(struct copying *c, bool readonly);

/* Whoever may write reads as the same user; whoever may not may perhaps read. */
static void
on_no_reader(void *owner, uint32_t why, uint32_t code, const char *text)
{
	struct copying *c = owner;

	c->reader = NULL;
	if (why == 0 && code == (uint32_t)-JB_DENIED && !c->readonly)
		open_reader(c, true);
	else
		over(c, code, text);
}

static void
on_read(void *owner, const void *p, size_t n)
{
	struct copying *c = owner;
	size_t done = buf_len(&c->held) == 0 ? pass(c, p, n) : 0;

	buf_add(&c->held, (const uint8_t *)p + done, n - done);
}

static void
on_all_read(void *owner)
{
	struct copying *c = owner;

	c->read_all = true;
}

/* Whether all was read the records say. */
static void
on_reader_exited(void *owner, uint32_t signal, uint32_t code, bool core)
{
	(void)owner;
	(void)signal;
	(void)code;
	(void)core;
}

static void
on_reader_closed(void *owner, uint32_t code, const char *text)
{
	struct copying *c = owner;

	c->reader = NULL;
	c->read_all = true;
	if (code != 0)
		over(c, code, text);
}

static const struct mux_events reader_events = {
	.opened = on_reading,
	.failed = on_no_reader,
	.data = on_read,
	.eof = on_all_read,
	.exited = on_reader_exited,
	.closed = on_reader_closed,
};

static void
open_reader(struct copying *c, bool readonly)
{
	struct mux_frame first = { .type = MUX_OPEN_COPY,
		.u.copy = { 0, mux_str(c->from.path), mux_str(""), 0 } };

	c->readonly = readonly;
	c->reader = mux_open(c->ch->conn, c->from.ref, readonly ? PERM_FILES_RO : PERM_FILES,
	    &first, &reader_events, c);
	if (c->reader == NULL)
		over_with(c, W_HELPER_FULL);
}

/* ---- its life --------------------------------------------------------------------- */

static bool
copy_work(struct channel *ch, int64_t now)
{
	struct copying *c = ch->task->copying;
	bool any = pump(c);
	uint32_t code;

	(void)now;
	if (c->writer != NULL && c->owed > 0 && buf_len(&ch->say) < SAID_WAITING) {
		mux_grant(c->writer, c->owed);
		c->owed = 0;
	}
	if (!c->over)
		return any;
	code = c->code;
	if (c->why[0] != '\0')
		chan_reason(ch, c->why);
	task_done(ch, code);
	return true;
}

/* Each end that is open ends with its channel. */
static void
copy_release(struct task *t)
{
	struct copying *c = t->copying;

	if (c->reader != NULL)
		mux_close(c->reader);
	if (c->writer != NULL)
		mux_close(c->writer);
	buf_release(&c->held);
	buf_release(&c->line);
	free(c);
}

static const struct task_kind copy_kind = { .work = copy_work, .release = copy_release };

void
task_copy(struct channel *ch, const struct copy_end *from, const struct copy_end *to)
{
	struct task *t = task_new(ch, &copy_kind);
	struct copying *c = t->copying = xcalloc(1, sizeof(*c));

	t->interrupted = INTERRUPTED;
	c->ch = ch;
	c->from = *from;
	c->to = *to;
	buf_init(&c->held, MUX_WINDOW_START);
	buf_init(&c->line, LINE_MAX);
	open_reader(c, mux_refused(ch->conn, c->from.ref, PERM_FILES));
}
