/*
 * Closing the rows of what has ended: each attach, and at last the session.
 * What may run on is left to the cleaner, with all that is known of it.
 * What the database does not take now (a full disk, a lock) is kept and tried
 * again, for the record of an end is worth waiting for; after the connection
 * only so long, and then the cleaner closes it.  Broker.
 */
#include "attached.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGAIN_MS = 1000, LAST_MS = 600 * 1000 };

struct unclosed {
	int64_t row, in, out;
	int exit_code;
	unsigned unnoted; /* lines of its that were not recorded */
	bool runs;	  /* perhaps: its row stays open */
	char how[MAX_HOW + 1];
	struct unclosed *next;
};

/* 0, or the database took nothing. */
static int
close_one(struct broker *b, struct unclosed *u)
{
	struct actor by = broker_actor(b);
	int r;

	if (broker_store(b) == NULL)
		return JB_UNAVAILABLE;
	r = helper_unnoted(b, u->row, &u->unnoted);
	if (r == 0)
		r = u->runs ? attach_leave(b->st, u->row, u->in, u->out, u->how)
			    : attach_close(b->st, &by, u->row, u->in, u->out, u->exit_code, u->how);
	return r != 0 && store_failed(b->st) ? JB_UNAVAILABLE : 0;
}

static void
close_or_keep(struct broker *b, const struct attached *a, bool runs)
{
	struct unclosed u = { a->row, a->in, a->out, a->exit_code, a->unnoted, runs, "", NULL };
	struct unclosed **p = &b->unclosed;

	str_copy(u.how, sizeof(u.how), a->how);
	if (u.unnoted > 0)
		log_warn("attach.notes_lost", F_NUM("attach", u.row), F_NUM("lines", u.unnoted));
	/* In order: while others wait for the database, so does this one. */
	if (b->unclosed == NULL && close_one(b, &u) == 0)
		return;
	log_error("attach.not_closed", F_NUM("attach", a->row),
	    F_STR("reason", b->st != NULL ? store_error(b->st) : NULL));
	while (*p != NULL)
		p = &(*p)->next;
	*p = xcalloc(1, sizeof(**p));
	**p = u;
	if (b->closing_at == 0)
		b->closing_at = now_mono_ms() + AGAIN_MS;
}

void
closing_attach(struct broker *b, const struct attached *a)
{
	log_info("attach.close", F_NUM("attach", a->row), F_STR("how", a->how),
	    F_NUM("status", a->exit_code), F_NUM("in", a->in), F_NUM("out", a->out));
	close_or_keep(b, a, false);
}

void
closing_leave(struct broker *b, const struct attached *a)
{
	log_info("attach.leave", F_NUM("attach", a->row), F_STR("how", a->how), F_NUM("in", a->in),
	    F_NUM("out", a->out));
	close_or_keep(b, a, true);
}

void
closing_again(struct broker *b)
{
	struct unclosed *u;

	while ((u = b->unclosed) != NULL && close_one(b, u) == 0) {
		b->unclosed = u->next;
		free(u);
	}
	b->closing_at = b->unclosed != NULL ? now_mono_ms() + AGAIN_MS : 0;
}

/* A moment; false when the host shuts down. */
static bool
wait_a_moment(struct broker *b, const sigset_t *mask)
{
	const struct timespec moment = { AGAIN_MS / 1000, AGAIN_MS % 1000 * 1000000 };
	struct pollfd p = { b->status, POLLIN, 0 };
	char byte = 0;
	int n = ppoll(&p, 1, &moment, mask);

	if (n < 0)
		return false; /* SIGTERM */
	if (n == 0)
		return true;
	if (read(b->status, &byte, 1) != 1) {
		close(b->status);
		b->status = -1;
	}
	return byte != STATUS_SHUTDOWN;
}

static bool
close_session(struct broker *b)
{
	return broker_store(b) != NULL &&
	    (session_close(b->st, b->session_row, b->how) == 0 || !store_failed(b->st));
}

void
closing_session(struct broker *b, const sigset_t *mask)
{
	int64_t until = now_mono_ms() + (b->shutting_down ? 0 : LAST_MS);

	log_info("session.close", F_STR("user", b->user), F_NUM("session", b->session_row),
	    F_STR("how", b->how));
	for (;;) {
		broker_store_turn(b);
		closing_again(b);
		if (b->unclosed == NULL && close_session(b))
			return;
		if (now_mono_ms() >= until || !wait_a_moment(b, mask))
			break;
	}
	log_error("session.not_closed", F_NUM("session", b->session_row));
}
