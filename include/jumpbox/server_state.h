/*
 * What only the supervisor knows of the running server, as it tells it to
 * jumpbox-metrics, over the SOCK_SEQPACKET pair that is the latter's
 * ROLE_CONTROL_FD, each time that it is asked and never otherwise:
 *
 *	metrics -> supervisor   STATE_ASK    -
 *	supervisor -> metrics   STATE_TELL   u32 draining, u64 accepted, dropped, waiting,
 *	                                     logged in, watcher heard; with the question's id
 */
#ifndef JUMPBOX_SERVER_STATE_H
#define JUMPBOX_SERVER_STATE_H

#include "jumpbox/msg.h"

#include <stdbool.h>
#include <stdint.h>

enum state_type { STATE_ASK = 1, STATE_TELL };

struct server_state {
	bool draining;		    /* it stops, or hands over to its successor */
	uint64_t accepted, dropped; /* connections since its start; dropped for a limit */
	uint64_t waiting, logged_in;
	uint64_t watcher_heard; /* unix seconds: the last sign of life of the database's watcher */
};

void server_state_put(struct msg *m, const struct server_state *s);
/* False: it is no STATE_TELL. */
bool server_state_get(struct msg *m, struct server_state *s);

#endif
