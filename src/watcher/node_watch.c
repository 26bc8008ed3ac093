/*
 * The watcher of one node.  jumpbox-watcher.
 *
 *	        events begin        all listed
 *	CALLING ------------> LISTING ---------> FOLLOWING
 *	   ^                     |                  |   events: look again at those
 *	   |  later and later    |    failed        |   a period: list all again
 *	   +---- WAITING <-------+------------------+   half a minute of silence: ping
 *
 * Everything here is blocking and bounded: a node that accepts and never
 * answers costs this one process some memory, and nobody any time.  What it
 * sees is in the database alone, which it opens for each write; a database
 * that does not take it is tried again each second.
 *
 * Events say where to look and not what is there, so that one that comes twice
 * or late does no harm; one that never came is made good by the next list.
 */
#include "node_watch.h"

#include "jumpbox/inventory.h"
#include "jumpbox/log.h"
#include "jumpbox/store.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "touched.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
	PING_MS = 30 * 1000,
	ANSWER_MS = 5000, /* to a ping, and to begin with the events */
	JOIN_MS = 100,	  /* between two looks: a burst is one */
	RETRY_MS = 3000,  /* what the database did not take */
	LONG_LIFE_MS = 10 * 1000,
	BACKOFF_FIRST_MS = 500,
	BACKOFF_MAX_MS = 5 * 1000,
	ALIVE_MS = 30 * 1000,
};

struct node_watch {
	const struct config *c;
	int control;
	int64_t id;
	struct node *node;
	struct engine *en; /* for calls */
	struct engine_follow *follow;
	struct touched touched;
	struct errtext why;
	bool listed; /* on this connection */
	/* on the monotonic clock */
	int64_t list_at; /* all of it is due */
	int64_t look_at; /* the touched ones may be looked at */
	int64_t ping_at; /* when it has been silent for long enough */
	int64_t alive_at;
	int64_t backoff; /* before the next try */
	/* what was logged, and is in the database */
	enum { SAID_NOTHING, SAID_CONNECTED, SAID_FAILED } said;
	char said_why[sizeof(((struct errtext *)0)->s)];
	bool no_store; /* and that was logged */
};

/* ---- the supervisor ------------------------------------------------------- */

static void
tell_alive(struct node_watch *w)
{
	int64_t now = now_mono_ms();
	struct msg m;

	if (now < w->alive_at)
		return;
	w->alive_at = now + ALIVE_MS;
	msg_init(&m, WATCH_ALIVE, 0);
	msg_send(w->control, &m);
	msg_release(&m);
}

