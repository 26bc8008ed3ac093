/*
 * A node as it was when an attach began; shared by those of one
 * connection that saw the same.  Broker.
 */
#ifndef BROKER_HELD_NODE_H
#define BROKER_HELD_NODE_H

#include "broker.h"

struct held_node {
	struct node *node;
	unsigned refs;
	struct held_node *next;
};

/* JB_NOT_FOUND; JB_UNAVAILABLE: it is disabled. */
int held_node_get(struct broker *b, int64_t id, struct held_node **h);
/*
 * The node of a listed container, and its id and name there (malloc'd, also on
 * failure; NULL).  JB_NOT_FOUND, JB_UNAVAILABLE and why.
 */
int held_node_locate(struct broker *b, uint64_t ref, struct held_node **h, char id[static 65],
    char **name, struct errtext *e);
void held_node_put(struct broker *b, struct held_node *h); /* NULL is fine */

#endif
