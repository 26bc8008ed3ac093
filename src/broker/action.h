/*
 * What is asked of a container apart from an attach: details, figures, logs,
 * power.  Each is one request, named by its id until it is over.
 *
 *	child: version, inspect ──facts──► broker: policy, and what must be recorded first
 *	child: the work         ◄──go────┘
 *	                        ──rows, figures, stream──► session
 */
#ifndef BROKER_ACTION_H
#define BROKER_ACTION_H

#include "job.h"

struct action;

struct action_kind {
	uint32_t reply;	  /* its message begins with u32 code, str message */
	uint32_t want;	  /* the permission; 0: whatever makes it reachable */
	enum word denied; /* {1} the container */
	struct child_kind child;
	/* It is allowed and about to be done; NULL: nothing is to be done before. */
	int (*begin)(struct broker *b, struct action *a, struct errtext *e);
	/* What the child says of its work; false: the answer is complete, and it is over. */
	bool (*heard)(struct broker *b, struct action *a, struct msg *m);
	/* It ends, however it went: r and why, which may be NULL. Itself NULL: nothing to do. */
	void (*over)(struct broker *b, struct action *a, int r, const struct errtext *why);
	/* Fields of the reply behind the message of a refusal; NULL: none. */
	void (*empty)(struct msg *m);
};

struct action {
	uint32_t id;
	const struct action_kind *kind;
	struct held_node *node;
	char container[65];
	char *known_as; /* the name that its row had */
	struct live live;
	uint32_t what, tail, follow; /* of POWER; of LOGS */
	const char *how;	     /* it went, for a record; NULL: see over() */
	bool decided, answered;
	bool quiet; /* nobody is told how it ends */
	struct child *child;
	int stream;	/* our copy of what the session was given, to end it; -1: none */
	int64_t end_by; /* EVT_DETACH was sent: when the stream is ended anyway (monotonic); 0 */
	struct action *next;
};

/* The request m about a ref, which the caller has read to its end. NULL, or what is wrong. */
const char *action_start(struct broker *b, struct msg *m, const struct action_kind *kind,
    uint64_t ref, const struct action *asked);

/* Its child's, for a struct action_kind. */
void action_message(struct broker *b, void *owner, struct msg *m);
void action_ended(struct broker *b, void *owner, bool late);

/* It is over, and why. */
void action_refuse(struct broker *b, struct action *a, int code, enum word w);
/* It is answered, and takes as long as somebody wants it. */
void action_goes_on(struct action *a);
/* The reply's head, into a fresh message. */
void action_reply(const struct action *a, struct msg *m, int code, const struct errtext *why);

/* Among those that are asked for or go on: true if there is one of that id, which is over now. */
bool action_cancel(struct broker *b, uint32_t id);
void action_recheck(struct broker *b, const struct subject *s);
void action_release_all(struct broker *b); /* the session has gone */
int64_t action_deadline(const struct broker *b);
void action_tick(struct broker *b, int64_t now);

#endif
