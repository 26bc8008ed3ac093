/* What the files of a task share among themselves: task.c, task_logs.c, task_top.c. */
#ifndef SESSION_TASK_PARTS_H
#define SESSION_TASK_PARTS_H

#include "conn.h"
#include "log_text.h"
#include "task.h"
#include "ui_stats.h"

struct task_kind {
	uint32_t reply;
	bool action; /* its request is to be cancelled when it is given up */
	void (*answer)(struct channel *ch, struct msg *m);
	bool (*event)(struct channel *ch, struct msg *m); /* anything; false: not ours */
	bool (*work)(struct channel *ch, int64_t now);
	int64_t (*deadline)(const struct channel *ch);
	void (*release)(struct task *t);
};

struct task {
	const struct task_kind *kind;
	uint32_t request; /* its answer is awaited, or it goes on */
	bool open;	  /* to be cancelled at the end */
	bool json;
	uint32_t interrupted;	 /* the exit status after Ctrl-C */
	struct play *play;	 /* task_play.c; NULL: another kind, or none yet */
	struct copying *copying; /* task_copy.c; NULL: another kind */
	enum query what;
	struct table table;
	/* logs */
	struct log_stream logs;
	/* figures */
	struct figure {
		uint64_t ref;
		uint32_t request; /* 0: not asked, or over */
		char name[256];	  /* foreign text */
		bool have;	  /* since they were last shown */
		bool over;
		uint32_t code; /* why */
		struct ui_stats s;
	} * figure;
	size_t nfigures;
	bool live;
	unsigned shown;	 /* times */
	int64_t show_at; /* whatever has come by then; monotonic ms */
};

struct task *task_new(struct channel *ch, const struct task_kind *kind);
/* Over; the exit status of a command. */
void task_done(struct channel *ch, uint32_t code);
/* said: how, for a face that hides what was said on the terminal. */
void task_over(struct channel *ch, uint32_t code, const char *said);
void task_failed(struct channel *ch, uint32_t code, const char *reason);
void task_send(struct channel *ch, struct msg *m);
void task_cancel(uint32_t request);
/* u32 code, str message: true if all is well so far. */
bool task_good(struct channel *ch, struct msg *m, char why[static MAX_REASON + 1], uint32_t *code);
_Noreturn void task_malformed(const struct msg *m);

/* task_logs.c: there is room for more of them. */
bool task_logs_room(const struct channel *ch);

/* task_top.c */
extern const struct task_kind task_top_kind;
bool task_top_detached(struct channel *ch, uint32_t request, uint32_t code, const char *reason);

#endif
