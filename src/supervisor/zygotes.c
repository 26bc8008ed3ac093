/*
 * The two zygotes.  Supervisor.
 *
 * A zygote's children share its address layout.  A child that died of a
 * signal may have been a guess at that layout, so no further connection goes
 * to that zygote: connections wait for the fresh one.  When one is replaced
 * for its age only, it serves until its successor is ready.
 *
 * A retired zygote is not closed but shut down in our direction: it still
 * reads the connections that are in its socket, and we its reports.
 */
#include "zygotes.h"

#include "jumpbox/log.h"
#include "jumpbox/msg.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "loop.h"
#include "restart.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ZYGOTE_LIFE = 1000,    /* connections */
	START_MS = 30000,      /* from exec to ZYG_READY */
	END_MS = 4000,	       /* from being retired to the end */
	REPORTS_PER_TURN = 64, /* messages read before others get their turn */
};

enum worker_state { STARTING, READY, RETIRING };

/* One process. */
struct worker {
	TAILQ_ENTRY(worker) link;
	struct zygote *zygote;
	enum worker_state state;
	pid_t pid;
	struct watch control;
	int64_t started;
	int64_t deadline; /* killed then; 0: never */
	unsigned given;
};

/* One role's: at most one STARTING and one READY among the workers. */
struct zygote {
	const char *role, *program;
	bool has_keys;
	TAILQ_HEAD(workers, worker) workers;
	struct worker *current; /* READY, or NULL */
	struct worker *next;	/* STARTING, or NULL */
	struct restart restart;
	int64_t start_at;	/* 0: not wanted */
	bool was_ready, failed; /* failed: died before it ever was ready */
	struct msg held;	/* given, but the socket was full; or the zygote died before */
	bool holding;
};

enum { ZYGOTES = 2 };

static struct zygote zygotes[ZYGOTES] = {
	{ .role = "session", .program = "jumpbox-session", .has_keys = true },
	{ .role = "broker", .program = "jumpbox-broker" },
};
static struct zygote *const session = &zygotes[0], *const broker = &zygotes[1];

static int config_fd = -1, keys_fd = -1;
static bool retired;

static void worker_ready(void *owner, uint32_t events);

/* ---- one process ------------------------------------------------------ */

static void
start(struct zygote *z, int64_t now)
{
	const struct spawn s = { z->program, "zygote", SOCK_SEQPACKET, config_fd,
		z->has_keys ? keys_fd : -1 };
	struct worker *w;
	int control;
	pid_t pid = spawn_role(&s, &control);

	z->start_at = 0;
	if (pid < 0) {
		log_error("zygote.fail", F_STR("of", z->role), F_STR("why", strerror(errno)));
		z->start_at = now + restart_delay(&z->restart, 0) + RESTART_FIRST_MS;
		return;
	}
	w = xcalloc(1, sizeof *w);
	w->zygote = z;
	w->pid = pid;
	w->started = now;
	w->deadline = now + START_MS;
	loop_add(&w->control, control, EPOLLIN, worker_ready, w);
	TAILQ_INSERT_TAIL(&z->workers, w, link);
	z->next = w;
	log_debug("zygote.start", F_STR("of", z->role), F_NUM("process", w->pid));
}

/* Ends by itself, having read what is in its socket. */
static void
retire(struct worker *w)
{
	struct zygote *z = w->zygote;

	if (z->current == w)
		z->current = NULL;
	if (z->next == w)
		z->next = NULL;
	w->state = RETIRING;
	w->deadline = now_mono_ms() + END_MS;
	if (w->control.fd >= 0)
		shutdown(w->control.fd, SHUT_WR);
}

/* A fresh one at that time, unless it is on its way. */
static void
replace(struct zygote *z, int64_t at)
{
	if (!retired && z->next == NULL && z->start_at == 0)
		z->start_at = at;
}

