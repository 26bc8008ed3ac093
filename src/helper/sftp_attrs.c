/*
 * What a file has beside its content: on the wire, and being set.
 * jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- on the wire ------------------------------------------------------ */

/* Pairs of a name and a value that nobody sends, and which mean nothing here. */
static bool
skip_extended(struct sftp_bytes *p)
{
	struct sftp_bytes text;
	uint32_t n;

	if (!sftp_get_u32(p, &n))
		return false;
	for (; n > 0; n--)
		if (!sftp_get_bytes(p, &text) || !sftp_get_bytes(p, &text))
			return false;
	return true;
}

bool
sftp_get_attrs(struct sftp_bytes *p, struct sftp_attrs *a)
{
	if (!sftp_get_u32(p, &a->flags))
		return false;
	if ((a->flags & ATTR_SIZE) != 0 && !sftp_get_u64(p, &a->size))
		return false;
	if ((a->flags & ATTR_UIDGID) != 0 &&
	    (!sftp_get_u32(p, &a->uid) || !sftp_get_u32(p, &a->gid)))
		return false;
	if ((a->flags & ATTR_PERMISSIONS) != 0 && !sftp_get_u32(p, &a->perm))
		return false;
	if ((a->flags & ATTR_ACMODTIME) != 0 &&
	    (!sftp_get_u32(p, &a->atime) || !sftp_get_u32(p, &a->mtime)))
		return false;
	return (a->flags & ATTR_EXTENDED) == 0 || skip_extended(p);
}

void
sftp_put_attrs(struct sftp *s, const struct stat *st)
{
	sftp_put_u32(s, ATTR_SIZE | ATTR_UIDGID | ATTR_PERMISSIONS | ATTR_ACMODTIME);
	sftp_put_u64(s, (uint64_t)st->st_size);
	sftp_put_u32(s, st->st_uid);
	sftp_put_u32(s, st->st_gid);
	sftp_put_u32(s, st->st_mode);
	sftp_put_u32(s, (uint32_t)st->st_atime);
	sftp_put_u32(s, (uint32_t)st->st_mtime);
}

int
sftp_reply_attrs(struct sftp *s, const struct stat *st)
{
	sftp_reply(s, FXP_ATTRS);
	sftp_put_attrs(s, st);
	sftp_reply_end(s);
	return REPLIED;
}

/* ---- being set -------------------------------------------------------- */

/* Whose: of an open file, or of a path, or of the symbolic link itself that is there. */
struct subject {
	int fd; /* -1: of path */
	const char *path;
	int flags;
};

static int64_t
size_of(const struct subject *of)
{
	return of->fd >= 0 ? note_size_of(of->fd, "", AT_EMPTY_PATH)
			   : note_size_of(AT_FDCWD, of->path, of->flags);
}

static int
set_size(const struct subject *of, const struct sftp_attrs *a)
{
	off_t size = (off_t)a->size;

	return of->fd >= 0 ? ftruncate(of->fd, size) : truncate(of->path, size);
}

static int
set_mode(const struct subject *of, const struct sftp_attrs *a)
{
	mode_t mode = a->perm & 07777;

	return of->fd >= 0 ? fchmod(of->fd, mode) : fchmodat(AT_FDCWD, of->path, mode, of->flags);
}

static int
set_times(const struct subject *of, const struct sftp_attrs *a)
{
	struct timespec times[2] = { { .tv_sec = a->atime }, { .tv_sec = a->mtime } };

	return of->fd >= 0 ? futimens(of->fd, times)
			   : utimensat(AT_FDCWD, of->path, times, of->flags);
}

static int
set_owner(const struct subject *of, const struct sftp_attrs *a)
{
	return of->fd >= 0 ? fchown(of->fd, a->uid, a->gid)
			   : fchownat(AT_FDCWD, of->path, a->uid, a->gid, of->flags);
}

static const struct {
	uint32_t flag;
	int (*set)(const struct subject *of, const struct sftp_attrs *a);
} setters[] = {
	/* in the order of OpenSSH */
	{ ATTR_SIZE, set_size },
	{ ATTR_PERMISSIONS, set_mode },
	{ ATTR_ACMODTIME, set_times },
	{ ATTR_UIDGID, set_owner },
};

static void
note_set(struct sftp *s, const char *path, const struct sftp_attrs *a, uint32_t done, int64_t was)
{
	struct note n;

	if ((done & (ATTR_SIZE | ATTR_PERMISSIONS | ATTR_UIDGID)) == 0)
		return;
	note_begin(&n, "setstat");
	note_path(&n, "path", path);
	if ((done & ATTR_SIZE) != 0) {
		note_text(&n, "size", "%llu", (unsigned long long)a->size);
		note_size(&n, "was", was);
	}
	if ((done & ATTR_PERMISSIONS) != 0)
		note_text(&n, "mode", "%04o", a->perm & 07777);
	if ((done & ATTR_UIDGID) != 0)
		note_text(&n, "owner", "%u:%u", a->uid, a->gid);
	sftp_note_send(s, &n);
}

/* All that can be set is set, whatever fails before it; the first failure is the answer. */
static int
set_all(struct sftp *s, const struct subject *of, const struct sftp_attrs *a)
{
	int64_t was = (a->flags & ATTR_SIZE) != 0 ? size_of(of) : -1;
	uint32_t done = 0;
	int r = 0;

	for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
		if ((a->flags & setters[i].flag) == 0)
			continue;
		if (setters[i].set(of, a) == 0)
			done |= setters[i].flag;
		else if (r == 0)
			r = -errno;
	}
	note_set(s, of->path, a, done, was);
	return r;
}

int
sftp_setstat(struct sftp *s, struct sftp_args *a)
{
	return set_all(s, &(struct subject){ -1, a->path[0], 0 }, &a->attrs);
}

int
sftp_lsetstat(struct sftp *s, struct sftp_args *a)
{
	if ((a->attrs.flags & ATTR_SIZE) != 0) /* a link has none to be set */
		return -EBADMSG;
	return set_all(s, &(struct subject){ -1, a->path[0], AT_SYMLINK_NOFOLLOW }, &a->attrs);
}

int
sftp_fsetstat(struct sftp *s, struct sftp_args *a)
{
	return set_all(s, &(struct subject){ a->handle[0]->fd, a->handle[0]->path, 0 }, &a->attrs);
}
