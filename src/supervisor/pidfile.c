/* RUN-DIRECTORY/jumpboxd.pid and its lock.  Supervisor. */
#include "pidfile.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
pidfile_path(const char *run_directory)
{
	return xasprintf("%s/jumpboxd.pid", run_directory);
}

/* Whether the descriptor is still the file of that name, alone. */
static bool
is_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino && S_ISREG(a.st_mode) && a.st_nlink == 1;
}

static int
refused(int fd, const char *path, struct errtext *e)
{
	char other[16] = "";
	ssize_t n = pread(fd, other, sizeof other - 1, 0);

	if (n > 0)
		other[strspn(other, "0123456789")] = '\0';
	return err_set(e, JB_UNAVAILABLE,
	    "another jumpboxd (process %s) runs with %s: stop it, or set another run-directory",
	    other[0] != '\0' ? other : "unknown", path);
}

/* JB_TRY_AGAIN when the file was removed between opening and locking it. */
static int
lock_once(const char *path, int *result, struct errtext *e)
{
	int fd, r = JB_TRY_AGAIN;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		return err_set(e, JB_UNAVAILABLE, "cannot make %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK
		    ? refused(fd, path, e)
		    : err_set(e, JB_UNAVAILABLE, "cannot lock %s: %s", path, strerror(errno));
	} else if (is_file(fd, path)) {
		*result = fd;
		return 0;
	}
	close(fd);
	return r;
}

static int
open_locked(const char *path, int *result, struct errtext *e)
{
	int r = JB_TRY_AGAIN, tries;

	for (tries = 0; r == JB_TRY_AGAIN && tries < 10; tries++)
		r = lock_once(path, result, e);
	if (r == JB_TRY_AGAIN)
		err_set(e, r, "%s is not a plain file of its own: remove it", path);
	return r;
}

int
pidfile_open(const char *run_directory, int inherited, int *fd, struct errtext *e)
{
	char *path = pidfile_path(run_directory), pid[16];
	int len, r = 0;

	if (inherited >= 0 && is_file(inherited, path)) {
		*fd = inherited;
		goto out;
	}
	if (inherited >= 0)
		close(inherited);
	if ((r = open_locked(path, fd, e)) < 0)
		goto out;
	len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(*fd, 0) < 0 || pwrite(*fd, pid, (size_t)len, 0) != len) {
		r = err_set(e, JB_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
		close(*fd);
	}
out:
	free(path);
	return r;
}

void
pidfile_close(const char *run_directory, int fd)
{
	char *path = pidfile_path(run_directory);

	if (is_file(fd, path))
		unlink(path);
	free(path);
	close(fd);
}
