/*
 * Can a terminal be recorded, and what was recorded be seen, and by nobody
 * else: the directory of recordings, its mode and its files', how much there
 * is and how much more there could be.  jumpboxctl, as the owner of the
 * database, who makes them.
 */
#include "recording_check.h"

#include "jumpbox/recordings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_SHOWN = 128 };

struct tally {
	long long files, live, bytes, wrong;
	char first[RECORDING_NAME + 64]; /* of those that are wrong, and why */
};

/* What is wrong with it; NULL: nothing is. */
static const char *
file_flaw(int fd, const struct stat *st)
{
	if (fd < 0)
		return strerror(errno);
	if (!S_ISREG(st->st_mode))
		return "it is no file";
	if (st->st_uid != geteuid())
		return "it belongs to somebody else";
	return (st->st_mode & 077) != 0 ? "others may read it" : NULL;
}

static void
count(int dir, const char *name, void *arg)
{
	struct tally *t = arg;
	struct stat st = { 0 };
	const char *wrong;
	int fd = recording_open(dir, name);

	if (fd < 0 && errno == ENOENT) /* it has just been removed */
		return;
	wrong = fd >= 0 && fstat(fd, &st) < 0 ? strerror(errno) : file_flaw(fd, &st);
	if (wrong != NULL && t->wrong++ == 0)
		snprintf(t->first, sizeof(t->first), "%.63s: %.60s", name, wrong);
	t->files++;
	t->bytes += st.st_size;
	if (fd < 0)
		return;
	t->live += recording_live(fd);
	close(fd);
}

/* What is wrong with the directory; NULL: nothing is. */
static const char *
flaw(int dir)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return strerror(errno);
	if (st.st_uid != geteuid())
		return "it belongs to somebody else: chown it to the owner of the database";
	if ((st.st_mode & 077) != 0)
		return "others may look into it: chmod 700";
	return faccessat(dir, ".", W_OK | X_OK, 0) < 0 ? "it cannot be written to: chmod 700"
						       : NULL;
}

int
recording_check(const struct config *c, struct errtext *e)
{
	const char *on = c->recording ? "on" : "off", *wrong;
	struct tally t = { 0 };
	char path[PATH_SHOWN], most[32] = "";
	struct statvfs fs;
	int dir = recordings_open_dir(c->database, false);
	long long room;

	recordings_path(c->database, path, sizeof(path));
	if (dir < 0 && errno == ENOENT) {
		err_set(e, 0, "configured %s; none yet", on);
		return 0;
	}
	wrong = dir < 0 ? strerror(errno) : flaw(dir);
	if (wrong == NULL && (fstatvfs(dir, &fs) < 0 || recordings_each(dir, count, &t) < 0))
		wrong = strerror(errno);
	if (dir >= 0)
		close(dir);
	if (wrong != NULL)
		return err_set(e, JB_UNAVAILABLE, "%s: %s", path, wrong);
	room = (long long)fs.f_bavail * (long long)fs.f_frsize;
	if (room < RECORDINGS_FREE_LEAST)
		return err_set(e, JB_UNAVAILABLE,
		    "%s: the disk is full, so that terminals that have to be recorded are refused",
		    path);
	if (t.wrong > 0)
		return err_set(e, JB_UNAVAILABLE,
		    "%s: %lld of %lld files are not for the owner of the database alone "
		    "(%s): chown, chmod 600",
		    path, t.wrong, t.files, t.first);
	if (c->recording_max_total > 0)
		snprintf(most, sizeof(most), " of at most %d", (int)c->recording_max_total);
	err_set(e, 0, "configured %s; %lld files, %lld%s MiB; %lld being made; %lld MiB free", on,
	    t.files, t.bytes >> 20, most, t.live, room >> 20);
	return 0;
}
