/*
 * Retention of recordings: by age, and by what all of them take.  The oldest
 * go first; one that is being made stays.  jumpbox-watcher, the database's.
 *
 * Each removal is in the audit before the file goes.
 */
#include "old_recordings.h"

#include "jumpbox/log.h"
#include "jumpbox/recordings.h"
#include "jumpbox/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 50, DAY = 24 * 3600 };

struct file {
	char name[RECORDING_NAME];
	int64_t written, size;
};

struct files {
	struct file *file;
	size_t n, room;
	int64_t total;
};

static void
add(int dir, const char *name, void *arg)
{
	struct files *all = arg;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if (all->n == all->room) {
		all->room = all->room > 0 ? 2 * all->room : 256;
		all->file = xreallocarray(all->file, all->room, sizeof(*all->file));
	}
	str_copy(all->file[all->n].name, RECORDING_NAME, name);
	all->file[all->n].written = st.st_mtime;
	all->file[all->n++].size = st.st_size;
	all->total += st.st_size;
}

/* Names begin with the time. */
static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int
list(int dir, struct files *all)
{
	if (recordings_each(dir, add, all) < 0)
		return -1;
	if (all->n > 0)
		qsort(all->file, all->n, sizeof(*all->file), by_name);
	return 0;
}

static bool
is_live(int dir, const char *name)
{
	int fd = recording_open(dir, name);
	bool live = fd < 0 || recording_live(fd); /* what cannot be looked at stays */

	if (fd >= 0)
		close(fd);
	return live;
}

/* 0, or the database took nothing: then it stays.  *gone: it does not. */
static int
remove_one(struct store *st, int dir, const struct file *f, bool *gone)
{
	const struct actor by = { "retention", "local", 0 };
	/* First, for each try is a row in the audit. */
	int rc = 0, err = faccessat(dir, ".", W_OK | X_OK, 0) < 0 ? errno : 0;

	if (err == 0 && (rc = recording_forget(st, &by, f->name)) == 0 &&
	    unlinkat(dir, f->name, 0) < 0 && errno != ENOENT)
		err = errno;
	*gone = err == 0 && rc == 0;
	if (err != 0)
		log_error("recording.not_removed", F_STR("file", f->name),
		    F_STR("reason", strerror(err)));
	return rc;
}

/* By size not what is empty: it frees nothing, and may be about to be locked. */
static bool
is_due(const struct file *f, int64_t before, bool too_much)
{
	return f->written < before || (too_much && f->size > 0);
}

static int
remove_due(const struct config *c, struct store *st, int dir, struct files *all, int64_t *removed)
{
	int64_t before = c->recording_retention > 0
	    ? now_unix() - (int64_t)c->recording_retention * DAY
	    : INT64_MIN;
	int64_t most =
	    c->recording_max_total > 0 ? (int64_t)c->recording_max_total << 20 : INT64_MAX;
	int64_t bytes = 0, tries = 0;
	int rc = 0;

	for (size_t i = 0; i < all->n && tries < BATCH && rc == 0; i++) {
		const struct file *f = &all->file[i];
		bool gone = false;

		if (!is_due(f, before, all->total - bytes > most) || is_live(dir, f->name))
			continue;
		rc = remove_one(st, dir, f, &gone);
		tries++;
		bytes += gone ? f->size : 0;
		*removed += gone;
	}
	if (*removed > 0)
		log_info("recording.retention", F_NUM("removed", *removed), F_NUM("bytes", bytes));
	return rc;
}

int
old_recordings_remove(const struct config *c, struct store *st, int64_t *removed)
{
	struct files all = { 0 };
	int dir, rc = 0;

	*removed = 0;
	if (c->recording_retention == 0 && c->recording_max_total == 0)
		return 0;
	dir = recordings_open_dir(c->database, false);
	if (dir < 0 && errno == ENOENT) /* nothing was ever recorded */
		return 0;
	if (dir < 0 || list(dir, &all) < 0)
		log_error("recording.not_removed", F_STR("reason", strerror(errno)));
	else
		rc = remove_due(c, st, dir, &all, removed);
	free(all.file);
	if (dir >= 0)
		close(dir);
	return rc;
}
