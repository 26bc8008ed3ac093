/* One node, kept beyond the store's callback. */
#ifndef JUMPBOX_CTL_NODE_COPY_H
#define JUMPBOX_CTL_NODE_COPY_H

#include "jumpbox/docker.h"
#include "jumpbox/store.h"

struct node_copy {
	struct node node; /* its strings belong to the copy */
};

void node_copy_init(struct node_copy *copy, const struct node *n);
/* By name; the store's code. Untouched on failure. */
int node_copy_get(struct store *st, const char *name, struct node_copy *copy);
void node_copy_release(struct node_copy *copy); /* wipes the key */

/* Its address; points into the copy. */
struct engine_addr node_copy_addr(const struct node_copy *copy);

#endif
