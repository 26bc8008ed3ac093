/* The one writer of the containers table: lists a node's engine and stores what it sees. */
#ifndef JUMPBOX_INVENTORY_H
#define JUMPBOX_INVENTORY_H

#include "jumpbox/docker.h"
#include "jumpbox/store.h"

/* Lists, then container_replace() or node_set_failed().  owner_label: configuration, "" is off. */
int inventory_refresh(struct store *st, const struct node *n, const char *owner_label,
    long timeout_ms, struct errtext *e);

#endif
