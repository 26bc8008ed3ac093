/*
 * One entry of a copy being made: by a name of our own beside the one that it
 * will have, which it is given when it is whole.  So nobody meets half a file,
 * and nothing is ever written through what has that name already.
 * jumpbox-helper, the process that writes a copy.
 */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without ownership a set-id bit would mean somebody else. */
enum { MODES = 01777, TRIES = 100 };

static const char *
refuse(struct copy_file *f)
{
	const char *why = strerror(errno);

	copy_file_drop(f);
	return why;
}

static void
next_temp(char temp[static 32])
{
	uint64_t n = 0;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
		n += (uint64_t)getpid();
	snprintf(temp, 32, ".jumpbox-%016llx", (unsigned long long)n);
}

/* What is of another kind stays: a rename would make a file of a device. */
static const char *
in_the_way(int dir, const char *name, char temp[static 32])
{
	struct stat st;

	next_temp(temp);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(st.st_mode) ||
	    S_ISLNK(st.st_mode))
		return NULL;
	return S_ISDIR(st.st_mode) ? strerror(EISDIR) : "something is there that is no file";
}

const char *
copy_file_begin(struct copy_file *f, int dir, const char *name)
{
	const char *why = in_the_way(dir, name, f->temp);
	int tries;

	f->fd = -1;
	if (why != NULL)
		return why;
	f->dir = dir;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->hole = false;
	for (tries = 0; f->fd < 0 && tries < TRIES; tries++) {
		f->fd = openat(
		    dir, f->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (f->fd < 0 && errno != EEXIST)
			break;
		if (f->fd < 0)
			next_temp(f->temp);
	}
	return f->fd < 0 ? strerror(errno) : NULL;
}

const char *
copy_file_data(struct copy_file *f, const uint8_t *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w, f->at += (uint64_t)w) {
		w = pwrite(f->fd, p, n, (off_t)f->at);
		if (w < 0 && errno == EINTR)
			w = 0;
		if (w < 0)
			return refuse(f);
	}
	f->hole = false;
	return NULL;
}

const char *
copy_file_end(struct copy_file *f, uint32_t mode, const struct timespec *mtime)
{
	const struct timespec times[2] = COPY_TIMES(*mtime);
	int fd = f->fd;

	if ((f->hole && ftruncate(fd, (off_t)f->at) < 0) || fchmod(fd, mode & MODES) < 0 ||
	    futimens(fd, times) < 0)
		return refuse(f);
	f->fd = -1;
	if (close(fd) == 0 && renameat(f->dir, f->temp, f->dir, f->name) == 0)
		return NULL;
	fd = errno;
	unlinkat(f->dir, f->temp, 0);
	return strerror(fd);
}

void
copy_file_drop(struct copy_file *f)
{
	if (f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
	unlinkat(f->dir, f->temp, 0);
}

const char *
copy_link(int dir, const char *name, const char *target, const struct timespec *mtime)
{
	const struct timespec times[2] = COPY_TIMES(*mtime);
	char temp[32];
	const char *why = in_the_way(dir, name, temp);

	if (why != NULL)
		return why;
	if (symlinkat(target, dir, temp) < 0)
		return strerror(errno);
	utimensat(dir, temp, times, AT_SYMLINK_NOFOLLOW); /* not everywhere */
	if (renameat(dir, temp, dir, name) == 0)
		return NULL;
	why = strerror(errno);
	unlinkat(dir, temp, 0);
	return why;
}
