/* Retention of recordings. jumpbox-watcher. */
#ifndef WATCHER_OLD_RECORDINGS_H
#define WATCHER_OLD_RECORDINGS_H

#include "jumpbox/config.h"
#include "jumpbox/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Removes recordings that are older, or together larger, than is configured;
 * a bounded batch a call.  *removed: how many; more may be due if it is not 0.
 */
int old_recordings_remove(const struct config *c, struct store *st, int64_t *removed);

#endif
