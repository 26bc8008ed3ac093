/*
 * Lists and names that wait for a moment because the inventory may not know
 * everything yet: what was made on a node this very second reaches it a few
 * tenths later.  Broker.
 */
#include "listing.h"

#include "jumpbox/util.h"

#include <stdlib.h>

enum { LOOK_MS = 50 };

void
waiting_add(struct broker *b, const struct pending *what)
{
	struct listing *l = b->listing;
	struct pending *p = xcalloc(1, sizeof(*p)), **at = &l->pending;

	*p = *what;
	p->asked = p->look_at = now_mono_ms();
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	l->npending++;
}

int64_t
waiting_deadline(const struct broker *b)
{
	const struct pending *p;
	int64_t first = 0;

	for (p = b->listing->pending; p != NULL; p = p->next)
		first = sooner(first, p->look_at);
	return first;
}

static bool
look(struct broker *b, struct pending *p, int64_t now)
{
	if (b->state != STATE_AUTHED)
		return true; /* it is ending: nobody waits any more */
	return (p->type == REQ_TARGET ? target_look : list_look)(b, p, now - p->asked);
}

void
waiting_tick(struct broker *b, int64_t now)
{
	struct pending **at = &b->listing->pending, *p;

	while ((p = *at) != NULL) {
		if (!due(p->look_at, now) || !look(b, p, now)) {
			if (p->look_at <= now)
				p->look_at = now + LOOK_MS;
			at = &p->next;
			continue;
		}
		*at = p->next;
		b->listing->npending--;
		free(p);
	}
}

void
waiting_release(struct broker *b)
{
	struct listing *l = b->listing;
	struct pending *p;

	while ((p = l->pending) != NULL) {
		l->pending = p->next;
		free(p);
	}
}
