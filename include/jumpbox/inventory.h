/* What a node's engine says of its containers, as rows of the containers table. */
#ifndef JUMPBOX_INVENTORY_H
#define JUMPBOX_INVENTORY_H

#include "jumpbox/docker.h"
#include "jumpbox/store.h"

struct inventory {
	struct container *row; /* for container_replace() or container_change() */
	size_t n;
	struct engine_list list; /* what the rows point into */
};

/* Those of these ids that there are; ids NULL: all.  owner_label: configuration, "" is off. */
int inventory_read(struct engine *en, const char *owner_label, const char *const *ids, size_t n,
    struct inventory *inv, struct errtext *e);
void inventory_release(struct inventory *inv);

/* Reads all of it and stores it: container_replace() or node_set_failed(). */
int inventory_refresh(struct store *st, const struct node *n, const char *owner_label,
    long timeout_ms, struct errtext *e);

#endif
