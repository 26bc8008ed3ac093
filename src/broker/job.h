/*
 * What the broker's engine children have in common: how they say things, and
 * the facts that each decision is made on.  They decide nothing and know no
 * database.
 */
#ifndef BROKER_JOB_H
#define BROKER_JOB_H

#include "child.h"
#include "held_node.h"

/* A container as its engine described it a moment ago. */
struct live {
	struct engine_info info;
	char *name, *image, *labels;
	char *owner; /* NULL: none */
	char state[32];
	bool pid_host;
};

/* ---- in the child -------------------------------------------------------- */

/* A broker that is gone, or a message that is too large, ends the process. Releases m. */
void job_tell(int fd, struct msg *m);
void job_failed(int fd, int code, const struct errtext *e);
struct engine *job_engine(const struct held_node *node, long timeout_ms);
/* Version and inspect, told as CHILD_FACTS; *tty: it has a terminal (NULL: not wanted). */
int job_facts(int fd, const struct broker *b, struct engine *en, const char *container,
    struct engine_info *info, bool *tty, struct errtext *e);
/* Waits for the decision; a refusal is SIGKILL. *run_as: malloc'd, NULL for the image's. */
void job_go(int fd, char **run_as);
/* An exec exists, and may run from now on. */
void job_exec(int fd, const char *exec_id);
/* Passes the stream. For TLS: one end of a pair, and this process stays between. */
void job_pass(int fd, struct engine *en, const struct exec_stream *s);

/* ---- in the broker -------------------------------------------------------- */

/* Takes a CHILD_FACTS into an empty one; false: it is malformed. */
bool live_take(struct msg *m, struct live *l);
void live_release(struct live *l);

#endif
