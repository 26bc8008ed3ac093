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

enum {
	RECORDING_NAME = 64,
	RECORDINGS_FREE_LEAST = 16
	    << 20, /* with less on the disk none is begun: the database needs it */
};

/* Its path, for a person. Returns dst. */
char *recordings_path(const char *database, char *dst, size_t size);
/* The directory, opened; made if missing and `make`.  -1 and errno. */
int recordings_open_dir(const char *database, bool make);
/* "20270131T180000Z-SESSION-REQUEST.cast.gz": names sort by time. */
void recording_name(char dst[static RECORDING_NAME], int64_t at, int64_t session, uint32_t request);
/* Such a name: other files in that directory are nobody's business. */
bool recording_name_ok(const char *name);
/* Each file in dir that has such a name; -1 and errno if it cannot be read. */
int recordings_each(int dir, void (*fn)(int dir, const char *name, void *), void *arg);
/* A new one, write-only and append-only, 0600 and locked.  -1 and errno. */
int recording_create(int dir, const char *name);
/* An old one, read-only.  -1 and errno. */
int recording_open(int dir, const char *name);
/* It is still being written. */
bool recording_live(int fd);

/* ---- src/access/recorded.c: which recording of a session ------------------ */

struct store;

struct recorded {
	int fd;	    /* open for reading, the caller's; -1: the file is not here */
	unsigned n; /* of the session's, from 1 on */
	int64_t attach;
	char name[RECORDING_NAME];
	char where[128]; /* node/container */
	int64_t opened, closed;
};

/* All of a session, oldest first; the fd is closed after fn has returned. */
int recorded_each(struct store *st, const char *database, int64_t session,
    int (*fn)(const struct recorded *, void *), void *arg);
/*
 * Number n of the session; 0: the only one there is, of those that are still
 * being made if live.  A sentence in e says why there is none.
 */
int recorded_find(struct store *st, const char *database, int64_t session, unsigned n, bool live,
    struct recorded *r, struct errtext *e);

#endif
