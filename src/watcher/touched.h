/* The containers that something has happened to since they were last looked at.  jumpbox-watcher; pure. */
#ifndef WATCHER_TOUCHED_H
#define WATCHER_TOUCHED_H

#include <stdbool.h>
#include <stddef.h>

enum { TOUCHED_MAX = 64 };

struct touched {
	char id[TOUCHED_MAX][65];
	size_t n;
	bool all; /* more than can be told apart: all of the node */
};

void touched_add(struct touched *t, const char *id); /* each once */
void touched_clear(struct touched *t);

#endif
