/*
 * A child of the broker: straight-line blocking code with one SEQPACKET
 * channel to the broker's poll loop.  Its end is the end of that channel;
 * stopping it and timing it out are SIGKILL, and it dies with the broker.
 */
#ifndef BROKER_CHILD_H
#define BROKER_CHILD_H

#include "broker.h"

#include <sys/types.h>

/* What a child says on its channel, and the one thing it is told (CHILD_GO). */
enum child_message {
	CHILD_FACTS = 1, /* see run_attach() in exec_jobs.c */
	CHILD_GO,	 /* str run-as ("" the image's) */
	CHILD_EXEC,	 /* str exec id: it exists, and may run from now on */
	CHILD_STREAM,	 /* one fd: it runs */
	CHILD_FAILED,	 /* u32 code, why */
	CHILD_STATUS,	 /* u32 running, u32 exit code */
	CHILD_DONE,	 /* the engine took it */
	CHILD_HASH,	 /* u32 code, str hash ("" none), why */
	CHILD_DETAILS,	 /* see do_details.c */
	CHILD_STATS,	 /* see do_stats.c */
};

/* One row per kind of child. */
struct child_kind {
	int limit_ms; /* from its start; 0: none */
	/* In the child: owner is a copy of what the broker had. */
	void (*run)(int fd, const struct broker *b, const void *owner);
	/* In the broker. message may be NULL. ended is called once, late: it ran out of time. */
	void (*message)(struct broker *b, void *owner, struct msg *m);
	void (*ended)(struct broker *b, void *owner, bool late);
};

struct child {
	const struct child_kind *kind;
	void *owner; /* NULL: nobody cares any more */
	pid_t pid;
	int fd;
	int64_t deadline; /* 0: none */
	bool late;
	struct child *next;
};

/* NULL when the system has no process or descriptor left. */
struct child *child_start(struct broker *b, const struct child_kind *kind, void *owner);
/* Kills it; its owner hears nothing of it any more. NULL is fine. */
void child_stop(struct child *c);
/* It may now take as long as it likes. */
void child_no_limit(struct child *c);
int child_tell(struct child *c, struct msg *m);

/* A sentence in a message of theirs: str for the operator, str for the user. */
void child_put_why(struct msg *m, const struct errtext *why);
void child_get_why(struct msg *m, struct errtext *why);

/* At the end: they are killed, and nobody waits for them. */
void child_forget_all(struct broker *b);

/* For the poll loop. */
unsigned child_count(const struct broker *b);
void child_readable(struct broker *b, struct child *c);
void child_reap(struct broker *b); /* frees those that have ended */
int64_t child_deadline(const struct broker *b);
void child_tick(struct broker *b, int64_t now);

/* In a process just forked: default signals, only this descriptor (which becomes 3), dies with its
 * parent. */
int child_become(int fd, pid_t parent);

#endif
