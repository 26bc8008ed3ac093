/*
 * What a session has been shown, and the lists it waits for.  A list waits a
 * moment for the nodes to be asked again, and is then answered from the
 * database whatever they did.
 */
#ifndef BROKER_LISTING_H
#define BROKER_LISTING_H

#include "broker.h"
#include "list_row.h"

/* A TARGET or LIST whose answer waits for a refresh. */
struct pending {
	uint32_t type, id;
	struct target target; /* of a TARGET */
	int64_t since;	      /* of a LIST */
	int64_t deadline;
	bool fresh;	/* each node was asked for this one */
	bool patient;	/* somebody else is asking a node that matters: waits until the deadline */
	unsigned tries; /* so many refreshes have not made the name known */
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
	int64_t mark;	 /* of the inventory when it was made */
	uint64_t *known; /* all that was ever listed to this session, sorted */
	size_t nknown;
	struct pending *pending;
	unsigned npending, refreshing;
	/* the container that an attach last found gone or renamed: TARGET looks past that row */
	char gone[65], gone_name[256];
};

enum {
	REFRESH_WHOLE = 1 << 0,	 /* all nodes are being asked by this broker */
	REFRESH_UNSEEN = 1 << 1, /* one that was never listed yet is asked by another */
};

/* refresh.c: asks each enabled node that nobody asked for min_age_ms. Those bits. */
unsigned refresh_start(struct broker *b, int64_t min_age_ms);

/* do_list.c */
/* Asks the nodes, then answers the request. */
void list_ask(struct broker *b, const struct pending *what);
void list_learn(struct broker *b, uint64_t ref);
/* do_target.c */
/* That row is no answer any more: the session may ask once more what a name means. */
void target_outdated(struct broker *b, const char *container, const char *name);
void target_answer(struct broker *b, const struct pending *p);

#endif
