/*
 * The nodes that a connection's attaches go to.  A thousand
 * attaches to one node hold its TLS material once; a node that is changed
 * meanwhile is another one to those that come later.  Broker.
 */
#include "held_node.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_node(const struct node *a, const struct node *b)
{
	return a->id == b->id && same(a->name, b->name) && same(a->url, b->url) &&
	    same(a->ca, b->ca) && same(a->cert, b->cert) && same(a->key, b->key) &&
	    a->insecure == b->insecure && same(a->record, b->record) && same(a->helper, b->helper);
}

struct search {
	struct broker *b;
	struct held_node *found;
};

/* The one that is held already, or a new one. */
static int
find_or_add(const struct node *n, void *arg)
{
	struct search *s = arg;
	struct held_node *h;

	if (!n->enabled)
		return JB_UNAVAILABLE;
	for (h = s->b->nodes; h != NULL && !same_node(h->node, n); h = h->next)
		;
	if (h == NULL) {
		h = xcalloc(1, sizeof(*h));
		*h = (struct held_node){ node_dup(n), 0, s->b->nodes };
		s->b->nodes = h;
	}
	s->found = h;
	return 0;
}

int
held_node_get(struct broker *b, int64_t id, struct held_node **h)
{
	struct search s = { b, NULL };
	int r = node_get_id(b->st, id, find_or_add, &s);

	if (r != 0)
		return r;
	s.found->refs++;
	*h = s.found;
	return 0;
}

void
held_node_put(struct broker *b, struct held_node *h)
{
	struct held_node **p = &b->nodes;

	if (h == NULL || --h->refs > 0)
		return;
	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	node_free(h->node);
	free(h);
}

/* ---- where a container is ----------------------------------------------------- */

struct found {
	char id[65];
	char *name;
	int64_t node_id;
};

static int
take_container(const struct container *c, void *arg)
{
	struct found *f = arg;

	f->node_id = c->node_id;
	f->name = xstrdup(c->name);
	return str_copy(f->id, sizeof(f->id), c->id);
}

int
held_node_locate(struct broker *b, uint64_t ref, struct held_node **h, char id[static 65],
    char **name, struct errtext *e)
{
	struct found f = { .name = NULL };
	int r;

	if (broker_store(b) == NULL)
		return broker_no_database(e);
	r = container_get(b->st, (int64_t)ref, take_container, &f);
	*name = f.name;
	if (r == JB_NOT_FOUND)
		return err_words(e, r, W_CONTAINER_GONE, NULL, NULL, NULL);
	if (r == 0)
		r = held_node_get(b, f.node_id, h);
	if (r != 0)
		return err_words(e, JB_UNAVAILABLE, W_ATTACH_NODE_GONE, NULL, NULL, NULL);
	str_copy(id, 65, f.id);
	return 0;
}
