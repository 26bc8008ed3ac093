/*
 * The watcher of the database.  jumpbox-watcher.
 *
 * One reader for the whole host: a thousand brokers asking each second would
 * be a thousand wake-ups.  It sees that users, keys, groups, nodes, grants or
 * kill requests changed and tells the supervisor, which tells every broker;
 * which nodes are in use, each of which the supervisor has watched; that the
 * inventory changed, for those who look at a menu; it removes what the
 * retention says, and has recordings synced.  It wakes once a second.
 *
 * A database that cannot be read is said once, and once more when it is back.
 */
#include "db_watch.h"
#include "old_recordings.h"
#include "sync_recordings.h"

#include "jumpbox/log.h"
#include "jumpbox/store.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	TICK_MS = 1000,
	ALIVE_MS = 10 * 1000,
	MAINTAIN_MS = 60 * 1000,
	HOUR = 3600,
	DAY = 24 * HOUR
};

struct db_watch {
	const struct config *c;
	int control;
	struct store *st;    /* NULL while it cannot be opened */
	bool failing;	     /* and that was logged */
	int64_t alive_at;    /* when to tell the supervisor so, monotonic ms */
	int64_t epoch, mark; /* the last ones seen; -1: none yet */
	bool owes_nodes;     /* the nodes in use are still to be told */
	int64_t maintain_at; /* when maintenance is due, monotonic ms */
	struct sync_recordings sync;
};

/* Sends and releases. */
static bool
tell_msg(const struct db_watch *w, struct msg *m)
{
	int rc = msg_send(w->control, m);

	msg_release(m);
	if (rc == JB_INTERNAL)
		fatal(rc, "cannot write to the supervisor");
	return rc == 0;
}

static bool
tell(const struct db_watch *w, enum watch_type type)
{
	struct msg m;

	msg_init(&m, type, 0);
	return tell_msg(w, &m);
}

/* ---- what is done each second ------------------------------------------- */

static int
open_store(struct db_watch *w, struct errtext *e)
{
	return w->st ? 0 : store_open(w->c->database, STORE_OPEN, &w->st, e);
}

struct nodes {
	struct msg m;
	uint32_t n;
};

static int
put_node(const struct node *n, void *arg)
{
	struct nodes *all = arg;

	if (!n->enabled || all->n == WATCH_MAX_NODES)
		return 0;
	msg_put_u64(&all->m, (uint64_t)n->id);
	msg_put_u64(&all->m, (uint64_t)n->revision);
	all->n++;
	return 0;
}

static int
tell_nodes(struct db_watch *w)
{
	struct nodes all = { .n = 0 };
	int rc;

	msg_init(&all.m, WATCH_NODES, 0);
	rc = node_each(w->st, put_node, &all);
	if (rc == 0)
		w->owes_nodes = !tell_msg(w, &all.m);
	else
		msg_release(&all.m);
	return rc;
}

/*
 * The first ones are told too: what moved while nobody watched is unknown.  What
 * cannot be told, because the supervisor stands still, is told later.
 */
static int
look(struct db_watch *w)
{
	int64_t epoch, mark;
	int rc = store_policy_epoch(w->st, &epoch);

	if (rc == 0)
		rc = inventory_mark(w->st, &mark);
	if (rc != 0)
		return rc;
	if (epoch != w->epoch && tell(w, WATCH_POLICY)) {
		w->epoch = epoch;
		w->owes_nodes = true;
	}
	if (mark != w->mark && tell(w, WATCH_INVENTORY))
		w->mark = mark;
	return w->owes_nodes ? tell_nodes(w) : 0;
}

/*
 * The cut is at a full hour: each removal leaves an audit row of its own, and
 * an idle host must not write one a minute.  While old rows remain it goes on
 * with the next batch a second later, so that nobody waits for it long.
 */
static int
maintain(struct db_watch *w)
{
	int64_t now = now_mono_ms(), before = 0, removed = 0, recordings = 0;
	int rc;

	if (now < w->maintain_at)
		return 0;
	if (w->c->audit_retention > 0)
		before = (now_unix() - (int64_t)w->c->audit_retention * DAY) / HOUR * HOUR;
	w->maintain_at =
	    now + MAINTAIN_MS; /* also after a failure: waiting for a lock takes seconds */
	rc = store_maintain(w->st, before, &removed);
	if (removed > 0)
		log_info("database.retention", F_NUM("removed", removed));
	if (rc == 0)
		rc = old_recordings_remove(w->c, w->st, &recordings);
	if (removed + recordings > 0)
		w->maintain_at = now;
	return rc;
}

static void
report(struct db_watch *w, int rc, const char *why)
{
	if (rc != 0 && !w->failing)
		log_error("database.unavailable", F_STR("reason", why));
	if (rc == 0 && w->failing)
		log_info("database.available", F_END);
	w->failing = rc != 0;
}

static void
tick(struct db_watch *w)
{
	struct errtext e = { 0 };
	int rc = open_store(w, &e);

	if (rc == 0)
		rc = look(w);
	if (now_mono_ms() >= w->alive_at) {
		w->alive_at = now_mono_ms() + ALIVE_MS;
		tell(w, WATCH_ALIVE);
	}
	if (rc == 0)
		rc = maintain(w);
	if (rc == 0)
		rc = sync_recordings(&w->sync, w->c, w->st);
	if (rc != 0 && w->st)
		err_set(&e, rc, "%s", store_error(w->st));
	report(w, rc, e.s);
	/* Locked passes by itself; anything else may need the file to be opened anew. */
	if (rc != 0 && rc != JB_TRY_AGAIN) {
		store_close(w->st);
		w->st = NULL;
	}
}

/* ---- the loop ------------------------------------------------------------ */

/* The supervisor only ever closes its end. */
static bool
supervisor_gone(int control)
{
	char byte;
	ssize_t n = read(control, &byte, 1);

	if (n > 0)
		fatal(JB_INTERNAL, "the supervisor sent a byte that means nothing");
	return n == 0 || (errno != EAGAIN && errno != EINTR);
}

int
db_watch(const struct config *c, int control, int sigfd)
{
	struct db_watch w = { .c = c, .control = control, .epoch = -1, .mark = -1 };
	struct pollfd p[] = { { .fd = control, .events = POLLIN },
		{ .fd = sigfd, .events = POLLIN } };
	int64_t next = now_mono_ms();

	for (;;) {
		int64_t wait = next - now_mono_ms();

		if (wait > 0 && poll(p, 2, (int)wait) < 0 && errno != EINTR)
			fatal(JB_INTERNAL, "poll: %s", strerror(errno));
		if (p[1].revents || (p[0].revents && supervisor_gone(control)))
			break;
		if (now_mono_ms() < next)
			continue;
		tick(&w);
		next = now_mono_ms() + TICK_MS;
	}
	store_close(w.st);
	return 0;
}
