/* Following the database: one per host. */
#ifndef WATCHER_DB_WATCH_H
#define WATCHER_DB_WATCH_H

#include "jumpbox/config.h"

/*
 * Until the supervisor is gone or SIGTERM (sigfd) asks for the end.  Says what
 * it sees on control (zygote.h).  Returns the exit status.
 */
int db_watch(const struct config *c, int control, int sigfd);

#endif
