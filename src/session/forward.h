/* Forwarded connections, both ways, and the agent's socket.  What carry.c and forward.c share, too. */
#ifndef SESSION_FORWARD_H
#define SESSION_FORWARD_H

#include "conn.h"
#include "mux_client.h"

struct reverse;

/* ---- forward.c ---------------------------------------------------------- */

/* A channel that the client opens, if it is to be forwarded (takes the message); false: it is not. */
bool forward_open(struct conn *c, ssh_message m);
/* tcpip-forward, cancel-tcpip-forward, others (takes the message). */
void forward_global(struct conn *c, ssh_message m);
bool forward_answer(struct conn *c, struct msg *m); /* REP_TARGET; false: not ours */

/* ---- reverse.c: channels that are opened to the client ------------------- */

/* For a connection that was accepted in a container; address NULL: at the agent's socket. */
void reverse_begin(struct conn *c, struct mux_chan *mc, const char *address, uint32_t port,
    const char *peer, uint32_t peer_port);
bool reverse_work(struct channel *ch);
void reverse_free(struct reverse *r);
/* The channel's shell has to wait for a socket, and will be started when there is one. */
bool agent_waits(struct channel *ch, uint64_t ref);
/* Of that container; NULL: none. */
const char *agent_path(const struct conn *c, uint64_t ref);

/* ---- carry.c --------------------------------------------------------------- */

/* The channel carries what that one does; reverse: when the client has taken it. */
void carry_begin(struct channel *ch, struct mux_chan *mc, struct reverse *reverse);

#endif
