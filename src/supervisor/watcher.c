/*
 * The watchers: one of the database, which says what nodes are in use, and one
 * of each of those.  Supervisor.
 *
 * While there is none of the database, only changes to live sessions are late:
 * logins and attaches are decided by the database as it is.  One that died may
 * have seen a change, so each new one starts with telling all brokers to look.
 * One that hangs would leave revoked sessions alive, or a node's containers as
 * they were: it is killed.
 */
#include "watcher.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "loop.h"
#include "restart.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 2000 };

struct watcher {
	LIST_ENTRY(watcher) link;
	uint64_t node, revision; /* node 0: the database */
	bool unwanted;		 /* forgotten when it has ended */
	bool again;		 /* it was ended for another revision */
	pid_t pid;		 /* 0: none */
	struct watch control;
	struct restart restart;
	int64_t started;
	int64_t start_at, kill_at; /* 0: not wanted */
	int64_t heard;		   /* last sign of life, or its start */
};

static struct {
	LIST_HEAD(, watcher) list;
	struct watcher database;
	int config_fd;
	const struct watcher_news *news;
} all = { .database.control.fd = -1 };

static void node_told(struct msg *m);

/* ---- one ---------------------------------------------------------------- */

static void
hangs_up(struct watcher *w)
{
	loop_close(&w->control);
	w->kill_at = now_mono_ms() + END_MS;
}

/* One look is enough for all the changes that were reported. */
static void
control_ready(void *owner, uint32_t events)
{
	bool policy = false, inventory = false;
	struct watcher *w = owner;
	struct msg m;
	int r;

	(void)events;
	msg_init(&m, 0, 0);
	while ((r = msg_recv(w->control.fd, &m)) == 0) {
		w->heard = now_mono_ms();
		policy |= m.type == WATCH_POLICY;
		inventory |= m.type == WATCH_INVENTORY;
		if (m.type == WATCH_NODES && w->node == 0)
			node_told(&m);
	}
	msg_release(&m);
	if (r != JB_TRY_AGAIN)
		hangs_up(w);
	if (policy && w->node == 0)
		all.news->policy();
	if (inventory && w->node == 0)
		all.news->inventory();
}

static void
start(struct watcher *w, int64_t now)
{
	char arg[24];
	const struct spawn s = { "jumpbox-watcher", w->node != 0 ? arg : NULL, SOCK_SEQPACKET,
		all.config_fd, -1 };
	int control;
	pid_t pid;

	snprintf(arg, sizeof arg, "%llu", (unsigned long long)w->node);
	pid = spawn_role(&s, &control);
	w->start_at = w->kill_at = 0;
	w->started = w->heard = now;
	if (pid > 0) {
		w->pid = pid;
		loop_add(&w->control, control, EPOLLIN, control_ready, w);
		return;
	}
	log_error("watcher.fail", F_NUM("node", w->node), F_STR("why", strerror(errno)));
	w->start_at = now + restart_delay(&w->restart, 0) + RESTART_FIRST_MS;
}

static void
end(struct watcher *w)
{
	w->start_at = 0;
	if (w->pid == 0)
		return;
	loop_close(&w->control);
	kill(w->pid, SIGTERM);
	w->kill_at = now_mono_ms() + END_MS;
}

/* Returns when to look again, 0 if there is nobody to listen to. */
static int64_t
check_silence(struct watcher *w, int64_t now)
{
	int64_t limit = (w->node == 0 ? WATCH_DATABASE_SILENT_S : WATCH_NODE_SILENT_S) * 1000;

	if (w->control.fd < 0)
		return 0;
	if (w->heard + limit <= now)
		control_ready(w, 0); /* it may be this process that was stopped */
	if (w->heard + limit <= now) {
		log_error("watcher.silent", F_NUM("process", w->pid), F_NUM("node", w->node));
		kill(w->pid, SIGKILL);
		w->heard = now;
	}
	return w->heard + limit;
}

static int64_t
tick(struct watcher *w, int64_t now)
{
	int64_t look_at;

	if (due(w->start_at, now))
		start(w, now);
	if (due(w->kill_at, now) && w->pid != 0) {
		kill(w->pid, SIGKILL);
		w->kill_at = 0;
	}
	look_at = check_silence(w, now); /* may set kill_at */
	return sooner(sooner(w->kill_at, w->start_at), look_at);
}