/* It only ever closes its end. */
static bool
supervisor_gone(const struct node_watch *w)
{
	struct pollfd p = { w->control, POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

/* ---- the database --------------------------------------------------------- */

static int
keep_node(const struct node *n, void *arg)
{
	struct node_watch *w = arg;

	if (n->enabled)
		w->node = node_dup(n);
	return 0;
}

static int
open_store(struct node_watch *w, struct store **st)
{
	struct errtext e = { .s = "" };
	int rc = store_open(w->c->database, STORE_OPEN, st, &e);

	if (rc != 0 && !w->no_store)
		log_error("database.unavailable", F_STR("reason", e.s));
	w->no_store = rc != 0;
	return rc;
}

/* Closes it; rc: how the write ended.  JB_NOT_FOUND: the node is not to be watched like this any more. */
static int
close_store(struct node_watch *w, struct store *st, int rc)
{
	if (rc != 0 && rc != JB_NOT_FOUND && !w->no_store) {
		log_error("database.unavailable", F_STR("reason", store_error(st)));
		w->no_store = true;
	}
	store_close(st);
	return rc;
}

static int
begin_write(struct node_watch *w, struct store **st)
{
	int rc = open_store(w, st);

	if (rc != 0)
		return rc;
	rc = node_current(*st, w->node);
	return rc != 0 ? close_store(w, *st, rc) : 0;
}

/* The node as it is now. */
static int
load_node(struct node_watch *w)
{
	struct store *st;
	int rc = open_store(w, &st);

	if (rc != 0)
		return rc;
	rc = close_store(w, st, node_get_id(st, w->id, keep_node, w));
	return rc == 0 && w->node == NULL ? JB_NOT_FOUND : rc;
}

/* ids NULL: all of it. */
static int
write_rows(struct node_watch *w, const char *const *ids, size_t n, const struct inventory *inv)
{
	struct store *st;
	int rc = begin_write(w, &st);

	if (rc != 0)
		return rc;
	return close_store(w, st, container_change(st, w->id, ids, n, inv->row, inv->n));
}

/* why NULL: it answers. */
static int
write_state(struct node_watch *w, const char *why)
{
	struct store *st;
	int rc = begin_write(w, &st);

	if (rc != 0)
		return rc;
	return close_store(
	    w, st, why != NULL ? node_set_failed(st, w->id, why) : node_set_connected(st, w->id));
}

/* ---- what the node says --------------------------------------------------- */

static void
it_answered(struct node_watch *w)
{
	w->ping_at = now_mono_ms() + PING_MS;
	if (w->said == SAID_CONNECTED)
		return;
	log_info("node.connected", F_STR("node", w->node->name));
	w->said = SAID_CONNECTED;
}

static void
on_event(const char *id, void *arg)
{
	struct node_watch *w = arg;

	touched_add(&w->touched, id);
}

/* What was read could not be stored: it is read again. */
static int
stored(struct node_watch *w, int rc, int64_t *again_at)
{
	if (rc == 0)
		it_answered(w);
	else if (rc != JB_NOT_FOUND)
		*again_at = now_mono_ms() + RETRY_MS;
	return rc == JB_NOT_FOUND ? rc : 0;
}

/* What was touched before is in it. */
static int
list_all(struct node_watch *w)
{
	struct inventory inv;
	int64_t began = now_mono_ms();
	size_t n;
	int rc;

	rc = inventory_read(w->en, w->c->owner_label, NULL, 0, &inv, &w->why);
	if (rc != 0)
		return JB_UNAVAILABLE;
	w->listed = true;
	w->list_at = now_mono_ms() + (int64_t)w->c->node_list_interval * 1000;
	rc = write_rows(w, NULL, 0, &inv);
	n = inv.n;
	inventory_release(&inv);
	malloc_trim(0);
	if (rc == 0)
		touched_clear(&w->touched);
	if (rc == 0)
		log_debug("node.listed", F_STR("node", w->node->name), F_NUM("containers", n),
		    F_NUM("ms", now_mono_ms() - began));
	return stored(w, rc, &w->list_at);
}

static int
look_again(struct node_watch *w)
{
	struct touched *t = &w->touched;
	const char *ids[TOUCHED_MAX];
	struct inventory inv;
	int rc;

	for (size_t i = 0; i < t->n; i++)
		ids[i] = t->id[i];
	rc = inventory_read(w->en, w->c->owner_label, ids, t->n, &inv, &w->why);
	if (rc != 0)
		return JB_UNAVAILABLE;
	w->look_at = now_mono_ms() + JOIN_MS;
	rc = write_rows(w, ids, t->n, &inv);
	inventory_release(&inv);
	if (rc == 0)
		touched_clear(t);
	return stored(w, rc, &w->look_at);
}

static int
ping(struct node_watch *w)
{
	if (engine_ping(w->en, ANSWER_MS, &w->why) != 0)
		return JB_UNAVAILABLE;
	return stored(w, write_state(w, NULL), &w->ping_at);
}

/* ---- one connection ------------------------------------------------------- */

static void
call(struct node_watch *w)
{
	const struct engine_addr addr = engine_addr_of(w->node);

	w->listed = false;
	w->list_at = w->look_at = w->ping_at = now_mono_ms();
	w->en = engine_new(&addr, ENGINE_CALL_MS);
	w->follow = engine_follow_new(w->en, ANSWER_MS, on_event, w);
}

static void
hang_up(struct node_watch *w)
{
	engine_follow_free(w->follow);
	engine_free(w->en);
	w->follow = NULL;
	w->en = NULL;
	touched_clear(&w->touched);
	malloc_trim(0);
}

/* What is due: one of these at a time, the greatest first. */
static int
work(struct node_watch *w, int64_t now)
{
	if (!engine_follow_begun(w->follow))
		return 0;
	if (w->list_at <= now || w->touched.all)
		return list_all(w);
	if (w->touched.n > 0 && w->look_at <= now)
		return look_again(w);
	if (w->ping_at <= now)
		return ping(w);
	return 0;
}

static int64_t
next_work(const struct node_watch *w)
{
	int64_t at = w->alive_at;

	if (!engine_follow_begun(w->follow))
		return at;
	if (w->touched.all)
		return now_mono_ms();
	at = sooner(at, w->list_at);
	at = sooner(at, w->ping_at);
	return w->touched.n > 0 ? sooner(at, w->look_at) : at;
}

/* The stream has ended: does the engine go on answering?  It may end each as soon as it has begun. */
static int
without_events(struct node_watch *w)
{
	if (!engine_follow_begun(w->follow))
		return JB_UNAVAILABLE;
	return w->listed ? ping(w) : list_all(w);
}

/*
 * Until the node fails (JB_UNAVAILABLE and why), or ends the stream but goes on
 * answering (JB_TRY_AGAIN), or the supervisor is gone or the node is not to be
 * watched like this any more (0).
 */
static int
follow(struct node_watch *w)
{
	int rc;

	while ((rc = work(w, now_mono_ms())) == 0) {
		tell_alive(w);
		rc = engine_follow_wait(w->follow, w->control, poll_timeout(next_work(w)), &w->why);
		if (supervisor_gone(w))
			return 0;
		if (rc != 0 && (rc = without_events(w)) == 0)
			return JB_TRY_AGAIN;
		if (rc != 0)
			break;
	}
	return rc == JB_NOT_FOUND ? 0 : rc;
}

/* ---- failures -------------------------------------------------------------- */

/* Said once for each reason; false: the node is not to be watched any more. */
static bool
it_failed(struct node_watch *w)
{
	int rc;

	if (w->said == SAID_FAILED && strcmp(w->said_why, w->why.s) == 0)
		return true;
	rc = write_state(w, w->why.s);
	if (rc == 0) {
		log_warn("node.failed", F_STR("node", w->node->name), F_STR("reason", w->why.s));
		w->said = SAID_FAILED;
		snprintf(w->said_why, sizeof(w->said_why), "%s", w->why.s);
	}
	return rc != JB_NOT_FOUND;
}

/* False: the supervisor is gone. */
static bool
pause_for(struct node_watch *w, int64_t ms)
{
	struct pollfd p = { w->control, POLLIN, 0 };
	int64_t until = now_mono_ms() + ms, left;

	while ((left = until - now_mono_ms()) > 0) {
		tell_alive(w);
		if (poll(&p, 1, left < ALIVE_MS ? (int)left : ALIVE_MS) > 0)
			return false;
	}
	return true;
}

/* After a long life at once: perhaps the engine was only restarted. */
static int64_t
next_pause(struct node_watch *w, int64_t lived)
{
	int64_t ms = w->backoff;

	if (lived >= LONG_LIFE_MS && w->listed) {
		w->backoff = BACKOFF_FIRST_MS;
		return 0;
	}
	w->backoff = ms * 2 < BACKOFF_MAX_MS ? ms * 2 : BACKOFF_MAX_MS;
	return ms;
}

static void
watch(struct node_watch *w)
{
	int64_t began;
	int rc;

	do {
		began = now_mono_ms();
		call(w);
		rc = follow(w);
		hang_up(w);
		if (rc == 0)
			return;
		log_debug("node.hung_up", F_STR("node", w->node->name), F_STR("reason", w->why.s));
		if (rc == JB_UNAVAILABLE && !it_failed(w))
			return;
	} while (pause_for(w, next_pause(w, now_mono_ms() - began)));
}

int
node_watch(const struct config *c, int control, int64_t id)
{
	struct node_watch w = { .c = c, .control = control, .id = id, .backoff = BACKOFF_FIRST_MS };
	int rc;

	while ((rc = load_node(&w)) != 0 && rc != JB_NOT_FOUND && pause_for(&w, RETRY_MS))
		;
	if (rc == 0)
		watch(&w);
	node_free(w.node);
	return 0;
}
