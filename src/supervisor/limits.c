/*
 * Who has to go when too many connections have not logged in.  Pure.
 * Supervisor.
 *
 * One array, oldest first, each entry with the number of entries of its
 * source.  Everything is one pass over it: it is as long as max-startups.
 */
#include "limits.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

struct limits_entry {
	struct source source;
	void *who;
	unsigned busy; /* entries of the same source, this one included */
};

void
source_of(const struct in6_addr *address, struct source *s)
{
	memcpy(s->b, address->s6_addr, sizeof s->b);
	if (!IN6_IS_ADDR_V4MAPPED(address))
		memset(s->b + 8, 0, 8);
}

void
limits_init(struct limits *l, unsigned total, unsigned per_source)
{
	*l = (struct limits){ .total = total, .per_source = per_source };
}

/* Sets the busy count of all entries of a source and returns it. */
static unsigned
recount(struct limits *l, const struct source *s)
{
	unsigned busy = 0;
	size_t i;

	for (i = 0; i < l->n; i++)
		busy += memcmp(&l->entry[i].source, s, sizeof *s) == 0;
	for (i = 0; i < l->n; i++)
		if (memcmp(&l->entry[i].source, s, sizeof *s) == 0)
			l->entry[i].busy = busy;
	return busy;
}

static void *
take(struct limits *l, size_t i)
{
	struct source s = l->entry[i].source;
	void *who = l->entry[i].who;

	l->n--;
	memmove(&l->entry[i], &l->entry[i + 1], (l->n - i) * sizeof l->entry[0]);
	recount(l, &s);
	return who;
}

static size_t
oldest_of(const struct limits *l, const struct source *s)
{
	size_t i = 0;

	while (memcmp(&l->entry[i].source, s, sizeof *s) != 0)
		i++;
	return i;
}

static size_t
oldest_of_busiest(const struct limits *l)
{
	size_t i, best = 0;

	for (i = 1; i < l->n; i++)
		if (l->entry[i].busy > l->entry[best].busy)
			best = i;
	return best;
}

void *
limits_add(struct limits *l, const struct source *s, void *who)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->entry = xreallocarray(l->entry, l->cap, sizeof l->entry[0]);
	}
	l->entry[l->n++] = (struct limits_entry){ *s, who, 0 };
	if (recount(l, s) > l->per_source)
		return take(l, oldest_of(l, s));
	if (l->n > l->total)
		return take(l, oldest_of_busiest(l));
	return NULL;
}

void
limits_remove(struct limits *l, const void *who)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->entry[i].who == who) {
			take(l, i);
			return;
		}
	}
}
