/* Is a node as it should be?  jumpboxctl. */
#ifndef JUMPBOX_CTL_NODE_CHECK_H
#define JUMPBOX_CTL_NODE_CHECK_H

#include "jumpbox/store.h"

#include <stddef.h>

/*
 * Asks them, many at a time, and calls said() for each in their order: code 0
 * and what it is, or what is wrong and what to do.
 */
void node_check_all(struct node *const *node, size_t n,
    void (*said)(const struct node *n, int code, const char *message, void *arg), void *arg);

#endif
