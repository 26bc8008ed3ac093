/*
 * The life of one connection's broker: one poll loop over the session, the
 * supervisor and the children.  Broker.
 *
 * The pair dies together: when one side closes it the other ends.  What the
 * connection left running in containers is ended first, within a limit.
 */
#include "action.h"
#include "attached.h"
#include "auth.h"
#include "child.h"
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REQUESTS_A_TURN = 32 };

static volatile sig_atomic_t terminated;

/* ---- the database ------------------------------------------------------------- */

struct store *
broker_store(struct broker *b)
{
	struct errtext e = { 0 };

	if (b->st != NULL || b->no_store)
		return b->st;
	if (store_open(b->cfg->database, STORE_OPEN, &b->st, &e) == 0) {
		store_turn(b->st);
	} else {
		log_error("broker.no_database", F_STR("reason", e.s));
		b->st = NULL;
		b->no_store = true;
	}
	return b->st;
}

void
broker_store_turn(struct broker *b)
{
	b->no_store = false;
	if (b->st != NULL)
		store_turn(b->st);
}

int
broker_no_database(struct errtext *e)
{
	return err_words(e, JB_UNAVAILABLE, W_NO_DATABASE, NULL, NULL, NULL);
}

int
broker_subject(struct broker *b, struct subject *s, struct errtext *e)
{
	int r = broker_store(b) != NULL ? subject_load(b->st, b->user, s) : JB_UNAVAILABLE;

	if (r == 0 && s->id != b->user_id) {
		subject_release(s);
		r = JB_NOT_FOUND;
	}
	if (r == JB_NOT_FOUND) {
		b->recheck_at = now_mono_ms();
		return err_words(e, JB_DENIED, W_ACCOUNT_DELETED, NULL, NULL, NULL);
	}
	return r != 0 ? broker_no_database(e) : 0;
}

int
broker_standing(const struct subject *s, bool admin, struct errtext *e)
{
	const struct flaw *flaw = standing_flaw(&s->standing, now_unix());

	if (flaw != NULL)
		return err_words(e, JB_DENIED, flaw->told, NULL, NULL, NULL);
	if (admin && s->standing.role != ROLE_ADMIN)
		return err_words(e, JB_DENIED, W_ADMIN_ONLY, NULL, NULL, NULL);
	return 0;
}

void
broker_store_close(struct broker *b)
{
	store_close(b->st);
	b->st = NULL;
}

struct actor
broker_actor(const struct broker *b)
{
	return (struct actor){ b->user, b->peer, b->conn };
}

/* ---- to the session ------------------------------------------------------------ */

/* The session has gone, or is to go. how: for its row, if nobody said it better. */
static void
pair_end(struct broker *b, const char *how)
{
	if (b->pair < 0)
		return;
	close(b->pair);
	b->pair = -1;
	if (b->how[0] == '\0')
		snprintf(b->how, sizeof(b->how), "%s", how);
	b->state = STATE_ENDING;
	b->end_at = now_mono_ms() + (b->shutting_down ? SHUTDOWN_LIMIT_MS : CLEANUP_LIMIT_MS);
	attached_leave_all(b, HOW_LOST);
	action_release_all(b);
}

static void
flush(struct broker *b)
{
	struct outgoing *o;
	int r;

	while (b->pair >= 0 && (o = b->out) != NULL) {
		r = msg_send(b->pair, &o->m);
		if (r == JB_TRY_AGAIN)
			return;
		if (r == JB_INTERNAL) {
			log_error("broker.unsent", F_NUM("type", o->m.type));
			b->unsent = true; /* not now: callers hold attaches */
		}
		if ((b->out = o->next) == NULL)
			b->out_tail = &b->out;
		msg_release(&o->m);
		free(o);
	}
}

void
broker_send(struct broker *b, struct msg *m)
{
	struct outgoing *o;

	if (b->pair < 0) {
		msg_release(m);
		return;
	}
	o = xcalloc(1, sizeof(*o));
	o->m = *m; /* bytes and descriptors are its own now */
	*b->out_tail = o;
	b->out_tail = &o->next;
	flush(b);
}

void
broker_reply_u32(struct broker *b, uint32_t type, uint32_t id, uint32_t value)
{
	struct msg m;

	msg_init(&m, type, id);
	msg_put_u32(&m, value);
	broker_send(b, &m);
}

void
broker_protocol(struct broker *b, uint32_t type, const char *what)
{
	log_warn("broker.protocol", F_NUM("type", type), F_STR("what", what),
	    F_STR("user", b->user), F_STR("source", b->peer));
	pair_end(b, "protocol");
}

void
broker_put_why(struct msg *m, int code, const struct errtext *why)
{
	msg_put_u32(m, (uint32_t)-code);
	msg_put_str(m, why != NULL ? why->say : "");
}

