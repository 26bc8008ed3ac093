/*
 * The connections: accepted, held until the client's first byte, handed
 * over, counted until their broker is gone.  Supervisor only.
 *
 *	accept --> WAITING --first byte, or 250 ms--> QUEUED --zygotes ready--> STARTED
 *	              |                                 |                        |    |
 *	              +----- a limit, or the grace time: closed ------+          |  STATUS_LOGIN
 *	                                                                         |    |
 *	                                 LEAVING <-- a limit: STATUS_DROP -------+    v
 *	                                    +------- end of file: forgotten ------ AUTHED
 */
#ifndef SUPERVISOR_CONNS_H
#define SUPERVISOR_CONNS_H

#include "jumpbox/config.h"
#include "jumpbox/server_state.h"
#include "listen.h"

#include <stdbool.h>
#include <stdint.h>

/* max_open: how many descriptors there can be. */
void conns_init(const struct config *c, uint64_t max_open);

/* Accepts from these (they stay the caller's), or from none (NULL). */
void conns_listen(const struct listeners *l);

/* Hands over what waits, as far as the zygotes can take it. */
void conns_pump(void);
int64_t conns_tick(int64_t now);

void conns_policy(void);    /* tells every broker */
void conns_inventory(void); /* tells those with an open menu */
void conns_hurry(void);	    /* those that wait for their first byte wait no more */
bool conns_pending(void);   /* some are not handed over */
void conns_shutdown(void);  /* STATUS_SHUTDOWN to all; those not handed over are closed */
uint64_t conns_count(void);
void conns_numbers(struct server_state *s); /* those that are of connections */

#endif
