/*
 * Requests about an open file.  jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_flags(uint32_t asked)
{
	int flags = O_RDONLY;

	if ((asked & FXF_WRITE) != 0)
		flags = (asked & FXF_READ) != 0 ? O_RDWR : O_WRONLY;
	if ((asked & FXF_APPEND) != 0)
		flags |= O_APPEND;
	if ((asked & FXF_CREAT) != 0)
		flags |= O_CREAT;
	if ((asked & FXF_TRUNC) != 0)
		flags |= O_TRUNC;
	if ((asked & FXF_EXCL) != 0)
		flags |= O_EXCL;
	return flags;
}

/* At its close nobody may be left to tell of it: a connection can be cut before. */
static void
note_open(struct sftp *s, const struct sftp_handle *h, int64_t was)
{
	struct note n;

	note_begin(&n, "open");
	note_path(&n, "path", h->path);
	note_text(&n, "for", "%s", !h->writable ? "read" : !h->readable ? "write" : "both");
	note_size(&n, "was", was);
	sftp_note_send(s, &n);
}

/* O_NONBLOCK does nothing to files and keeps a fifo, which cannot be read at an offset anyway, from
 * holding up the rest. */
int
sftp_open(struct sftp *s, struct sftp_args *a)
{
	int flags = open_flags(a->word[0]), fd;
	mode_t mode = (a->attrs.flags & ATTR_PERMISSIONS) != 0 ? a->attrs.perm & 07777 : 0666;
	struct sftp_handle *h;
	int64_t was;

	if (s->readonly && flags != O_RDONLY)
		return -EACCES;
	if (!sftp_handle_left(s)) /* nothing would be left to tell of what this open changes */
		return -EMFILE;
	was = (flags & O_TRUNC) != 0 ? note_size_of(AT_FDCWD, a->path[0], 0) : -1;
	fd = open(a->path[0], flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
	if (fd < 0)
		return -errno;
	h = sftp_handle_new(s, fd, NULL, a->path[0]);
	if (h == NULL)
		return -EMFILE;
	h->readable = (flags & O_ACCMODE) != O_WRONLY;
	h->writable = flags != O_RDONLY;
	note_open(s, h, was);
	return sftp_handle_reply(s, h);
}

int
sftp_close(struct sftp *s, struct sftp_args *a)
{
	return sftp_handle_close(s, a->handle[0]);
}

static ssize_t
read_at(struct sftp_handle *h, void *p, size_t n, uint64_t at)
{
	ssize_t r;

	do
		r = pread(h->fd, p, n, (off_t)at);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		h->in += (uint64_t)r;
	return r < 0 ? -errno : r;
}

static int
write_at(struct sftp_handle *h, const uint8_t *p, size_t n, uint64_t at)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r, at += (uint64_t)r) {
		r = pwrite(h->fd, p, n, (off_t)at);
		if (r < 0 && errno == EINTR)
			r = 0;
		if (r < 0)
			return -errno;
		h->out += (uint64_t)r;
	}
	return 0;
}

/* The file is read into its place in the reply; the length before it is known afterwards. */
int
sftp_read(struct sftp *s, struct sftp_args *a)
{
	size_t n = a->word[0] < DATA_MAX ? a->word[0] : DATA_MAX, length_at;
	ssize_t r;

	sftp_reply(s, FXP_DATA);
	length_at = sftp_reply_len(s);
	sftp_put_u32(s, 0);
	r = read_at(a->handle[0], sftp_room(s), n, a->quad[0]);
	if (r <= 0) {
		sftp_reply_drop(s);
		if (r < 0)
			return (int)r;
		sftp_status(s, FX_EOF, "End of file");
		return REPLIED;
	}
	sftp_filled(s, (size_t)r);
	sftp_patch_u32(s, length_at, (uint32_t)r);
	sftp_reply_end(s);
	return REPLIED;
}

int
sftp_write(struct sftp *s, struct sftp_args *a)
{
	(void)s;
	return write_at(a->handle[0], a->bytes[0].p, a->bytes[0].n, a->quad[0]);
}

int
sftp_fstat(struct sftp *s, struct sftp_args *a)
{
	struct stat st;

	return fstat(a->handle[0]->fd, &st) < 0 ? -errno : sftp_reply_attrs(s, &st);
}

int
sftp_fsync(struct sftp *s, struct sftp_args *a)
{
	(void)s;
	return fsync(a->handle[0]->fd) < 0 ? -errno : 0;
}

/* ---- copy-data -------------------------------------------------------- */

struct copy {
	struct sftp_handle *from, *to;
	uint64_t from_at, to_at;
	uint64_t left;
};

static void
copied(struct copy *c, uint64_t n)
{
	c->from_at += n;
	c->to_at += n;
	c->left -= n;
}

/* As far as the kernel copies by itself: not between all file systems, and of /proc nothing. */
static void
copy_in_kernel(struct copy *c)
{
	enum { STEP = 1 << 30 };
	off_t from = (off_t)c->from_at, to = (off_t)c->to_at;
	ssize_t n;

	while (c->left > 0) {
		n = copy_file_range(
		    c->from->fd, &from, c->to->fd, &to, c->left < STEP ? c->left : STEP, 0);
		if (n <= 0)
			return;
		c->from->in += (uint64_t)n;
		c->to->out += (uint64_t)n;
		copied(c, (uint64_t)n);
	}
}

/* The rest, through where a reply would be made; 0 at the end of the file, too. */
static int
copy_rest(struct sftp *s, struct copy *c)
{
	uint8_t *block;
	ssize_t n;
	int r;

	sftp_flush(s);
	block = sftp_room(s);
	while (c->left > 0) {
		n = read_at(c->from, block, c->left < DATA_MAX ? c->left : DATA_MAX, c->from_at);
		if (n <= 0)
			return (int)n;
		r = write_at(c->to, block, (size_t)n, c->to_at);
		if (r < 0)
			return r;
		copied(c, (uint64_t)n);
	}
	return 0;
}

/* A length of 0 is "to the end"; a file that is shorter than what was asked for is told so. */
int
sftp_copy_data(struct sftp *s, struct sftp_args *a)
{
	struct copy c = { a->handle[0], a->handle[1], a->quad[0], a->quad[2], a->quad[1] };
	bool to_the_end = c.left == 0;
	struct stat from, to;
	int r;

	if (fstat(c.from->fd, &from) < 0 || fstat(c.to->fd, &to) < 0)
		return -errno;
	if (from.st_dev == to.st_dev && from.st_ino == to.st_ino)
		return -EINVAL;
	if (to_the_end)
		c.left = UINT64_MAX;
	copy_in_kernel(&c);
	r = copy_rest(s, &c);
	if (r == 0 && c.left > 0 && !to_the_end) {
		sftp_status(s, FX_EOF, "End of file");
		return REPLIED;
	}
	return r;
}