static void
worker_kill(struct worker *w, const char *why)
{
	log_error("zygote.kill", F_STR("of", w->zygote->role), F_NUM("process", w->pid),
	    F_STR("why", why));
	kill(w->pid, SIGKILL);
	loop_close(&w->control);
	w->deadline = 0;
}

/* ---- what it reports -------------------------------------------------- */

/* Sends what is held, and watches for room if there is none. */
static void
flush(struct zygote *z)
{
	struct worker *w = z->current;
	int r;

	if (!z->holding || w == NULL || w->control.fd < 0)
		return;
	r = msg_send(w->control.fd, &z->held);
	if (r == JB_UNAVAILABLE)
		return; /* it died: held for its successor */
	loop_change(&w->control, r == JB_TRY_AGAIN ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (r == JB_TRY_AGAIN)
		return;
	if (r < 0)
		log_error("zygote.fail", F_STR("of", z->role), F_STR("why", "bad message"));
	msg_release(&z->held);
	z->holding = false;
}

static void
on_ready(struct worker *w)
{
	struct zygote *z = w->zygote;

	if (w->state != STARTING)
		return;
	if (z->current != NULL)
		retire(z->current);
	z->next = NULL;
	z->current = w;
	z->was_ready = true;
	w->state = READY;
	w->deadline = 0;
	log_debug("zygote.ready", F_STR("of", z->role), F_NUM("process", w->pid),
	    F_NUM("ms", now_mono_ms() - w->started));
	flush(z);
}

static void
on_exit_of(struct worker *w, uint64_t conn, int status)
{
	struct zygote *z = w->zygote;

	if (!WIFSIGNALED(status))
		return;
	log_conn(conn);
	log_warn("zygote.crash", F_STR("of", z->role), F_NUM("zygote", w->pid),
	    F_STR("signal", sigabbrev_np(WTERMSIG(status))));
	log_conn(0);
	if (w->state == READY) {
		retire(w);
		replace(z, now_mono_ms());
	}
}

static bool
read_report(struct worker *w, struct msg *m)
{
	uint64_t conn;
	uint32_t status;

	if (m->type == ZYG_READY && msg_end(m)) {
		on_ready(w);
		return true;
	}
	if (m->type != ZYG_EXIT)
		return false;
	conn = msg_get_u64(m);
	status = msg_get_u32(m);
	if (!msg_end(m))
		return false;
	on_exit_of(w, conn, (int)status);
	return true;
}

/* Its end of the socket is closed: it is ending, and reaped soon. */
static void
on_eof(struct worker *w)
{
	loop_close(&w->control);
	if (w->deadline == 0)
		w->deadline = now_mono_ms() + END_MS;
}

static void
worker_ready(void *owner, uint32_t events)
{
	struct worker *w = owner;
	struct msg m;
	int r = 0, i;

	if (events & EPOLLOUT)
		flush(w->zygote);
	msg_init(&m, 0, 0);
	for (i = 0; i < REPORTS_PER_TURN && w->control.fd >= 0; i++) {
		if ((r = msg_recv(w->control.fd, &m)) < 0)
			break;
		if (!read_report(w, &m)) {
			r = JB_BAD_INPUT;
			break;
		}
	}
	msg_release(&m);
	if (r == JB_UNAVAILABLE)
		on_eof(w);
	else if (r == JB_BAD_INPUT)
		worker_kill(w, "a message that no zygote sends");
}

/* ---- handing over ----------------------------------------------------- */

static bool
can_take(const struct zygote *z)
{
	return z->current != NULL && z->current->control.fd >= 0 && !z->holding;
}

static void
give(struct zygote *z, const struct handover *h, int fd1, int fd2)
{
	struct zygote_conn c = { .conn = h->conn,
		.peer_port = h->peer.port,
		.local_port = h->local.port,
		.accepted = h->accepted,
		.fd = { fd1, fd2 } };

	str_copy(c.peer, sizeof c.peer, h->peer.text);
	str_copy(c.local, sizeof c.local, h->local.text);
	msg_init(&z->held, ZYG_CONN, 0);
	zygote_conn_put(&z->held, &c);
	z->holding = true;
	if (++z->current->given == ZYGOTE_LIFE)
		replace(z, now_mono_ms());
	flush(z);
}

int
zygotes_give(const struct handover *h, int *status)
{
	int pair[2], stat[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return JB_TRY_AGAIN;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, stat) < 0) {
		close(pair[0]);
		close(pair[1]);
		return JB_TRY_AGAIN;
	}
	give(session, h, h->client, pair[0]);
	give(broker, h, pair[1], stat[1]);
	*status = stat[0];
	return 0;
}

