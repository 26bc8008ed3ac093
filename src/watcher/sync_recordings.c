/*
 * Recordings reach the disk: what was written to them is synced every five
 * seconds, so that a machine that crashes loses no more of them than that.
 * jumpbox-watcher, the database's.
 *
 * A disk may take its time, so a child waits for it, and while it does no
 * other one is begun.  The session does not sync: all its channels would wait.
 */
#include "sync_recordings.h"

#include "jumpbox/recordings.h"
#include "jumpbox/util.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVERY_MS = 5000, KERNEL_S = 60 }; /* what is older the kernel has written by itself */

static void
sync_one(int dir, const char *name, void *arg)
{
	const int64_t *since = arg;
	int fd = recording_open(dir, name);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_mtime >= *since)
		fdatasync(fd); /* nobody could do anything about a failure */
	close(fd);
}

static int
note_live(const struct attach *a, void *arg)
{
	if (a->recording != NULL)
		*(bool *)arg = true;
	return 0;
}

/* A recording that was begun and has ended meanwhile shows there alone. */
static bool
changed(int dir, int64_t since)
{
	struct stat st;

	return fstat(dir, &st) == 0 && st.st_mtime >= since;
}

int
sync_recordings(struct sync_recordings *s, const struct config *c, struct store *st)
{
	int64_t now = now_mono_ms(), begun = now_unix() - 1;
	bool live = false;
	int dir, rc;

	if (s->child != 0 && waitpid(s->child, NULL, WNOHANG) != 0)
		s->child = 0;
	if (now < s->due || s->child != 0)
		return 0;
	s->due = now + EVERY_MS;
	if (s->since == 0)
		s->since = begun - KERNEL_S;
	if ((rc = attach_each_open(st, 0, note_live, &live)) != 0)
		return rc;
	if ((dir = recordings_open_dir(c->database, false)) < 0)
		return 0;
	if ((live || s->live || changed(dir, s->since)) && (s->child = fork()) == 0) {
		recordings_each(dir, sync_one, &s->since);
		fsync(dir); /* the names are the directory's */
		_exit(0);
	}
	close(dir);
	if (s->child < 0) { /* no room for one now */
		s->child = 0;
		return 0;
	}
	s->live = live;
	s->since = begun;
	return 0;
}
