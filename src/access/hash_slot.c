/*
 * The machine-wide bound on password hashing: as many runs at once as there
 * are processors, whoever runs them.  Broker.
 *
 * A slot is one byte of RUN_DIRECTORY/hash.lock under an open-file-description
 * lock, so the kernel gives it back when its holder dies.  There is no waiting
 * for "any byte of these", so a waiter tries again every few milliseconds;
 * that costs nothing beside the runs it waits for.
 */
#include "access.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS_MAX = 64, WAIT_MS = 10000, RETRY_MS = 5 };

static long
slots(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > SLOTS_MAX ? SLOTS_MAX : n;
}

/* 0 when one was free, JB_TRY_AGAIN when all are taken, JB_UNAVAILABLE when locks do not work. */
static int
try_slots(int fd, long n)
{
	for (long i = 0; i < n; i++) {
		struct flock lock = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1
		};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return JB_UNAVAILABLE;
	}
	return JB_TRY_AGAIN;
}

int
hash_slot_take(const char *run_dir, int *slot, struct errtext *e)
{
	static const struct timespec retry = { .tv_nsec = RETRY_MS * 1000000L };
	int64_t deadline = now_mono_ms() + WAIT_MS;
	char *path;
	int fd, rc;

	if (!run_dir) {
		*slot = -1;
		return 0;
	}
	path = xasprintf("%s/hash.lock", run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = err_set(e, JB_UNAVAILABLE, "cannot open %s: %s", path, strerror(errno));
		free(path);
		return rc;
	}
	while ((rc = try_slots(fd, slots())) == JB_TRY_AGAIN && now_mono_ms() < deadline)
		nanosleep(&retry, NULL);
	if (rc == JB_TRY_AGAIN)
		err_set(e, rc, "too many logins at once: no turn to check a password within %d s",
		    WAIT_MS / 1000);
	else if (rc != 0)
		err_set(e, rc, "cannot lock %s: %s", path, strerror(errno));
	free(path);
	if (rc != 0)
		close(fd);
	else
		*slot = fd;
	return rc;
}

void
hash_slot_give(int slot)
{
	if (slot >= 0)
		close(slot);
}
