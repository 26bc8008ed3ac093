/*
 * Requests about a path: what is there, renamed, linked, removed, resolved.
 * jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int
sftp_stat(struct sftp *s, struct sftp_args *a)
{
	struct stat st;

	return stat(a->path[0], &st) < 0 ? -errno : sftp_reply_attrs(s, &st);
}

int
sftp_lstat(struct sftp *s, struct sftp_args *a)
{
	struct stat st;

	return lstat(a->path[0], &st) < 0 ? -errno : sftp_reply_attrs(s, &st);
}

/* ---- changed ---------------------------------------------------------- */

int
sftp_remove(struct sftp *s, struct sftp_args *a)
{
	int64_t size = note_size_of(AT_FDCWD, a->path[0], AT_SYMLINK_NOFOLLOW);

	if (unlink(a->path[0]) < 0)
		return -errno;
	sftp_note_sizes(s, "remove", a->path[0], NULL, size, -1);
	return 0;
}

/* Of this version of the protocol: never over what is there.  Not every file system can promise. */
static int
rename_to_nothing(const char *from, const char *to)
{
	enum { NOREPLACE = 1 }; /* musl has neither the function nor its flags */
	struct stat st;

	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, NOREPLACE) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return -1;
	if (lstat(to, &st) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? rename(from, to) : -1;
}

int
sftp_rename(struct sftp *s, struct sftp_args *a)
{
	int64_t size = note_size_of(AT_FDCWD, a->path[0], AT_SYMLINK_NOFOLLOW);

	if (rename_to_nothing(a->path[0], a->path[1]) < 0)
		return -errno;
	sftp_note_sizes(s, "rename", a->path[0], a->path[1], size, -1);
	return 0;
}

int
sftp_posix_rename(struct sftp *s, struct sftp_args *a)
{
	int64_t size = note_size_of(AT_FDCWD, a->path[0], AT_SYMLINK_NOFOLLOW);
	int64_t was = note_size_of(AT_FDCWD, a->path[1], AT_SYMLINK_NOFOLLOW);

	if (rename(a->path[0], a->path[1]) < 0)
		return -errno;
	sftp_note_sizes(s, "rename", a->path[0], a->path[1], size, was);
	return 0;
}

int
sftp_hardlink(struct sftp *s, struct sftp_args *a)
{
	if (link(a->path[0], a->path[1]) < 0)
		return -errno;
	sftp_note_paths(s, "hardlink", a->path[0], a->path[1]);
	return 0;
}

/* What it points to comes first, the other way round than the draft says: all clients do so. */
int
sftp_symlink(struct sftp *s, struct sftp_args *a)
{
	struct note n;

	if (symlink(a->path[0], a->path[1]) < 0)
		return -errno;
	note_begin(&n, "symlink");
	note_path(&n, "path", a->path[1]);
	note_quoted(&n, "target", a->path[0]);
	sftp_note_send(s, &n);
	return 0;
}

/* ---- resolved --------------------------------------------------------- */

int
sftp_readlink(struct sftp *s, struct sftp_args *a)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlink(a->path[0], target, sizeof target - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return sftp_name(s, target);
}

/* The last name of a path may be of something that is yet to be made. */
static int
real_parent(const char *path, char resolved[static PATH_MAX])
{
	char parent[PATH_MAX];
	const char *name;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= sizeof parent)
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n] = '\0';
	name = strrchr(parent, '/');
	if (name == NULL) {
		name = parent;
		if (realpath(".", resolved) == NULL)
			return -errno;
	} else {
		parent[name - parent] = '\0';
		name++;
		if (realpath(parent[0] == '\0' ? "/" : parent, resolved) == NULL)
			return -errno;
	}
	n = strlen(resolved);
	if (n == 1)
		n = 0; /* the root's own slash */
	if (n + 1 + strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	resolved[n] = '/';
	memcpy(resolved + n + 1, name, strlen(name) + 1);
	return 0;
}

static int
reply_real(struct sftp *s, const char *path)
{
	char resolved[PATH_MAX];
	int r = 0;

	if (*path == '\0')
		path = ".";
	if (realpath(path, resolved) == NULL)
		r = errno == ENOENT ? real_parent(path, resolved) : -errno;
	if (r < 0)
		return r;
	return sftp_name(s, resolved + (resolved[1] == '/')); /* musl leaves two slashes in front */
}

int
sftp_realpath(struct sftp *s, struct sftp_args *a)
{
	return reply_real(s, a->path[0]);
}

/* "~", "~/FILE", "~USER" and "~USER/FILE"; anything else as it is. */
int
sftp_expand_path(struct sftp *s, struct sftp_args *a)
{
	char path[2 * PATH_MAX], *rest;
	const char *home;

	if (a->path[0][0] != '~')
		return reply_real(s, a->path[0]);
	rest = a->path[0] + strcspn(a->path[0], "/");
	if (rest == a->path[0] + 1) {
		home = sftp_home();
	} else {
		snprintf(path, sizeof path, "%.*s", (int)(rest - a->path[0] - 1), a->path[0] + 1);
		home = sftp_home_of(path);
	}
	if (home == NULL)
		return -ENOENT;
	if ((size_t)snprintf(path, sizeof path, "%s%s", home, rest) >= sizeof path)
		return -ENAMETOOLONG;
	return reply_real(s, path);
}
