/*
 * When a role that died may be started again: at once after a long life,
 * then later and later.  Pure.  Supervisor only.
 */
#ifndef SUPERVISOR_RESTART_H
#define SUPERVISOR_RESTART_H

#include <stdint.h>

enum { RESTART_LONG_LIFE_MS = 60000, RESTART_FIRST_MS = 200, RESTART_MAX_MS = 10000 };

struct restart {
	unsigned deaths; /* in a row, none of them after a long life */
};

/* It died after lived_ms: how many milliseconds to wait. */
int64_t restart_delay(struct restart *r, int64_t lived_ms);

#endif
