/*
 * The two zygotes: started, fed with connections, replaced by a fresh exec
 * after a crash of a child and after every ZYGOTE_LIFE connections, started
 * again when they die.  Supervisor only.
 *
 *	          exec                READY                shutdown(SHUT_WR)
 *	none ---------------> STARTING -----> READY (current) -------------> RETIRING --> reaped
 *	  ^                      |  too late     |  died
 *	  +----- restart_delay --+---------------+
 */
#ifndef SUPERVISOR_ZYGOTES_H
#define SUPERVISOR_ZYGOTES_H

#include "address.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct handover {
	uint64_t conn;
	struct address peer, local;
	uint64_t accepted; /* unix ms */
	int client;
};

/* config_fd and keys_fd stay the caller's and open. */
void zygotes_start(int config_fd, int keys_fd);

/* Both have been ready at least once. */
bool zygotes_started(void);
/* One died before that. */
bool zygotes_failed(void);
/* Both can take a connection now. */
bool zygotes_ready(void);
/*
 * Makes the pair's sockets and hands the connection to both.  0: client is
 * not the caller's any more, *status is (non-blocking).  JB_TRY_AGAIN: no
 * descriptors left; nothing has changed.  Only while zygotes_ready().
 */
int zygotes_give(const struct handover *h, int *status);

/* What is due by time; when something will be next (0: nothing). */
int64_t zygotes_tick(int64_t now);
/* true if pid was one of theirs. */
bool zygotes_reaped(pid_t pid, int status);

/* A connection was given, but has not left this process yet. */
bool zygotes_holding(void);
/* No fresh ones; those that live read what they were sent and end.  Then: all are gone. */
void zygotes_retire(void);
bool zygotes_gone(void);

#endif
