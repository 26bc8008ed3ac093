/* Recordings reach the disk. jumpbox-watcher. */
#ifndef WATCHER_SYNC_RECORDINGS_H
#define WATCHER_SYNC_RECORDINGS_H

#include "jumpbox/config.h"
#include "jumpbox/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sync_recordings {
	int64_t due;   /* monotonic ms */
	int64_t since; /* unix seconds: what was written before is on the disk */
	pid_t child;   /* who is at it; 0: nobody */
	bool live;     /* something was being recorded at the last look */
};

/* To be called each second. 0, or the database's failure. */
int sync_recordings(struct sync_recordings *s, const struct config *c, struct store *st);

#endif
