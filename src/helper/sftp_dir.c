/*
 * Requests about directories.  jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Entries are sent in pages that the client with the smallest packets takes. */
enum { PAGE_LEN = 32 * 1024, ENTRY_MAX = 1024 };

int
sftp_opendir(struct sftp *s, struct sftp_args *a)
{
	DIR *dir = opendir(a->path[0]);
	struct sftp_handle *h;

	if (dir == NULL)
		return -errno;
	h = sftp_handle_new(s, dirfd(dir), dir, a->path[0]);
	return h == NULL ? -EMFILE : sftp_handle_reply(s, h);
}

/* ---- an entry as `ls -l` shows it ------------------------------------- */

static char
type_letter(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} types[] = { { S_IFREG, '-' }, { S_IFDIR, 'd' }, { S_IFLNK, 'l' }, { S_IFCHR, 'c' },
		{ S_IFBLK, 'b' }, { S_IFIFO, 'p' }, { S_IFSOCK, 's' } };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].letter;
	return '?';
}

static void
mode_letters(mode_t mode, char dst[static 11])
{
	static const struct {
		mode_t bit;
		int at;
		char with_x, without;
	} special[] = { { S_ISUID, 3, 's', 'S' }, { S_ISGID, 6, 's', 'S' },
		{ S_ISVTX, 9, 't', 'T' } };

	dst[0] = type_letter(mode);
	for (int i = 0; i < 9; i++)
		dst[1 + i] = (mode & (0400u >> i)) != 0 ? "rwx"[i % 3] : '-';
	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
		if ((mode & special[i].bit) != 0)
			dst[special[i].at] =
			    dst[special[i].at] == 'x' ? special[i].with_x : special[i].without;
	dst[10] = '\0';
}

/* The year instead of the time of day for what is half a year away from now. */
static void
time_words(time_t at, char *dst, size_t size)
{
	enum { HALF_A_YEAR = 365 * 24 * 3600 / 2 };
	time_t now = time(NULL);
	bool near = at <= now && now - at < HALF_A_YEAR;
	struct tm tm;

	if (localtime_r(&at, &tm) == NULL ||
	    strftime(dst, size, near ? "%b %e %H:%M" : "%b %e  %Y", &tm) == 0)
		snprintf(dst, size, "?");
}

/* A name, or the number of what has none. */
static void
owner_words(const char *name, uint32_t id, char *dst, size_t size)
{
	if (*name != '\0')
		snprintf(dst, size, "%.32s", name);
	else
		snprintf(dst, size, "%u", (unsigned)id);
}

static void
put_long_name(struct sftp *s, const struct stat *st, const char *name)
{
	char line[ENTRY_MAX / 2], mode[11], user[33], group[33], when[32];

	mode_letters(st->st_mode, mode);
	owner_words(sftp_user_name(st->st_uid), st->st_uid, user, sizeof user);
	owner_words(sftp_group_name(st->st_gid), st->st_gid, group, sizeof group);
	time_words(st->st_mtime, when, sizeof when);
	snprintf(line, sizeof line, "%s %3u %-8s %-8s %8llu %s %s", mode, (unsigned)st->st_nlink,
	    user, group, (unsigned long long)st->st_size, when, name);
	sftp_put_str(s, line);
}

/* ---- reading ---------------------------------------------------------- */

/* Entries up to a page; those that are gone by now are left out.  How many, or a negative errno. */
static int
put_page(struct sftp *s, DIR *dir)
{
	struct dirent *e;
	struct stat st;
	int n = 0;

	while (sftp_reply_len(s) + ENTRY_MAX <= PAGE_LEN) {
		errno = 0;
		e = readdir(dir);
		if (e == NULL)
			return n > 0 ? n : -errno;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		sftp_put_str(s, e->d_name);
		put_long_name(s, &st, e->d_name);
		sftp_put_attrs(s, &st);
		n++;
	}
	return n;
}

int
sftp_readdir(struct sftp *s, struct sftp_args *a)
{
	size_t count_at;
	int n;

	sftp_reply(s, FXP_NAME);
	count_at = sftp_reply_len(s);
	sftp_put_u32(s, 0);
	n = put_page(s, a->handle[0]->dir);
	if (n <= 0) {
		sftp_reply_drop(s);
		if (n < 0)
			return n;
		sftp_status(s, FX_EOF, "End of directory");
		return REPLIED;
	}
	sftp_patch_u32(s, count_at, (uint32_t)n);
	sftp_reply_end(s);
	return REPLIED;
}

/* ---- made and removed ------------------------------------------------- */

int
sftp_mkdir(struct sftp *s, struct sftp_args *a)
{
	mode_t mode = (a->attrs.flags & ATTR_PERMISSIONS) != 0 ? a->attrs.perm & 07777 : 0777;

	if (mkdir(a->path[0], mode) < 0)
		return -errno;
	sftp_note_paths(s, "mkdir", a->path[0], NULL);
	return 0;
}

int
sftp_rmdir(struct sftp *s, struct sftp_args *a)
{
	if (rmdir(a->path[0]) < 0)
		return -errno;
	sftp_note_paths(s, "rmdir", a->path[0], NULL);
	return 0;
}