bool
zygotes_ready(void)
{
	return can_take(session) && can_take(broker);
}

bool
zygotes_started(void)
{
	return session->was_ready && broker->was_ready;
}

bool
zygotes_failed(void)
{
	return session->failed || broker->failed;
}

bool
zygotes_holding(void)
{
	return session->holding || broker->holding;
}

/* ---- life and death --------------------------------------------------- */

void
zygotes_start(int config, int keys)
{
	struct zygote *z;
	int64_t now = now_mono_ms();

	config_fd = config;
	keys_fd = keys;
	for (z = zygotes; z < zygotes + ZYGOTES; z++) {
		TAILQ_INIT(&z->workers);
		start(z, now);
	}
}

int64_t
zygotes_tick(int64_t now)
{
	struct zygote *z;
	struct worker *w;
	int64_t next = 0;

	for (z = zygotes; z < zygotes + ZYGOTES; z++) {
		if (due(z->start_at, now))
			start(z, now);
		next = sooner(next, z->start_at);
		for (w = TAILQ_FIRST(&z->workers); w != NULL; w = TAILQ_NEXT(w, link)) {
			if (due(w->deadline, now))
				worker_kill(
				    w, w->state == STARTING ? "not ready in time" : "does not end");
			next = sooner(next, w->deadline);
		}
	}
	return next;
}

static void
on_death(struct worker *w, int status)
{
	struct zygote *z = w->zygote;
	int64_t now = now_mono_ms(), wait;

	if (w->state != RETIRING) {
		wait = restart_delay(&z->restart, now - w->started);
		log_error("zygote.exit", F_STR("of", z->role), F_NUM("process", w->pid),
		    F_STR(WIFSIGNALED(status) ? "signal" : "how",
			WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "exit"),
		    F_NUM("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		    F_NUM("restart_ms", wait));
		z->failed = !z->was_ready;
		retire(w);
		replace(z, now + wait);
	}
	loop_close(&w->control);
	TAILQ_REMOVE(&z->workers, w, link);
	free(w);
}

bool
zygotes_reaped(pid_t pid, int status)
{
	struct zygote *z;
	struct worker *w;

	for (z = zygotes; z < zygotes + ZYGOTES; z++) {
		for (w = TAILQ_FIRST(&z->workers); w != NULL; w = TAILQ_NEXT(w, link)) {
			if (w->pid == pid) {
				on_death(w, status);
				return true;
			}
		}
	}
	return false;
}

void
zygotes_retire(void)
{
	struct zygote *z;
	struct worker *w;

	retired = true;
	for (z = zygotes; z < zygotes + ZYGOTES; z++) {
		z->start_at = 0;
		for (w = TAILQ_FIRST(&z->workers); w != NULL; w = TAILQ_NEXT(w, link))
			if (w->state != RETIRING)
				retire(w);
		if (z->holding)
			msg_release(&z->held);
		z->holding = false;
	}
}

bool
zygotes_gone(void)
{
	struct zygote *z;

	for (z = zygotes; z < zygotes + ZYGOTES; z++)
		if (!TAILQ_EMPTY(&z->workers))
			return false;
	return true;
}