/* One of a node ends by itself when it sees before we hear of it that the node has changed. */
static void
ended(struct watcher *w, int status)
{
	int64_t now = now_mono_ms(), delay = 0;
	pid_t pid = w->pid;

	w->pid = 0;
	w->kill_at = 0;
	loop_close(&w->control);
	if (all.config_fd < 0)
		return;
	if (!w->again)
		delay = restart_delay(&w->restart, now - w->started);
	w->start_at = now + delay;
	if (!w->again && (w->node == 0 || status != 0))
		log_error("watcher.exit", F_NUM("process", pid), F_NUM("node", w->node),
		    F_NUM(
			"status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)),
		    F_NUM("restart_ms", delay));
	w->again = false;
}

/* ---- those of the nodes ------------------------------------------------- */

static struct watcher *
find_node(uint64_t node)
{
	struct watcher *w;

	LIST_FOREACH(w, &all.list, link)
	{
		if (w->node == node && !w->unwanted)
			return w;
	}
	return NULL;
}

static void
forget(struct watcher *w)
{
	LIST_REMOVE(w, link);
	free(w);
}

/* It is in use. */
static void
want_node(uint64_t node, uint64_t revision)
{
	struct watcher *w = find_node(node);

	if (w == NULL) {
		w = xcalloc(1, sizeof *w);
		w->node = node;
		w->revision = revision;
		w->control.fd = -1;
		w->start_at = now_mono_ms();
		LIST_INSERT_HEAD(&all.list, w, link);
	} else if (w->revision != revision) {
		w->revision = revision;
		w->again = w->pid != 0;
		end(w);
		if (w->pid == 0)
			w->start_at = now_mono_ms();
	}
}

static bool
is_told(const uint64_t *node, size_t n, uint64_t which)
{
	while (n > 0 && node[n - 1] != which)
		n--;
	return n > 0;
}

/* All that are in use. */
static void
node_told(struct msg *m)
{
	uint64_t *node = xcalloc(WATCH_MAX_NODES, sizeof *node), revision;
	struct watcher *w, *next;
	size_t n = 0;

	while (m->pos < m->len && !m->bad && n < WATCH_MAX_NODES) {
		node[n] = msg_get_u64(m);
		revision = msg_get_u64(m);
		if (!m->bad)
			want_node(node[n++], revision);
	}
	for (w = LIST_FIRST(&all.list); w != NULL; w = next) {
		next = LIST_NEXT(w, link);
		if (w->unwanted || is_told(node, n, w->node))
			continue;
		w->unwanted = true;
		end(w);
		if (w->pid == 0)
			forget(w);
	}
	free(node);
}

/* ---- all ---------------------------------------------------------------- */

void
watcher_start(int config_fd, const struct watcher_news *news)
{
	all.config_fd = config_fd;
	all.news = news;
	start(&all.database, now_mono_ms());
}

int64_t
watcher_tick(int64_t now)
{
	int64_t next = tick(&all.database, now);
	struct watcher *w;

	LIST_FOREACH(w, &all.list, link)
	{
		next = sooner(next, tick(w, now));
	}
	return next;
}

bool
watcher_reaped(pid_t pid, int status)
{
	struct watcher *w;

	if (pid == all.database.pid) {
		ended(&all.database, status);
		return true;
	}
	LIST_FOREACH(w, &all.list, link)
	{
		if (w->pid != pid)
			continue;
		if (w->unwanted) {
			loop_close(&w->control);
			forget(w);
		} else {
			ended(w, status);
		}
		return true;
	}
	return false;
}

void
watcher_retire(void)
{
	struct watcher *w;

	all.config_fd = -1; /* no other one */
	end(&all.database);
	LIST_FOREACH(w, &all.list, link)
	{
		end(w);
	}
}

int64_t
watcher_heard(void)
{
	return all.database.heard;
}

bool
watcher_gone(void)
{
	const struct watcher *w;
	bool gone = all.database.pid == 0;

	LIST_FOREACH(w, &all.list, link)
	{
		gone = gone && w->pid == 0;
	}
	return gone;
}
