/* The containers that something has happened to since they were last looked at.  jumpbox-watcher; pure. */
#include "touched.h"

#include <string.h>

void
touched_add(struct touched *t, const char *id)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->id[i], id) == 0)
			return;
	if (t->n == TOUCHED_MAX || strlen(id) >= sizeof(t->id[0]))
		t->all = true;
	else
		strcpy(t->id[t->n++], id);
}

void
touched_clear(struct touched *t)
{
	t->n = 0;
	t->all = false;
}
