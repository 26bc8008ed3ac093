/*
 * The directory of recordings, beside the database: made by the broker, read
 * by jumpboxctl, thinned out by the watcher of the database.
 *
 * A recording that is being made is locked by its writer's descriptor (an open
 * file description lock), from its birth until the last copy of that is
 * closed, kill -9 included: nobody has to be believed about it.
 */
#ifndef JUMPBOX_RECORDINGS_H
#define JUMPBOX_RECORDINGS_H

#include "jumpbox/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDING_NAME = 64 };

/* Its path, for a person. Returns dst. */
char *recordings_path(const char *database, char *dst, size_t size);
/* The directory, opened; made if missing and `make`.  -1 and errno. */
int recordings_open_dir(const char *database, bool make);
/* "20270131T180000Z-SESSION-REQUEST.cast.gz": names sort by time. */
void recording_name(char dst[static RECORDING_NAME], int64_t at, int64_t session, uint32_t request);
/* Such a name: other files in that directory are nobody's business. */
bool recording_name_ok(const char *name);
/* A new one, write-only and append-only, 0600 and locked.  -1 and errno. */
int recording_create(int dir, const char *name);
/* An old one, read-only.  -1 and errno. */
int recording_open(int dir, const char *name);
/* It is still being written. */
bool recording_live(int fd);

#endif
