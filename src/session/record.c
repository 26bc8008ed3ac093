/*
 * The recording of one terminal: events wait in memory and go to the file in
 * gzip members, each complete and in one write, so that a process that is
 * killed loses what waited and no more.  jumpbox-session.
 *
 * The file was opened by the broker, which wrote its first line; its
 * descriptor can only add to the end, and the sandbox allows nothing else.
 */
#include "record.h"

#include "jumpbox/cast.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WAIT_MS = 700, /* well within the second that may be lost, also where the machine is busy */
	TEXT_FULL = 256 * 1024, /* so much does not wait */
	NOTE_ROOM = 512,	/* of the file, for the note at its end */
};

struct record {
	int fd;
	bool with_input;
	enum record_state state;
	int64_t started, since; /* since: the oldest of what waits; 0: nothing does */
	uint64_t size, most;	/* of the file */
	struct cast_text out, in;
	struct buf text;
};

struct record *
record_new(int fd, const struct config *cfg, int64_t now)
{
	struct record *r = xcalloc(1, sizeof(*r));
	struct stat st;

	r->fd = fd;
	r->with_input = cfg->recording_input != 0;
	r->started = now;
	r->most = (uint64_t)cfg->recording_max_size << 20;
	r->size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : r->most;
	r->out.kind = CAST_OUTPUT;
	r->in.kind = CAST_INPUT;
	buf_init(&r->text, TEXT_FULL + CAST_EVENT_ROOM);
	return r;
}

/* ---- to the file ----------------------------------------------------------- */

static void
write_member(struct record *r, const struct buf *member)
{
	size_t n = buf_len(member);

	/* A part of it is as good as nothing: it means a full disk, or the limit of the process. */
	if (write(r->fd, buf_ptr(member), n) != (ssize_t)n)
		r->state = RECORD_FAILED;
	r->size += n;
}

static void
write_note(struct record *r)
{
	static const char note[] =
	    "\r\n[jumpbox: the recording ends here: it has reached recording-max-size]\r\n";
	struct buf member;

	buf_reset(&r->text);
	buf_init(&member, NOTE_ROOM);
	r->out.npart = 0;
	cast_put_text(&r->text, now_mono_ms() - r->started, &r->out, note, sizeof(note) - 1);
	if (cast_member(&member, buf_ptr(&r->text), buf_len(&r->text)) == 0)
		write_member(r, &member);
	buf_release(&member);
	if (r->state == RECORD_WELL)
		r->state = RECORD_FULL;
}

static void
flush(struct record *r)
{
	struct buf member;

	buf_init(&member, 2 * (size_t)(TEXT_FULL + CAST_EVENT_ROOM));
	if (cast_member(&member, buf_ptr(&r->text), buf_len(&r->text)) != 0)
		r->state = RECORD_FAILED;
	else if (r->size + buf_len(&member) + NOTE_ROOM > r->most)
		write_note(r);
	else
		write_member(r, &member);
	buf_release(&member);
	buf_reset(&r->text);
	r->since = 0;
}

/* ---- what passes ------------------------------------------------------------- */

static void
waits(struct record *r, int64_t now)
{
	if (r->since == 0)
		r->since = now;
	if (buf_len(&r->text) >= TEXT_FULL)
		flush(r);
}

static void
stream(struct record *r, int64_t now, struct cast_text *t, const uint8_t *p, size_t n)
{
	size_t part;

	for (; n > 0 && r->state == RECORD_WELL; p += part, n -= part) {
		part = n < CAST_TAKES ? n : CAST_TAKES;
		cast_put_text(&r->text, now - r->started, t, p, part);
		waits(r, now);
	}
}

void
record_output(struct record *r, int64_t now, const void *p, size_t n)
{
	stream(r, now, &r->out, p, n);
}

void
record_input(struct record *r, int64_t now, const void *p, size_t n)
{
	if (r->with_input)
		stream(r, now, &r->in, p, n);
}

void
record_size(struct record *r, int64_t now, unsigned cols, unsigned rows)
{
	if (r->state != RECORD_WELL)
		return;
	cast_put_size(&r->text, now - r->started, cols, rows);
	waits(r, now);
}

/* ---- time ---------------------------------------------------------------------- */

int64_t
record_deadline(const struct record *r)
{
	return r->since != 0 && r->state == RECORD_WELL ? r->since + WAIT_MS : 0;
}

enum record_state
record_work(struct record *r, int64_t now)
{
	if (due(record_deadline(r), now)) {
		flush(r);
		buf_release(&r->text); /* it may be quiet from now on */
	}
	return r->state;
}

void
record_end(struct record *r)
{
	if (r == NULL)
		return;
	if (r->since != 0 && r->state == RECORD_WELL)
		flush(r);
	buf_release(&r->text);
	close(r->fd);
	free(r);
}
