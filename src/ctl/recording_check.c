/*
 * Can a terminal be recorded: the directory of recordings, its mode, how much
 * there is and how much more there could be.  jumpboxctl, as the owner of the
 * database, who makes them.
 */
#include "recording_check.h"

#include "jumpbox/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_SHOWN = 128 };

struct tally {
	long long files, live, bytes;
};

static void
count_one(struct tally *t, int dir, const char *name)
{
	int fd = recording_name_ok(name) ? recording_open(dir, name) : -1;
	struct stat st;

	if (fd < 0)
		return;
	t->files++;
	t->live += recording_live(fd);
	if (fstat(fd, &st) == 0)
		t->bytes += st.st_size;
	close(fd);
}

/* Takes dir. */
static void
count(int dir, struct tally *t)
{
	DIR *d = fdopendir(dir);
	const struct dirent *entry;

	if (d == NULL) {
		close(dir);
		return;
	}
	while ((entry = readdir(d)) != NULL)
		count_one(t, dir, entry->d_name);
	closedir(d);
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
	char path[PATH_SHOWN];
	struct statvfs fs;
	int dir = recordings_open_dir(c->database, false);
	long long room;

	recordings_path(c->database, path, sizeof(path));
	if (dir < 0 && errno == ENOENT) {
		err_set(e, 0, "configured %s; none yet", on);
		return 0;
	}
	wrong = dir < 0 ? strerror(errno) : flaw(dir);
	if (wrong == NULL && fstatvfs(dir, &fs) < 0)
		wrong = strerror(errno);
	if (wrong != NULL) {
		if (dir >= 0)
			close(dir);
		return err_set(e, JB_UNAVAILABLE, "%s: %s", path, wrong);
	}
	room = (long long)fs.f_bavail * (long long)fs.f_frsize;
	count(dir, &t);
	if (room < RECORDINGS_FREE_LEAST)
		return err_set(e, JB_UNAVAILABLE,
		    "%s: the disk is full, so that terminals that have to be recorded are refused",
		    path);
	err_set(e, 0, "configured %s; %lld files, %lld MiB; %lld being made; %lld MiB free", on,
	    t.files, t.bytes >> 20, t.live, room >> 20);
	return 0;
}
