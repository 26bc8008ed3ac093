/*
 * A node outside the store's callback, for whoever talks to its engine and
 * then writes what it saw.  jumpboxctl.
 */
#include "node_copy.h"

#include "jumpbox/util.h"

#include <stdlib.h>

static char *
copy_of(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

void
node_copy_init(struct node_copy *copy, const struct node *n)
{
	copy->node = *n;
	copy->node.name = copy_of(n->name);
	copy->node.url = copy_of(n->url);
	copy->node.ca = copy_of(n->ca);
	copy->node.cert = copy_of(n->cert);
	copy->node.key = copy_of(n->key);
	copy->node.region = copy->node.helper = copy->node.state = copy->node.last_error = NULL;
}

static int
take(const struct node *n, void *arg)
{
	node_copy_init(arg, n);
	return 0;
}

int
node_copy_get(struct store *st, const char *name, struct node_copy *copy)
{
	return node_get(st, name, take, copy);
}

void
node_copy_release(struct node_copy *copy)
{
	free((char *)copy->node.name);
	free((char *)copy->node.url);
	free((char *)copy->node.ca);
	free((char *)copy->node.cert);
	free_secret((char *)copy->node.key);
}

struct engine_addr
node_copy_addr(const struct node_copy *copy)
{
	const struct node *n = &copy->node;

	return (struct engine_addr){ n->name, n->url, n->ca, n->cert, n->key, n->insecure };
}