/* The operator's sentence goes with it: the session logs why it left its client. */
void
broker_end(struct broker *b, int code, const char *how, const struct errtext *why)
{
	struct msg m;

	if (b->state == STATE_ENDING)
		return;
	log_info("session.end", F_STR("user", b->user), F_STR("reason", why->s));
	snprintf(b->how, sizeof(b->how), "%s", how);
	msg_init(&m, EVT_END, 0);
	broker_put_why(&m, code, why);
	msg_put_str(&m, why->s);
	broker_send(b, &m);
	b->state = STATE_ENDING;
	b->end_at = now_mono_ms() + END_LIMIT_MS;
}

/* ---- the supervisor --------------------------------------------------------------- */

void
broker_tell_supervisor(struct broker *b, enum status_byte what)
{
	char byte = (char)what;

	if (b->status >= 0)
		write_all(b->status, &byte, 1, 100);
}

static void
shut_down(struct broker *b)
{
	struct errtext why;

	err_words(&why, JB_TRY_AGAIN, W_SHUTTING_DOWN, NULL, NULL, NULL);
	b->shutting_down = true;
	if (b->pair < 0) /* it is ending already */
		b->end_at = sooner(b->end_at, now_mono_ms() + SHUTDOWN_LIMIT_MS);
	broker_end(b, JB_TRY_AGAIN, "shutdown", &why);
	if (b->session_row == 0)
		pair_end(b, "shutdown");
}

struct changes {
	bool policy, inventory;
};

static void
status_byte(struct broker *b, char byte, struct changes *seen)
{
	switch (byte) {
	case STATUS_POLICY:
		seen->policy = true;
		break;
	case STATUS_INVENTORY:
		seen->inventory = true;
		break;
	case STATUS_DROP:
		if (b->session_row == 0) /* else it crossed the login */
			pair_end(b, "limit");
		break;
	case STATUS_SHUTDOWN:
		shut_down(b);
		break;
	}
}

/* However many changes there were, one look is enough. */
static void
status_readable(struct broker *b)
{
	char bytes[64];
	struct changes seen = { false, false };
	ssize_t n, i;

	while ((n = read(b->status, bytes, sizeof(bytes))) > 0)
		for (i = 0; i < n; i++)
			status_byte(b, bytes[i], &seen);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(b->status);
		b->status = -1;
		b->epoch_at = now_mono_ms() + EPOCH_POLL_MS;
	}
	if (seen.policy)
		recheck(b);
	if (seen.inventory)
		list_changed(b, false);
}

/* ---- the session -------------------------------------------------------------------- */

/* What the session has given up in order may still be being ended. */
static bool
left_open(const struct broker *b)
{
	const struct attached *a;

	for (a = b->attached; a != NULL; a = a->next)
		if (!a->detached)
			return true;
	return b->lost;
}

/* While it does not take its answers, it asks nothing more. */
static void
pair_readable(struct broker *b)
{
	struct msg m;
	int i, r = 0;

	msg_init(&m, 0, 0);
	for (i = 0; i < REQUESTS_A_TURN && b->pair >= 0 && b->out == NULL; i++) {
		if ((r = msg_recv(b->pair, &m)) != 0)
			break;
		dispatch(b, &m);
	}
	if (r == JB_UNAVAILABLE)
		pair_end(b, left_open(b) ? "lost" : "logout");
	else if (r == JB_BAD_INPUT)
		broker_protocol(b, 0, "not a message");
	msg_release(&m);
}

/* ---- timers ---------------------------------------------------------------------------- */

/* A session that was taken over does not keep the deadline for logging in; none knows that for what
 * is due first. */
static int64_t
grace_deadline(const struct broker *b)
{
	if (b->auth == NULL || b->state == STATE_ENDING)
		return 0;
	if (b->state == STATE_MUST_ENROL)
		return b->grace_from + ENROL_LIMIT_MS;
	return b->grace_from + (int64_t)b->cfg->login_grace_time * 1000 + GRACE_MARGIN_MS;
}

static int64_t
next_deadline(const struct broker *b)
{
	int64_t t = sooner(grace_deadline(b), child_deadline(b));

	t = sooner(t, auth_deadline(b));
	t = sooner(t, waiting_deadline(b));
	t = sooner(t, attached_deadline(b));
	t = sooner(t, action_deadline(b));
	t = sooner(t, b->rest_at);
	t = sooner(t, b->recheck_at);
	t = sooner(t, b->epoch_at);
	t = sooner(t, b->closing_at);
	return sooner(t, b->end_at);
}

/* Idle for a while: nothing is kept that can be had again. */
static void
rest(struct broker *b)
{
	b->rest_at = 0;
	broker_store_close(b);
	list_rest(b);
	malloc_trim(0);
}

static void
too_late(struct broker *b)
{
	struct errtext why;

	err_words(&why, JB_TRY_AGAIN, b->state == STATE_MUST_ENROL ? W_ENROL_LATE : W_RENEWAL_LATE,
	    NULL, NULL, NULL);
	if (b->session_row == 0)
		pair_end(b, "login deadline");
	else
		broker_end(b, JB_TRY_AGAIN, "login deadline", &why);
}

