/*
 * What a session has been shown, and the lists and names that wait for a
 * moment because the inventory may not know everything yet.
 */
#ifndef BROKER_LISTING_H
#define BROKER_LISTING_H

#include "broker.h"
#include "list_row.h"

/* A TARGET or LIST that is not answered yet. */
struct pending {
	uint32_t type, id;
	struct target target; /* of a TARGET */
	int64_t since;	      /* of a LIST */
	int64_t asked, look_at;
	int64_t mark;	/* of the inventory when a TARGET was last looked for; 0: it was not */
	unsigned level; /* what was found then (target_level) */
	struct pending *next;
};

struct shown {
	uint64_t ref;
	uint32_t perms;
};

struct listing {
	struct shown *page; /* the newest list, while its pages are asked for */
	size_t npage;
	uint64_t *lost; /* and what it says is no more */
	size_t nlost;
	int64_t mark;	 /* of the inventory when it was made; 0: none was yet */
	bool missed;	 /* what may be reached changed since, and nobody followed */
	uint64_t *known; /* all that was ever listed to this session, sorted */
	size_t nknown;
	struct pending *pending;
	unsigned npending;
	/* the container that an attach last found gone or renamed: TARGET looks past that row */
	char gone[65], gone_name[256];
};

/* waiting.c: answers it as soon as it can be. */
void waiting_add(struct broker *b, const struct pending *what);

/* do_list.c: true: answered; waited: so long, ms. */
bool list_look(struct broker *b, struct pending *p, int64_t waited);
void list_learn(struct broker *b, uint64_t ref);
/* do_target.c */
/* That row is no answer any more: the session may ask once more what a name means. */
void target_outdated(struct broker *b, const char *container, const char *name);
bool target_look(struct broker *b, struct pending *p, int64_t waited);

#endif
