/*
 * Lines for the audit, as the requests have them (note.c).  What cannot be told must not go on.
 * jumpbox-helper's SFTP process.
 */
#include "sftp_server.h"

void
sftp_note_send(struct sftp *s, struct note *n)
{
	s->dead |= !note_write(s->notes, n);
}

void
sftp_note_sizes(
    struct sftp *s, const char *verb, const char *path, const char *to, int64_t size, int64_t was)
{
	struct note n;

	note_begin(&n, verb);
	note_path(&n, "path", path);
	if (to != NULL)
		note_path(&n, "to", to);
	note_size(&n, "size", size);
	note_size(&n, "was", was);
	sftp_note_send(s, &n);
}

void
sftp_note_paths(struct sftp *s, const char *verb, const char *path, const char *to)
{
	sftp_note_sizes(s, verb, path, to, -1, -1);
}
