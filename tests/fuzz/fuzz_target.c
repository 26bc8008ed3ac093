/*
 * Login names: what is accepted is well-formed, says the same when written
 * out again, and names containers only by their names.
 */
#include "fuzz.h"

#include "jumpbox/target.h"

#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct target_candidate all[] = {
	{ "web", "n1", "aaaa1111" },
	{ "web-2", "n1", "aaaa2222" },
	{ "db", "n1", "bbbb3333" },
	{ "db", "n2", "cccc4444" },
	{ "cccc", "n2", "dddd5555" },
};

enum { ALL = sizeof all / sizeof all[0] };

/* Exact means the same name, dotted NAME.NODE, and a node that is named is the candidate's. */
static void
level(const struct target *t)
{
	for (unsigned i = 0; i < ALL; i++) {
		unsigned l = target_level(t, &all[i]);
		char dotted[16];

		snprintf(dotted, sizeof dotted, "%s.%s", all[i].name, all[i].node);
		check(l <= 3);
		check((l == 3) <= (strcmp(t->container, all[i].name) == 0));
		check((l == 2) <= (strcmp(t->container, dotted) == 0));
		check(l == 0 || t->node[0] == '\0' || strcmp(t->node, all[i].node) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *login = xcalloc(n + 1, 1), again[512];
	struct target t, u;

	if (n > 0)
		memcpy(login, p, n);
	if (target_parse(login, &t) == 0) {
		check(name_valid(t.user) && (t.node[0] == '\0' || name_valid(t.node)));
		snprintf(again, sizeof again, "%s%s%s%s%s", t.user, t.container[0] ? "+" : "",
		    t.node, t.node[0] ? "+" : "", t.container);
		check(target_parse(again, &u) == 0 && strcmp(t.user, u.user) == 0);
		check(strcmp(t.node, u.node) == 0 && strcmp(t.container, u.container) == 0);
		level(&t);
	} else {
		check(t.node[0] == '\0' && t.container[0] == '\0');
		check(t.user[0] == '\0' || name_valid(t.user));
	}
	free(login);
	return 0;
}