static void
tick(struct broker *b, int64_t now)
{
	child_tick(b, now);
	auth_tick(b, now);
	waiting_tick(b, now);
	action_tick(b, now);
	if (due(grace_deadline(b), now))
		too_late(b);
	if (due(b->recheck_at, now))
		recheck(b);
	if (due(b->epoch_at, now)) {
		b->epoch_at = now + EPOCH_POLL_MS;
		if (b->session_row != 0)
			recheck_epoch(b);
	}
	if (due(b->closing_at, now))
		closing_again(b);
	if (due(b->end_at, now)) {
		b->done = b->pair < 0;
		pair_end(b, "unanswered");
	}
	if (due(b->rest_at, now))
		rest(b);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void
on_term(int sig)
{
	(void)sig;
	terminated = 1;
}

static void
catch_signals(sigset_t *waiting)
{
	struct sigaction term = { .sa_handler = on_term };
	sigset_t blocked;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGTERM, &term, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	sigdelset(waiting, SIGTERM);
}

enum { PAIR, STATUS, CLOCK, FIXED };

struct watched {
	struct pollfd *pfd;
	struct child **child; /* of pfd[i + FIXED] */
	unsigned room;
};

static unsigned
watch(struct broker *b, struct watched *w)
{
	unsigned n = FIXED + child_count(b);
	struct child *c;

	if (n > w->room) {
		w->pfd = xreallocarray(w->pfd, n, sizeof(*w->pfd));
		w->child = xreallocarray(w->child, n, sizeof(struct child *));
		w->room = n;
	}
	w->pfd[PAIR] = (struct pollfd){ b->pair, b->out != NULL ? POLLOUT : POLLIN, 0 };
	w->pfd[STATUS] = (struct pollfd){ b->status, POLLIN, 0 };
	w->pfd[CLOCK] = (struct pollfd){ b->clock, POLLIN, 0 };
	n = FIXED;
	for (c = b->children; c != NULL; c = c->next) {
		w->child[n - FIXED] = c;
		w->pfd[n++] = (struct pollfd){ c->fd, POLLIN, 0 };
	}
	return n;
}

static void
wait_for_work(struct broker *b, struct watched *w, const sigset_t *mask, unsigned *n)
{
	int64_t at = next_deadline(b), left = at - now_mono_ms();
	struct timespec ts;

	if (left < 0)
		left = 0;
	ts = (struct timespec){ left / 1000, left % 1000 * 1000000 };
	*n = watch(b, w);
	if (ppoll(w->pfd, *n, at == 0 ? NULL : &ts, mask) <= 0)
		*n = 0;
}

static void
turn(struct broker *b, struct watched *w, const sigset_t *mask)
{
	unsigned i, n;
	int64_t woke;

	wait_for_work(b, w, mask, &n);
	woke = now_mono_ms();
	broker_store_turn(b);
	if (terminated) {
		terminated = 0;
		shut_down(b);
	}
	if (n > 0 && w->pfd[STATUS].revents != 0)
		status_readable(b);
	if (n > 0 && w->pfd[PAIR].revents != 0) {
		flush(b);
		pair_readable(b);
	}
	for (i = FIXED; i < n; i++)
		if (w->pfd[i].revents != 0)
			child_readable(b, w->child[i - FIXED]);
	child_reap(b);
	if (n > 0 && w->pfd[CLOCK].revents != 0)
		recheck(b);
	tick(b, now_mono_ms());
	/* By when it was looked at: what the database held up since is not the session's fault. */
	attached_tick(b, woke, n == 0 || w->pfd[PAIR].revents == 0);
	if (b->unsent)
		pair_end(b, "failed");
	while (b->queue_moves)
		attach_move(b);
	if (b->pair < 0 && b->attached == NULL)
		b->done = true;
	if ((n > 0 || (b->st != NULL && b->rest_at == 0)) && !b->done)
		b->rest_at = now_mono_ms() + REST_MS;
}

static void
finish(struct broker *b, const sigset_t *mask)
{
	struct outgoing *o;
	unsigned i;

	while (b->attached != NULL)
		attached_forget(b, b->attached);
	if (b->session_row != 0)
		closing_session(b, mask);
	broker_store_close(b);
	while ((o = b->out) != NULL) {
		b->out = o->next;
		msg_release(&o->m);
		free(o);
	}
	auth_release(b);
	passwd_release(b);
	enrol_release(b);
	child_forget_all(b);
	list_release(b);
	for (i = 0; i < CONFIG_LIST_MAX; i++)
		host_key_free(b->key[i]);
}

void
broker_run(struct broker *b)
{
	struct watched w = { NULL, NULL, 0 };
	sigset_t mask;

	log_conn(b->conn);
	catch_signals(&mask);
	set_nonblock(b->pair, true);
	set_nonblock(b->status, true);
	b->clock = -1;
	b->state = STATE_KEX;
	b->out_tail = &b->out;
	b->attached_tail = &b->attached;
	b->auth = xcalloc(1, sizeof(*b->auth));
	b->listing = xcalloc(1, sizeof(*b->listing));
	while (!b->done)
		turn(b, &w, &mask);
	finish(b, &mask);
	free(w.pfd);
	free(w.child);
	exit(0);
}
