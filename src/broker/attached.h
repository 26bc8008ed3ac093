/*
 * One attach of a connection, from its request to the end of what it ran.
 *
 *	QUEUED ──► OPENING ──► DECIDED ──► OPEN ──► LEAVING ──► (row closed, freed)
 *	   │          │   facts, policy,  │  fd passed  ▲  DETACH, a lost session,
 *	   └──────────┴─  row, audit ─────┴─────────────┘  a lost permission
 *
 * The id of the request names it.  What runs in a container is followed
 * until it has ended: the row stays open until then, so that the cleaner finds it if
 * this broker dies or cannot end it in time.
 */
#ifndef BROKER_ATTACHED_H
#define BROKER_ATTACHED_H

#include "broker.h"
#include "child.h"
#include "held_node.h"

#include "jumpbox/recordings.h"

/* An exec to be found and ended: all that engine_exec_signal() needs. */
struct exec_ref {
	struct held_node *node;
	struct engine_info info; /* api 0: not asked yet */
	char container[65], exec_id[65];
	char marker[32];
	char *run_as; /* NULL: the image's */
	bool pid_host, inspected;
};

enum attached_phase { AT_QUEUED, AT_OPENING, AT_DECIDED, AT_OPEN, AT_LEAVING };

enum { MAX_STATUS_WAITING = 4 };

struct attached {
	uint32_t id;
	int64_t asked; /* when (monotonic) */
	enum attached_phase phase;
	struct exec_ref exec;
	/* asked for */
	enum attach_kind kind;
	bool tty;
	unsigned cols, rows; /* the latest wish */
	char **env;	     /* NULL-terminated */
	char *command;	     /* NULL: a shell */
	char *wanted_run_as; /* NULL: as the grant says */
	char *shell;	     /* NULL: the login shell */
	uint32_t carrier;    /* the helper that is to carry it; 0: none */
	bool carried;	     /* it does: no stream and no exec of its own, these are the helper's */
	uint32_t want, perms; /* of a helper: asked for, and what it may */
	char *items; /* ... and HOST:PORT targets that it may reach besides; NULL: not decided */
	unsigned unnoted; /* lines of its that were not recorded */
	char *known_as;	  /* the name that its row had: what was shown or asked for */
	/* the live facts it is decided on */
	bool has_facts;
	char *name, *image, *labels, *owner;
	char state[32];
	int64_t row;   /* 0: nothing was recorded, so nothing was started */
	int recording; /* its recording until the session has it; -1: none */
	char recording_name[RECORDING_NAME];
	/* how it goes */
	bool started; /* an exec was created and may run */
	bool exited;
	int exit_code;		     /* -1: unknown */
	unsigned set_cols, set_rows; /* the size that the engine was told last; 0: unknown */
	bool resized;		     /* it took that one */
	bool resize_again;	     /* it did not take the one before */
	char signal[8];		     /* wanted next; empty: none */
	uint32_t status_waiting[MAX_STATUS_WAITING];
	unsigned nstatus;
	int stream;	   /* our copy of what the session was given, to end it; -1: none */
	int64_t detach_by; /* EVT_DETACH was sent, and its answer is due then (monotonic); 0 */
	bool detached;	   /* the session is done with it */
	int64_t ends;	   /* when time alone ends it (unix s), 0: never (notice.c) */
	int64_t told_end;  /* of which the user was told */
	int64_t in, out;
	char how[MAX_HOW + 1]; /* the first reason for its end */
	/* children: opener stays as the relay of a TLS stream */
	struct child *opener, *resizer, *signaller, *inspector, *ender;
	struct attached *next;
};

/* ---- attached.c -------------------------------------------------------- */

struct attached *attached_new(struct broker *b, uint32_t id);
struct attached *attached_find(const struct broker *b, uint32_t id);
/* What it started may still be there, and nothing more is known. */
bool attached_runs(const struct attached *a);
/* No longer on the list: frees everything, and closes its row unless the cleaner is to end it. */
void attached_forget(struct broker *b, struct attached *a);
/* It runs: gives back what only its start needed. */
void attached_slim(struct attached *a);
/* Begins to end what runs (HUP, TERM, KILL), unless that is going on. */
void attached_leave(struct broker *b, struct attached *a, const char *how);
/* Forgets it if it is over and the session is done with it. */
void attached_settle(struct broker *b, struct attached *a);
/* The session has gone: all of them leave. */
void attached_leave_all(struct broker *b, const char *how);
/* When the session must have answered an EVT_DETACH, 0: no such. */
int64_t attached_deadline(const struct broker *b);
/* Ends what it has not answered by now; quiet: it says nothing else either. */
void attached_tick(struct broker *b, int64_t now, bool quiet);

