/*
 * Whether a terminal is recorded, and the birth of its recording.  Broker.
 *
 * Its first line is written here, so that who recorded whom and when is not
 * the session's word; then the session gets the descriptor, which only adds to
 * the end.  Who wants terminals recorded does not want one that is not: where
 * there can be no recording, nothing starts.
 */
#include "attached.h"

#include "jumpbox/cast.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { HEAD_ROOM = 2 * CAST_EVENT_ROOM };

/* The grants', else the node's, else the configuration's. */
static bool
wanted(const struct broker *b, const struct attached *a, const struct verdict *v)
{
	const char *said = v->record != NULL ? v->record : a->exec.node->node->record;

	if (!a->tty)
		return false;
	return said != NULL ? strcmp(said, "on") == 0 : b->cfg->recording != 0;
}

/* As the container's process is told it. */
static const char *
term_of(const struct attached *a)
{
	for (size_t i = 0; a->env != NULL && a->env[i] != NULL; i++)
		if (strncmp(a->env[i], "TERM=", 5) == 0)
			return a->env[i] + 5;
	return NULL;
}

static int
write_head(const struct broker *b, const struct attached *a)
{
	char *title = xasprintf("%s in %s/%s", b->user, a->exec.node->node->name, a->name);
	const struct cast_head head = {
		.cols = a->cols,
		.rows = a->rows,
		.started = now_unix(),
		.term = term_of(a),
		.title = title,
	};
	struct buf line, member;
	int r;

	buf_init(&line, HEAD_ROOM);
	buf_init(&member, HEAD_ROOM);
	r = cast_put_head(&line, &head);
	if (r == 0)
		r = cast_member(&member, buf_ptr(&line), buf_len(&line));
	if (r == 0 &&
	    write(a->recording, buf_ptr(&member), buf_len(&member)) != (ssize_t)buf_len(&member))
		r = JB_UNAVAILABLE;
	buf_release(&line);
	buf_release(&member);
	free(title);
	return r;
}

/* What is wrong with it; NULL: it is made. */
static const char *
create(const struct broker *b, struct attached *a, int dir)
{
	struct statvfs fs;

	if (fstatvfs(dir, &fs) < 0)
		return strerror(errno);
	if ((uint64_t)fs.f_bavail * fs.f_frsize < RECORDINGS_FREE_LEAST)
		return "the disk is full";
	recording_name(a->recording_name, now_unix(), b->session_row, a->id);
	a->recording = recording_create(dir, a->recording_name);
	if (a->recording < 0)
		return strerror(errno);
	return write_head(b, a) == 0 ? NULL : "it cannot be written";
}

static void
drop_file(struct attached *a, int dir)
{
	if (a->recording < 0)
		return;
	close(a->recording);
	a->recording = -1;
	if (dir >= 0)
		unlinkat(dir, a->recording_name, 0);
}

int
recording_begin(
    const struct broker *b, struct attached *a, const struct verdict *v, struct errtext *e)
{
	const char *wrong;
	int dir;

	if (!wanted(b, a, v))
		return 0;
	dir = recordings_open_dir(b->cfg->database, true);
	wrong = dir < 0 ? strerror(errno) : create(b, a, dir);
	if (wrong != NULL)
		drop_file(a, dir);
	if (dir >= 0)
		close(dir);
	if (wrong == NULL)
		return 0;
	log_error("recording.failed", F_STR("user", b->user), F_STR("reason", wrong));
	return err_words(e, JB_UNAVAILABLE, W_RECORDING_IMPOSSIBLE, NULL, NULL, NULL);
}

void
recording_drop(struct broker *b, struct attached *a)
{
	int dir;

	if (a->recording < 0)
		return;
	dir = recordings_open_dir(b->cfg->database, false);
	drop_file(a, dir);
	if (dir >= 0)
		close(dir);
	if (a->row != 0 && broker_store(b) != NULL)
		attach_unrecorded(b->st, a->row);
}
