/*
 * Asking the nodes again: one child a node, which writes the containers table
 * and ends.  A node that hangs keeps nobody waiting: its child goes on alone
 * and serves the next list.  Broker.
 */
#include "child.h"
#include "held_node.h"
#include "listing.h"

#include "jumpbox/inventory.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { REFRESH_LIMIT_MS = 15000 };

struct refresh {
	struct listing *listing;
	struct held_node *node;
};

static void
run_refresh(int fd, const struct broker *b, const void *owner)
{
	const struct refresh *r = owner;
	const struct node *n = r->node->node;
	struct errtext e = { 0 };
	struct store *st;

	(void)fd;
	if (store_open(b->cfg->database, STORE_OPEN, &st, &e) != 0) {
		log_warn("node.not_listed", F_STR("node", n->name), F_STR("reason", e.s));
		return;
	}
	if (inventory_refresh(st, n, b->cfg->owner_label, ENGINE_CALL_MS, &e) != 0)
		log_debug("node.not_listed", F_STR("node", n->name), F_STR("reason", e.s));
	store_close(st);
}

static void
refresh_ended(struct broker *b, void *owner, bool late)
{
	struct refresh *r = owner;

	(void)late;
	r->listing->refreshing--;
	held_node_put(b, r->node);
	free(r);
}

static const struct child_kind refresher = { REFRESH_LIMIT_MS, run_refresh, NULL, refresh_ended };

struct asked {
	int64_t id;
	bool unseen;
};

struct to_ask {
	struct asked *node;
	size_t n;
};

static int
take_node(const struct node *n, void *arg)
{
	struct to_ask *t = arg;

	if (n->enabled) {
		t->node = xreallocarray(t->node, t->n + 1, sizeof(*t->node));
		t->node[t->n++] =
		    (struct asked){ n->id, n->last_seen == 0 && strcmp(n->state, "unknown") == 0 };
	}
	return 0;
}

/* Those that are this broker's to ask now. */
static size_t
claim(struct broker *b, const struct to_ask *t, int64_t min_age_ms, struct held_node **claimed,
    unsigned *bits)
{
	size_t i, n = 0;
	int r;

	for (i = 0; i < t->n; i++) {
		r = node_claim_refresh(b->st, t->node[i].id, min_age_ms);
		if (r != 0 && store_failed(b->st))
			break; /* each of the others would wait as long for the same */
		if (r == 0 && held_node_get(b, t->node[i].id, &claimed[n]) == 0)
			n++;
		else if (t->node[i].unseen)
			*bits |= REFRESH_UNSEEN;
	}
	if (n == t->n)
		*bits |= REFRESH_WHOLE;
	return n;
}

unsigned
refresh_start(struct broker *b, int64_t min_age_ms)
{
	struct to_ask t = { NULL, 0 };
	struct held_node **claimed;
	struct refresh *r;
	unsigned bits = 0;
	size_t i, n;

	if (broker_store(b) == NULL || node_each(b->st, take_node, &t) != 0) {
		free(t.node);
		return 0;
	}
	claimed = xcalloc(t.n, sizeof(*claimed));
	n = claim(b, &t, min_age_ms, claimed, &bits);
	if (n > 0)
		broker_store_close(b); /* the children open it themselves */
	for (i = 0; i < n; i++) {
		r = xcalloc(1, sizeof(*r));
		*r = (struct refresh){ b->listing, claimed[i] };
		b->listing->refreshing++;
		if (child_start(b, &refresher, r) == NULL)
			refresh_ended(b, r, false);
	}
	free(claimed);
	free(t.node);
	return bits;
}
