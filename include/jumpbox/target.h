/* USER+NODE+CONTAINER, as the client's user name says it.  Pure. */
#ifndef JUMPBOX_TARGET_H
#define JUMPBOX_TARGET_H

#include "jumpbox/errors.h"

#include <stdbool.h>

enum { NAME_MAX_LEN = 32, CONTAINER_NAME_MAX = 128 };

struct target {
	char user[NAME_MAX_LEN + 1];
	char node[NAME_MAX_LEN + 1];		/* empty: any */
	char container[CONTAINER_NAME_MAX + 1]; /* name or prefix; empty: the menu */
};

/* [a-z0-9][a-z0-9._-]{0,31} */
bool name_valid(const char *s);

/*
 * Splits at + ~ : or #, after decoding %2B (and %7E %3A %23, any case).
 * JB_BAD_INPUT if a part is malformed; the user part is then still filled
 * if it was well-formed, else empty.
 */
int target_parse(const char *login, struct target *t);

/* One container as the resolver sees it. */
struct target_candidate {
	const char *name, *node, *id;
};

/*
 * How well t names a candidate: 0 not at all, 1 by a prefix of its name or
 * id, 2 as NAME.NODE, 3 by its exact name.  The candidates of the best level are what t means.
 */
unsigned target_level(const struct target *t, const struct target_candidate *c);

#endif
