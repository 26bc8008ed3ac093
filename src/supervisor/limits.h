/*
 * Who has to go when too many connections have not logged in.  A pure
 * decision: no descriptor, no clock.  Supervisor only.
 */
#ifndef SUPERVISOR_LIMITS_H
#define SUPERVISOR_LIMITS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* What counts as one source: an IPv4 address, or an IPv6 /64. */
struct source {
	uint8_t b[16];
};

/* IPv4 addresses mapped into IPv6 are IPv4 addresses. */
void source_of(const struct in6_addr *address, struct source *s);

struct limits {
	unsigned total, per_source; /* the limits, both at least 1 */
	struct limits_entry *entry; /* oldest first */
	size_t n, cap;
};

void limits_init(struct limits *l, unsigned total, unsigned per_source);

/*
 * Counts one more.  Returns who has to go, and counts it no more, or NULL:
 * at per_source the oldest of this source, at total the oldest of the busiest
 * source (among equally busy ones the oldest of all).  Never the newcomer.
 */
void *limits_add(struct limits *l, const struct source *s, void *who);

/* It logged in or ended; nothing happens if it is not counted. */
void limits_remove(struct limits *l, const void *who);

#endif
