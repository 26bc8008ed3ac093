/*
 * One thing that a command or the plain menu asks the broker for, apart from
 * a shell: details, figures, logs, power, a query, a change, a copy.  While it goes on
 * the channel is in CH_TASK; then the command ends, or the menu goes on.
 */
#ifndef SESSION_TASK_H
#define SESSION_TASK_H

#include "channel.h"
#include "ui_details.h"
#include "ui_stats.h"
#include "ui_table.h"

enum { TOP_MOST = 32 }; /* containers whose figures are asked for at once */

void task_details(struct channel *ch, uint64_t ref, bool json);
void task_power(struct channel *ch, uint64_t ref, enum power what);
void task_logs(struct channel *ch, uint64_t ref, unsigned tail, bool follow);
void task_query(struct channel *ch, enum query what, bool json);
void task_change(struct channel *ch, enum change_what what, const char *arg, const char *text);

/* A session's recording, the n-th or (0) its only one; watch: one that is being made. */
void task_play(struct channel *ch, uint64_t session, unsigned n, bool watch);

/* One end of a copy; the strings outlive the task. */
struct copy_end {
	uint64_t ref;
	const char *name, *path; /* as they were typed */
};
void task_copy(struct channel *ch, const struct copy_end *from, const struct copy_end *to);

/* Figures: each container first, then go. live: again and again, until Ctrl-C. */
void task_top_add(struct channel *ch, uint64_t ref, const char *name);
void task_top(struct channel *ch, bool json, bool live);

/* What answers carry, for whoever asks without a task; msg_end() is the caller's. */
void task_take_details(struct msg *m, struct ui_details *d); /* to be released */
void task_take_stats(struct msg *m, struct ui_stats *s);
/* Adds a page of an answer to a query; the offset to ask for next, 0: that was all. */
uint32_t task_take_rows(struct msg *m, struct table *t);
/* Asks for one. */
uint32_t task_ask_rows(enum query what, uint32_t offset);

/* ---- for the loop ------------------------------------------------------- */

bool task_answer(struct channel *ch, struct msg *m); /* false: not ours */
/* The broker has withdrawn or lost what was going on; false: not ours. */
bool task_detached(struct channel *ch, uint32_t request, uint32_t code, const char *reason);
bool task_work(struct channel *ch, int64_t now);
int64_t task_deadline(const struct channel *ch);
short task_events(const struct channel *ch); /* poll() events wanted on ch->fd */
void task_free(struct channel *ch);	     /* whatever it is at */

#endif
