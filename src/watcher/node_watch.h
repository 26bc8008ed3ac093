/* Following one container engine: one process per node. */
#ifndef WATCHER_NODE_WATCH_H
#define WATCHER_NODE_WATCH_H

#include "jumpbox/config.h"

#include <stdint.h>

/*
 * Until the supervisor is gone, or the node is deleted, disabled or changed.
 * SIGTERM simply ends it: it holds nothing that is not in the database.
 * Returns the exit status.
 */
int node_watch(const struct config *c, int control, int64_t id);

#endif
