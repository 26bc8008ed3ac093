/*
 * restore: puts a backup in the database's place, while jumpboxd is stopped.
 * jumpboxctl.
 *
 * FILE is read through a descriptor that the operator opened, copied beside
 * the database by its owner, proved to be sound there, and only then renamed
 * over it.  Whatever fails before, the database is as it was.
 */
#include "ctl.h"

#include "files.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- is anybody using the database? ------------------------------------- */

/*
 * jumpboxd holds a lock on its pid file while it runs.  The lock that is
 * taken here lasts as long as this process, so that it cannot start meanwhile.
 */
static int
lock_out_daemon(struct ctl *c)
{
	struct flock held = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = xasprintf("%s/jumpboxd.pid", c->conf.run_directory);
	int r = 0;

	c->lock = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (c->lock < 0 && errno != ENOENT)
		r = ctl_fail(c, JB_UNAVAILABLE,
		    "%.160s: %s; cannot tell whether jumpboxd is stopped", path, strerror(errno));
	if (c->lock >= 0 &&
	    (flock(c->lock, LOCK_EX | LOCK_NB) < 0 || fcntl(c->lock, F_OFD_GETLK, &held) < 0 ||
		held.l_type != F_UNLCK))
		r = ctl_fail(c, JB_UNAVAILABLE, "jumpboxd is running: stop it first");
	free(path);
	return r;
}

/* Sessions outlive a stopped jumpboxd, each with a broker that writes here. */
static int
find_alive(const struct session *s, void *arg)
{
	if (!session_alive(s))
		return 0;
	*(int64_t *)arg = s->id;
	return 1;
}

/*
 * Opening and closing the present database also empties its write-ahead log
 * into it.  One that cannot be opened is what a restore is for.
 */
static int
check_unused(struct ctl *c)
{
	struct store *old;
	struct errtext e;
	int64_t id = 0;
	int r;

	r = store_open(c->conf.database, STORE_OPEN, &old, &e);
	if (r == JB_TRY_AGAIN)
		return ctl_fail(c, JB_UNAVAILABLE, "%s", e.s);
	if (r < 0)
		return 0;
	r = session_each(old, false, find_alive, &id);
	store_close(old);
	if (r > 0)
		return ctl_fail(c, JB_UNAVAILABLE,
		    "session %lld is still live: end it first (jumpboxctl session kill %lld)",
		    (long long)id, (long long)id);
	if (r == 0 && files_has_log(c->conf.database))
		return ctl_fail(
		    c, JB_UNAVAILABLE, "another process has the database open: end it first");
	return 0;
}

/*
 * An empty file is a database too, to SQLite and to store_open(), which would
 * fill it: only one that has been ours is taken.  The header's first 16 bytes
 * and its application id; whose that is, store_open() says.
 */
static bool
header_is_ours(int fd)
{
	static const char magic[16] = "SQLite format 3";
	static const char no_id[4];
	char head[100];

	return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
	    memcmp(head, magic, sizeof magic) == 0 && memcmp(head + 68, no_id, sizeof no_id) != 0;
}

static int
restore_prepare(struct ctl *c)
{
	const char *file = c->arg[0];
	struct stat st;

	c->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (c->fd < 0)
		return ctl_fail(c, errno == ENOENT ? JB_NOT_FOUND : JB_BAD_INPUT, "%.160s: %s",
		    file, strerror(errno));
	if (fstat(c->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return ctl_fail(c, JB_BAD_INPUT, "%.160s is not a regular file", file);
	if (!header_is_ours(c->fd))
		return ctl_fail(c, JB_BAD_INPUT,
		    "%.160s is not a backup of jumpbox; nothing was changed", file);
	if (files_has_log(file))
		return ctl_fail(c, JB_BAD_INPUT,
		    "%.100s is a database in use and not all of it is in that file: "
		    "make a copy with `jumpboxctl backup`",
		    file);
	return lock_out_daemon(c);
}

/* ---- the copy ----------------------------------------------------------- */

/* What the store says of the copy is true of FILE, which is the name that the operator knows. */
static int
refuse(struct ctl *c, const char *copy, const char *why)
{
	const char *at = strstr(why, copy);

	if (at == NULL)
		return ctl_fail(c, JB_BAD_INPUT, "%.100s: %s; nothing was changed", c->arg[0], why);
	return ctl_fail(c, JB_BAD_INPUT, "%.*s%.100s%s; nothing was changed", (int)(at - why), why,
	    c->arg[0], at + strlen(copy));
}

static int
copy_in(struct ctl *c, const char *copy)
{
	int r = 0, fd = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return ctl_fail(
		    c, JB_UNAVAILABLE, "%.160s cannot be made: %s", copy, strerror(errno));
	if (files_copy(c->fd, fd) < 0)
		r = ctl_fail(
		    c, JB_UNAVAILABLE, "%.160s cannot be written: %s", copy, strerror(errno));
	close(fd);
	return r;
}

/* Sound as a file, with an unbroken audit, to which this restore is added. */
static int
prove(struct ctl *c, const char *copy)
{
	struct store *st = NULL;
	struct errtext e;
	int64_t rows;
	int r;

	r = store_open(copy, STORE_OPEN, &st, &e);
	if (r == 0)
		r = store_integrity(st, &e);
	if (r == 0)
		r = audit_verify(st, &rows, &e);
	if (r == 0 && (r = audit_add(st, &c->by, "database.restore", NULL, c->arg[0], NULL)) < 0)
		err_set(&e, r, "%s", store_error(st));
	store_close(st);
	if (r == 0 && files_has_log(copy))
		r = err_set(&e, JB_UNAVAILABLE, "%.100s could not be completed", copy);
	return r < 0 ? refuse(c, copy, e.s) : 0;
}

static int
replace(struct ctl *c, const char *copy)
{
	/* A log of the old database must never meet the new one. */
	files_remove(c->conf.database, false);
	if (rename(copy, c->conf.database) < 0)
		return ctl_fail(c, JB_UNAVAILABLE, "%.160s cannot be replaced: %s",
		    c->conf.database, strerror(errno));
	files_sync_directory(c->conf.database);
	return 0;
}

static int
restore_exec(struct ctl *c)
{
	char *copy;
	int r;

	if ((r = check_unused(c)) < 0)
		return r;
	copy = xasprintf("%s.restore-%d", c->conf.database, (int)getpid());
	if ((r = copy_in(c, copy)) == 0 && (r = prove(c, copy)) == 0)
		r = replace(c, copy);
	files_remove(copy, true);
	free(copy);
	if (r == 0)
		out_done(c);
	return r;
}

const struct ctl_cmd restore_cmds[] = {
	/* clang-format off */
	{ "restore", "FILE", "put a backup in the database's place, while jumpboxd is stopped",
	  1, 1, DB_NONE, NULL, restore_prepare, restore_exec },
	{ .name = NULL },
	/* clang-format on */
};
