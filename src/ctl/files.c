/*
 * Database files as files: copied, removed, replaced.  jumpboxctl.
 */
#include "files.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BLOCK = 65536 };

int
files_copy(int from, int to)
{
	char *block = xcalloc(1, COPY_BLOCK);
	ssize_t n, w, at;

	for (;;) {
		n = read(from, block, COPY_BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (at = 0; at < n; at += w) {
			w = write(to, block + at, (size_t)(n - at));
			if (w < 0 && errno == EINTR)
				w = 0;
			else if (w < 0)
				goto out;
		}
	}
out:
	if (n == 0 && fsync(to) < 0)
		n = -1;
	/* Password hashes and keys went through it. */
	wipe(block, COPY_BLOCK);
	free(block);
	return n == 0 ? 0 : -1;
}

static const char *const beside[] = { "-wal", "-shm", "-journal" };
enum { NBESIDE = sizeof beside / sizeof beside[0] };

void
files_remove(const char *database, bool self)
{
	char *path;
	int i;

	for (i = 0; i < NBESIDE; i++) {
		path = xasprintf("%s%s", database, beside[i]);
		unlink(path);
		free(path);
	}
	if (self)
		unlink(database);
}

bool
files_has_log(const char *database)
{
	struct stat st;
	bool found = false;
	char *path;
	int i;

	for (i = 0; i < NBESIDE; i++) {
		if (strcmp(beside[i], "-shm") == 0)
			continue;
		path = xasprintf("%s%s", database, beside[i]);
		found = found || (stat(path, &st) == 0 && st.st_size > 0);
		free(path);
	}
	return found;
}

void
files_sync_directory(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash == NULL ? xstrdup(".") : xasprintf("%.*s/", (int)(slash - file), file);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(dir);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}
