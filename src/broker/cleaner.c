/*
 * Ends what is left running in containers, by brokers that died and by those
 * whose engine did not answer in time, and closes the rows.  A process of its
 * own, forked by the broker zygote; it has a child for each node, so that one
 * that is silent delays no other, and that one a child for each attach.
 *
 * What is left is an open attach of a session that has ended, or is lost: its
 * row names a process that there is no more.  It stays open until it is known
 * to have ended, or its node is given up.  Two cleaners at once do no harm.
 */
#include "attached.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE_A_NODE = 8, END_SECONDS = 25, LOOK_SECONDS = 1 };

struct left {
	int64_t id, session, node_id;
	char *user, *source;
	uint64_t conn;
	struct exec_ref exec; /* without node: that is given up */
	pid_t pid;	      /* of the child that ends it */
	bool ended;
	struct left *next;
};

/* A node that was given a child. */
struct tried {
	int64_t node_id;
	pid_t pid;   /* 0: it has ended */
	bool failed; /* not again by this cleaner */
	struct tried *next;
};

struct cleaning {
	struct broker b; /* for held_node_get() */
	struct left *left;
	struct tried *tried;
	unsigned running; /* children, a node each */
};

/* ---- what is left ------------------------------------------------------------------------ */

static int
take_left(const struct attach *a, void *arg)
{
	struct cleaning *c = arg;
	struct left *l = xcalloc(1, sizeof(*l));

	l->id = a->id;
	l->session = a->session_id;
	l->node_id = a->node_id;
	str_copy(l->exec.container, sizeof(l->exec.container), a->container_id);
	str_copy(l->exec.exec_id, sizeof(l->exec.exec_id), a->exec_id != NULL ? a->exec_id : "");
	str_copy(l->exec.marker, sizeof(l->exec.marker), a->marker);
	l->exec.run_as = a->run_as != NULL ? xstrdup(a->run_as) : NULL;
	l->next = c->left;
	c->left = l;
	return 0;
}

static int
take_actor(const struct session *s, void *arg)
{
	struct left *l = arg;

	l->user = xstrdup(s->user);
	l->source = xstrdup(s->source);
	l->conn = s->conn;
	return 0;
}

static void
forget_left(struct cleaning *c)
{
	struct left *l;

	while ((l = c->left) != NULL) {
		c->left = l->next;
		held_node_put(&c->b, l->exec.node);
		free(l->user);
		free(l->source);
		free(l->exec.run_as);
		free(l);
	}
}

/* False: not now. */
static bool
find_left(struct cleaning *c)
{
	struct left *l;
	int r;

	forget_left(c);
	r = attach_each_left(c->b.st, host_name(), take_left, c);
	for (l = c->left; l != NULL && r == 0; l = l->next) {
		r = session_get(c->b.st, l->session, take_actor, l);
		if (r == 0 && held_node_get(&c->b, l->node_id, &l->exec.node) != 0)
			r = store_failed(c->b.st) ? JB_UNAVAILABLE : 0;
	}
	return r == 0;
}

/* False: the database did not take all of it. */
static bool
close_ended(struct cleaning *c, const struct held_node *node)
{
	const struct left *l;
	bool all = true;

	if (broker_store(&c->b) == NULL)
		return false;
	for (l = c->left; l != NULL; l = l->next) {
		const struct actor by = { l->user, l->source, l->conn };

		if (l->exec.node == node && (l->ended || node == NULL) &&
		    attach_close(c->b.st, &by, l->id, 0, 0, -1, "lost") != 0 &&
		    store_failed(c->b.st))
			all = false;
	}
	return all;
}

/* ---- ending it: no database is open when a child is forked -------------------------------- */

/* Waits until no more than that many run. False: one did not end in its time. */
static bool
wait_for_room(struct left *all, unsigned *running, unsigned most)
{
	bool in_time = true;
	struct left *l;
	int status;
	pid_t pid;

	for (; *running > most && (pid = wait(&status)) > 0; (*running)--) {
		in_time = in_time && WIFEXITED(status);
		for (l = all; l != NULL && l->pid != pid; l = l->next)
			;
		if (l != NULL)
			l->ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return in_time;
}

static _Noreturn void
end_one(const struct left *l)
{
	struct exec_status s;
	struct errtext e = { 0 };
	bool again;
	int r;

	alarm(END_SECONDS);
	r = exec_end(&l->exec, &s, &e);
	again = r < 0 && r != JB_NOT_FOUND && r != JB_DENIED;
	if (again)
		log_debug("attach.not_ended", F_NUM("attach", l->id), F_STR("reason", e.s));
	else if (r == JB_DENIED) /* nor can it be ended later */
		log_warn("attach.not_ended", F_NUM("attach", l->id), F_STR("reason", e.s));
	_exit(again);
}

/* An engine has only so many execs a second; one that let the time pass is not asked again now. */
static _Noreturn void
end_node(struct cleaning *c, const struct held_node *node)
{
	unsigned running = 0, left = 0;
	bool in_time = true;
	struct left *l;

	for (l = c->left; l != NULL && in_time; l = l->next) {
		if (l->exec.node != node)
			continue;
		in_time = wait_for_room(c->left, &running, AT_ONCE_A_NODE - 1);
		if (in_time && (l->pid = fork()) == 0)
			end_one(l);
		running += l->pid > 0;
	}
	wait_for_room(c->left, &running, 0);
	for (l = c->left; l != NULL; l = l->next)
		left += l->exec.node == node && !l->ended;
	if (left > 0)
		log_warn("attach.not_ended", F_STR("node", node->node->name), F_NUM("left", left));
	_exit(!close_ended(c, node) || left > 0);
}

/* ---- all nodes ------------------------------------------------------------------------------ */

static void
try_node(struct cleaning *c, const struct held_node *node)
{
	struct tried *t;

	for (t = c->tried; t != NULL && t->node_id != node->node->id; t = t->next)
		;
	if (t == NULL) {
		t = xcalloc(1, sizeof(*t));
		*t = (struct tried){ .node_id = node->node->id, .next = c->tried };
		c->tried = t;
	}
	if (t->pid > 0 || t->failed)
		return;
	if ((t->pid = fork()) == 0)
		end_node(c, node);
	c->running += t->pid > 0;
}

static void
reap(struct cleaning *c)
{
	struct tried *t;
	int status;

	for (t = c->tried; t != NULL; t = t->next) {
		if (t->pid <= 0 || waitpid(t->pid, &status, WNOHANG) != t->pid)
			continue;
		t->failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
		t->pid = 0;
		c->running--;
	}
}

static void
look(struct cleaning *c)
{
	const struct held_node *h;
	size_t lost;

	broker_store_turn(&c->b);
	if (broker_store(&c->b) == NULL)
		return;
	if (session_close_lost(c->b.st, &lost) == 0 && lost > 0)
		log_warn("session.lost", F_NUM("sessions", lost));
	if (find_left(c))
		close_ended(c, NULL);
	else
		forget_left(c);
	broker_store_close(&c->b);
	for (h = c->b.nodes; h != NULL; h = h->next)
		try_node(c, h);
}

/* What is left while it works is found by the next look, not by the next cleaner. */
void
cleaner(const struct config *cfg)
{
	struct cleaning c = { .b = { .cfg = cfg, .pair = -1, .status = -1 } };
	const struct timespec second = { LOOK_SECONDS, 0 };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	for (look(&c); c.running > 0; look(&c)) {
		sigtimedwait(&child, NULL, &second);
		reap(&c);
	}
	_exit(0);
}
