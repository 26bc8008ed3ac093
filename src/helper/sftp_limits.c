/*
 * Requests about how much there is room for: in this server, in a file
 * system.  jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <sys/statvfs.h>

static int
reply_quads(struct sftp *s, const uint64_t *quads, size_t n)
{
	sftp_reply(s, FXP_EXTENDED_REPLY);
	for (size_t i = 0; i < n; i++)
		sftp_put_u64(s, quads[i]);
	sftp_reply_end(s);
	return REPLIED;
}

int
sftp_limits(struct sftp *s, struct sftp_args *a)
{
	/* of a packet, of a read, of a write, open handles */
	static const uint64_t limits[] = { PACKET_MAX, DATA_MAX, DATA_MAX, HANDLES_MAX };

	(void)a;
	return reply_quads(s, limits, sizeof limits / sizeof limits[0]);
}

static int
reply_statvfs(struct sftp *s, const struct statvfs *v)
{
	enum { READ_ONLY = 1, NO_SUID = 2 }; /* as the protocol numbers them */
	uint64_t flags = ((v->f_flag & ST_RDONLY) != 0 ? READ_ONLY : 0) |
	    ((v->f_flag & ST_NOSUID) != 0 ? NO_SUID : 0);
	uint64_t quads[] = { v->f_bsize, v->f_frsize, v->f_blocks, v->f_bfree, v->f_bavail,
		v->f_files, v->f_ffree, v->f_favail, v->f_fsid, flags, v->f_namemax };

	return reply_quads(s, quads, sizeof quads / sizeof quads[0]);
}

int
sftp_statvfs(struct sftp *s, struct sftp_args *a)
{
	struct statvfs v;

	return statvfs(a->path[0], &v) < 0 ? -errno : reply_statvfs(s, &v);
}

int
sftp_fstatvfs(struct sftp *s, struct sftp_args *a)
{
	struct statvfs v;

	return fstatvfs(a->handle[0]->fd, &v) < 0 ? -errno : reply_statvfs(s, &v);
}