/* ---- closing.c --------------------------------------------------------- */

/* Closes its row, now or later. */
void closing_attach(struct broker *b, const struct attached *a);
/* It may run on: its row stays open, for the cleaner. */
void closing_leave(struct broker *b, const struct attached *a);

/* ---- recording.c ------------------------------------------------------- */

/* Makes its recording, if it is to be recorded: 0, or why it cannot be, so that nothing may start. */
int recording_begin(
    const struct broker *b, struct attached *a, const struct verdict *v, struct errtext *e);
/* Nothing came of it. */
void recording_drop(struct broker *b, struct attached *a);

/* ---- attach_answer.c --------------------------------------------------- */

/* code 0: it is open, and fd, unless a helper carries it, its stream. */
void attach_answer(
    struct broker *b, const struct attached *a, int code, const struct errtext *why, int fd);
/* Ends an attach that has no stream yet, with the answer to its request. */
void attach_fail(struct broker *b, struct attached *a, int code, const struct errtext *why);
void attach_refuse(struct broker *b, struct attached *a, int code, enum word w, const char *a1);

/* ---- do_attach.c ------------------------------------------------------- */

/* Starts as many of the queued as may open at once; goes on with who has waited for a helper. */
void attach_move(struct broker *b);
/* Decides by the facts: 0 and the verdict's run-as (valid until s is released), or a code and why.
 */
int attach_decide(const struct attached *a, const struct subject *s, int64_t now, struct verdict *v,
    struct errtext *e);

/* A fresh one for a helper in that listed container. */
void attach_begin_helper(struct broker *b, uint32_t id, uint64_t ref, uint32_t want);

/* ---- do_helper.c --------------------------------------------------------- */

/* May it be put there, and what may it do: 0, or why not. */
int helper_decide(
    struct attached *a, const struct subject *s, const struct verdict *v, struct errtext *e);
/* All that its first frame says is still so. */
bool helper_allowed(const struct attached *a, const struct subject *s, int64_t now);
/* Writes that frame. */
int helper_hello(const struct attached *a);
/* Records how many lines were not, which are none any more then: 0, or not now. */
int helper_unnoted(struct broker *b, int64_t row, unsigned *lines);
/* Whether the attach waits until its helper is there, or is known not to be. */
bool helper_awaited(const struct broker *b, const struct attached *a);
/* The helper that carries it from now on; NULL: none. */
const struct attached *helper_for(const struct broker *b, const struct attached *a, uint32_t want);
/* It is there for shells and commands, which do without where it cannot be. */
bool helper_optional(const struct attached *a);

/* ---- recheck.c, notice.c ------------------------------------------------ */

/* It may go on at that time, and as the same user. */
bool attach_allowed(
    const struct attached *a, const struct subject *s, int64_t now, struct verdict *v);
/* Finds out when time alone will end it. */
void notice_learn(struct attached *a, const struct subject *s);
/* Tells who has its terminal, once, if that is soon; else sees to it that it is done in time. */
void notice_attach(struct broker *b, struct attached *a);

/* ---- do_stream.c -------------------------------------------------------- */

void stream_resize(struct broker *b, struct attached *a);

/* ---- exec_jobs.c: what the children do --------------------------------- */

/* A relay stays for hours: it keeps nobody's words and secrets of the start. */
void job_forget_words(const struct broker *b);
void run_attach(int fd, const struct broker *b, const void *owner);
/* helper_job.c */
void run_helper(int fd, const struct broker *b, const void *owner);
void run_resize(int fd, const struct broker *b, const void *owner);
void run_signal(int fd, const struct broker *b, const void *owner);
void run_status(int fd, const struct broker *b, const void *owner);
void run_end(int fd, const struct broker *b, const void *owner);
/* Ends it for good and finds its exit code; also the cleaner's. */
int exec_end(const struct exec_ref *x, struct exec_status *s, struct errtext *e);

#endif
