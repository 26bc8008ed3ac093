/*
 * The directory of recordings and the files in it.  Broker, watcher,
 * jumpboxctl; the session asks of one it was given whether it still grows.
 */
#include "jumpbox/recordings.h"

#include "jumpbox/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIRECTORY "recordings"
#define SUFFIX	  ".cast.gz"

char *
recordings_path(const char *database, char *dst, size_t size)
{
	const char *slash = strrchr(database, '/');

	snprintf(
	    dst, size, "%.*s" DIRECTORY, slash != NULL ? (int)(slash - database) + 1 : 0, database);
	return dst;
}

int
recordings_open_dir(const char *database, bool make)
{
	char path[PATH_MAX];
	int fd;

	recordings_path(database, path, sizeof(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void
recording_name(char dst[static RECORDING_NAME], int64_t at, int64_t session, uint32_t request)
{
	time_t t = (time_t)at;
	struct tm tm;
	size_t n;

	gmtime_r(&t, &tm);
	n = strftime(dst, RECORDING_NAME, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(
	    dst + n, RECORDING_NAME - n, "-%lld-%u" SUFFIX, (long long)session, (unsigned)request);
}

bool
recording_name_ok(const char *name)
{
	size_t n = strlen(name), body = strspn(name, "0123456789TZ-");

	return n < RECORDING_NAME && body > 16 && strcmp(name + body, SUFFIX) == 0;
}

int
recordings_each(int dir, void (*fn)(int dir, const char *name, void *), void *arg)
{
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0), why;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (d == NULL) {
		why = errno;
		if (fd >= 0)
			close(fd);
		errno = why;
		return -1;
	}
	while ((entry = readdir(d)) != NULL) {
		if (recording_name_ok(entry->d_name))
			fn(dir, entry->d_name, arg);
	}
	closedir(d);
	return 0;
}

int
recording_create(int dir, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		int why = errno;

		unlinkat(dir, name, 0);
		close(fd);
		errno = why;
		fd = -1;
	}
	return fd;
}

int
recording_open(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

bool
recording_live(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
