/*
 * Open files and directories, by the names that the client has for them:
 *
 *	+------+--------+
 *	| slot | serial |   u32 each
 *	+------+--------+
 *
 * A serial number is never used twice, so that a name which was closed is not
 * another's.  jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
close_both(int fd, DIR *dir)
{
	int r = dir != NULL ? closedir(dir) : close(fd);

	return r < 0 ? -errno : 0;
}

static struct sftp_handle *
find_free(struct sftp *s)
{
	struct sftp_handle *h = s->handles, *end = s->handles + HANDLES_MAX;

	while (h < end && h->serial != 0)
		h++;
	return h < end && s->serial < UINT32_MAX ? h : NULL;
}

bool
sftp_handle_left(struct sftp *s)
{
	return find_free(s) != NULL;
}

struct sftp_handle *
sftp_handle_new(struct sftp *s, int fd, DIR *dir, const char *path)
{
	struct sftp_handle *h = find_free(s);
	char *copy = h != NULL ? strdup(path) : NULL;

	if (copy == NULL) {
		close_both(fd, dir);
		return NULL;
	}
	*h = (struct sftp_handle){ .serial = ++s->serial, .fd = fd, .dir = dir, .path = copy };
	return h;
}

struct sftp_handle *
sftp_handle_find(struct sftp *s, const struct sftp_bytes *name)
{
	struct sftp_bytes p = *name;
	uint32_t slot, serial;

	if (p.n != HANDLE_LEN || !sftp_get_u32(&p, &slot) || !sftp_get_u32(&p, &serial))
		return NULL;
	if (slot >= HANDLES_MAX || serial == 0 || s->handles[slot].serial != serial)
		return NULL;
	return &s->handles[slot];
}

int
sftp_handle_reply(struct sftp *s, const struct sftp_handle *h)
{
	sftp_reply(s, FXP_HANDLE);
	sftp_put_u32(s, HANDLE_LEN);
	sftp_put_u32(s, (uint32_t)(h - s->handles));
	sftp_put_u32(s, h->serial);
	sftp_reply_end(s);
	return REPLIED;
}

/* Reading a directory is in no note: looking is not taking. */
static void
note_close(struct sftp *s, const struct sftp_handle *h)
{
	struct note n;

	if (h->dir != NULL)
		return;
	note_begin(&n, "close");
	note_path(&n, "path", h->path);
	if (h->readable)
		note_text(&n, "read", "%llu", (unsigned long long)h->in);
	if (h->writable)
		note_text(&n, "written", "%llu", (unsigned long long)h->out);
	sftp_note_send(s, &n);
}

int
sftp_handle_close(struct sftp *s, struct sftp_handle *h)
{
	int r = close_both(h->fd, h->dir);

	note_close(s, h);
	free(h->path);
	*h = (struct sftp_handle){ 0 };
	return r;
}

void
sftp_handle_close_all(struct sftp *s)
{
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (s->handles[i].serial != 0)
			sftp_handle_close(s, &s->handles[i]);
}
