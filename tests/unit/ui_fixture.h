/* Rows for the tests of the menu's files. */
#ifndef UI_FIXTURE_H
#define UI_FIXTURE_H

#include "../../src/session/ui_model.h"

#include <stdio.h>

enum { NOW = 1000000000 };

/* A running container; more of it may be set before it is added. */
static inline struct ui_entry
ui_row(uint64_t ref, const char *name, const char *node)
{
	return (struct ui_entry){ .ref = ref,
		.id = "0123456789",
		.name = name,
		.node = node,
		.state = "running",
		.image = "nginx:1",
		.perms = 0xffff,
		.started = NOW - 300 };
}

static inline void
ui_rows_add(struct ui_model *m, unsigned n)
{
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		struct ui_entry e;

		snprintf(name, sizeof(name), "c-%u", i);
		e = ui_row(100 + i, name, i % 2 == 0 ? "one" : "two");
		ui_model_add(m, &e);
	}
}

#endif
