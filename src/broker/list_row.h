/* A row of a list as it goes to the session: foreign text with limits, so that a page fits a message. */
#ifndef BROKER_LIST_ROW_H
#define BROKER_LIST_ROW_H

#include "jumpbox/msg.h"
#include "jumpbox/proto.h"
#include "jumpbox/store.h"

struct list_row {
	uint64_t ref;
	char id[65], name[129], node[33], state[33], health[17], image[256], service[129];
	char labels[MAX_ROW_LABELS + 1], owner[65], ports[MAX_ROW_PORTS + 1], region[65];
	int64_t created, started, finished, node_seen, used;
	uint32_t exit_code, perms, flags;
};

/* Everything but perms. */
void list_row_fill(struct list_row *r, const struct container *c, int64_t used);
void list_row_put(struct msg *m, const struct list_row *r);

#endif
