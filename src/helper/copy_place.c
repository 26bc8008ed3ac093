/*
 * Where a copy goes: what the user typed for both ends, and what is there
 * already.  Links of the destination's path are the user's own and followed.
 * jumpbox-helper, the process that writes a copy.
 */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name that a path ends in; "": it has none, as "/", "x/." and "..", and what is in it is meant. */
static const char *
last_name(char name[static COPY_NAME_MAX + 1], const char *path)
{
	size_t n = strlen(path), from;

	while (n > 0 && path[n - 1] == '/')
		n--;
	for (from = n; from > 0 && path[from - 1] != '/';)
		from--;
	n -= from;
	name[0] = '\0';
	if ((n == 1 && path[from] == '.') || (n == 2 && memcmp(path + from, "..", 2) == 0))
		return NULL;
	if (n > COPY_NAME_MAX)
		return strerror(ENAMETOOLONG);
	memcpy(name, path + from, n);
	name[n] = '\0';
	return NULL;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is dir that directory, or below it? */
static bool
is_within(int dir, const struct stat *top)
{
	struct stat here, last = { 0 };
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0), up;
	bool within = false;

	while (fd >= 0 && fstat(fd, &here) == 0 && !same(&here, &last)) {
		if ((within = same(&here, top)))
			break;
		last = here;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return within;
}

static bool
into_itself(const struct copy_place *p, const char *from)
{
	struct stat top, there;

	if (stat(from, &top) < 0)
		return false;
	return is_within(p->dir, &top) ||
	    (p->name[0] != '\0' && fstatat(p->dir, p->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		same(&there, &top));
}

/* "": where this process is. */
static const char *
open_directory(struct copy_place *p, const char *path)
{
	p->dir = open(path[0] != '\0' ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return strerror(errno);
	snprintf(p->path, sizeof(p->path), "%s", path);
	return NULL;
}

/* There is no directory of that name: what is to be made is the last of it. */
static const char *
by_name(struct copy_place *p, const char *dest, bool directory)
{
	char path[PATH_MAX], *slash;
	size_t n = strlen(dest);
	const char *why;
	struct stat st;
	bool there = stat(dest, &st) == 0;

	if (n == 0 || n >= sizeof(path))
		return strerror(n == 0 ? ENOENT : ENAMETOOLONG);
	if (directory ? there : dest[n - 1] == '/')
		return strerror(ENOTDIR);
	if (!there || realpath(dest, path) == NULL)
		memcpy(path, dest, n + 1);
	for (n = strlen(path); n > 1 && path[n - 1] == '/';)
		path[--n] = '\0';
	if ((why = last_name(p->name, path)) != NULL || p->name[0] == '\0')
		return why != NULL ? why : strerror(ENOENT);
	slash = strrchr(path, '/');
	if (slash == NULL)
		return open_directory(p, "");
	slash[slash == path] = '\0';
	return open_directory(p, path);
}

const char *
copy_place(struct copy_place *p, const char *dest, const char *from, bool here, bool directory)
{
	const char *why = last_name(p->name, from);

	if (why != NULL)
		return why;
	why = open_directory(p, dest);
	if (p->dir >= 0 && p->name[0] == '\0' && !directory)
		why = strerror(EISDIR);
	else if (p->dir < 0 && (errno == ENOENT || errno == ENOTDIR))
		why = by_name(p, dest, directory);
	if (why == NULL && here && directory && into_itself(p, from))
		why = "a directory cannot be copied into itself";
	return why;
}
