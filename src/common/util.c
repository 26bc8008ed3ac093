/*
 * Small things that libc lacks.  Every process.
 */
#include "jumpbox/util.h"

#include "jumpbox/buf.h"
#include "jumpbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- memory ----------------------------------------------------------- */

static void *
or_die(void *p)
{
	if (p == NULL)
		fatal(JB_INTERNAL, "out of memory");
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n == 0 ? 1 : n, size == 0 ? 1 : size));
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n == 0 ? 1 : n, size == 0 ? 1 : size));
}

char *
xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s);
}

void
wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
free_secret(char *s)
{
	if (s != NULL)
		wipe(s, strlen(s));
	free(s);
}

int
str_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);

	if (n >= size) {
		if (size > 0)
			dst[0] = '\0';
		return JB_BAD_INPUT;
	}
	memcpy(dst, src, n + 1);
	return 0;
}

/* ---- clocks ----------------------------------------------------------- */

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
now_unix_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

uint32_t
load_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void
store_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

int64_t
now_unix(void)
{
	return now_unix_ms() / 1000;
}

int64_t
now_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

bool
due(int64_t at, int64_t now)
{
	return at != 0 && at <= now;
}

int
poll_timeout(int64_t at)
{
	int64_t left = at - now_mono_ms();

	if (at == 0)
		return -1;
	return left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* ---- descriptors ------------------------------------------------------ */

static int
set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0 || fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0)
		return JB_INTERNAL;
	return 0;
}

int
set_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int
set_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

/* Until fd takes bytes again or the deadline passes (-1: none). */
static int
wait_writable(int fd, int64_t deadline)
{
	struct pollfd pfd = { fd, POLLOUT, 0 };
	int64_t left = -1;
	int n;

	if (deadline >= 0) {
		left = deadline - now_mono_ms();
		if (left <= 0)
			return JB_TRY_AGAIN;
	}
	n = poll(&pfd, 1, (int)left);
	if (n < 0 && errno != EINTR)
		return JB_INTERNAL;
	return 0;
}

int
write_all(int fd, const void *p, size_t n, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_mono_ms() + timeout_ms;
	const char *at = p;
	ssize_t w;
	int r;

	while (n > 0) {
		w = write(fd, at, n);
		if (w >= 0) {
			at += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {
			if ((r = wait_writable(fd, deadline)) < 0)
				return r;
		} else if (errno != EINTR) {
			return JB_UNAVAILABLE;
		}
	}
	return 0;
}

/* ---- files ------------------------------------------------------------ */

/* To the end of file, or one byte past max. */
static int
read_up_to(int fd, off_t from, struct buf *b, size_t max)
{
	ssize_t n = 1;
	size_t want;
	uint8_t *p;

	while (n > 0 && buf_len(b) <= max) {
		want = buf_room(b) < 4096 ? buf_room(b) : 4096;
		p = buf_reserve(b, want);
		n = from < 0 ? read(fd, p, want) : pread(fd, p, want, from + (off_t)buf_len(b));
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return -errno;
		else
			buf_commit(b, (size_t)n);
	}
	return 0;
}

int
read_fd(
    int fd, off_t from, const char *name, size_t max, char **data, size_t *len, struct errtext *e)
{
	struct buf b;
	int error, r = 0;

	buf_init(&b, max + 1);
	if ((error = read_up_to(fd, from, &b, max)) < 0) {
		r = err_set(e, JB_UNAVAILABLE, "%.160s: %s", name, strerror(-error));
		goto out;
	}
	if (buf_len(&b) > max) {
		r = err_set(e, JB_BAD_INPUT, "%.160s: larger than %zu bytes", name, max);
		goto out;
	}
	*len = buf_len(&b);
	*data = xcalloc(*len + 1, 1);
	memcpy(*data, buf_ptr(&b), *len);
out:
	buf_release(&b);
	return r;
}

int
read_file(const char *path, size_t max, char **data, size_t *len, struct errtext *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0)
		return err_set(e, errno == ENOENT ? JB_NOT_FOUND : JB_UNAVAILABLE, "%s: %s", path,
		    strerror(errno));
	r = read_fd(fd, FROM_HERE, path, max, data, len, e);
	close(fd);
	return r;
}

/* ---- this machine ----------------------------------------------------- */

uint64_t
proc_start_time(int64_t pid)
{
	char path[64], *text, *at, *save = NULL;
	size_t len;
	uint64_t start = 0;
	int field;

	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	if (read_file(path, 4096, &text, &len, NULL) < 0)
		return 0;
	/* The program's name, field 2, may hold blanks and brackets: the last ')' ends it. */
	at = strrchr(text, ')');
	if (at != NULL) {
		at = strtok_r(at + 1, " ", &save);
		if (at != NULL && (*at == 'Z' || *at == 'X'))
			at = NULL; /* ended, and not reaped */
		for (field = 3; at != NULL && field < 22; field++)
			at = strtok_r(NULL, " ", &save);
		if (at != NULL)
			start = strtoull(at, NULL, 10);
	}
	free(text);
	return start;
}

const char *
boot_id(void)
{
	static char id[64];
	char *text;
	size_t len;

	if (id[0] != '\0')
		return id;
	if (read_file("/proc/sys/kernel/random/boot_id", sizeof id - 1, &text, &len, NULL) < 0)
		return "unknown";
	text[strcspn(text, "\n")] = '\0';
	str_copy(id, sizeof id, text);
	free(text);
	return id;
}

const char *
host_name(void)
{
	static char name[256];

	if (name[0] == '\0' && gethostname(name, sizeof name - 1) < 0)
		return "unknown";
	return name;
}
