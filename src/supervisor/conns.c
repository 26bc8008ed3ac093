/*
 * The connections.  Supervisor.
 *
 * No byte of a client is ever read here: poll says that there is one, and
 * FIONREAD tells a client that spoke from one that only left.
 */
#include "conns.h"

#include "address.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "limits.h"
#include "loop.h"
#include "zygotes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FIRST_BYTE_MS = 250,
	GRACE_SLACK_MS = 3000, /* the session keeps the grace time; this is for one that does not */
	ACCEPTS_PER_TURN = 32, /* of one listener */
	PAUSE_MS = 1000,       /* without descriptors, if nothing ends before */
	RESERVE_FDS = 64,      /* not for connections */
	REPORT_DROPS_MS = 60000 /* one line about drops in that time */
};

enum conn_state { WAITING, QUEUED, STARTED, LEAVING, AUTHED, CONN_STATES };

struct conn {
	TAILQ_ENTRY(conn) link;
	enum conn_state state;
	struct watch watch; /* the client in WAITING, the status socket from STARTED on */
	int64_t deadline;   /* WAITING, QUEUED, STARTED */
	int64_t grace_end;
	uint64_t policy;   /* the changes before it was handed over */
	bool menu;	   /* it is open: it wants to hear of the inventory */
	struct handover h; /* .client -1 once handed over */
};

TAILQ_HEAD(conn_list, conn);

static struct {
	struct conn_list list[CONN_STATES]; /* by deadline, as far as states have one */
	uint64_t count, max;
	uint64_t policy;      /* changes so far */
	struct limits limits; /* WAITING, QUEUED, STARTED */
	int64_t grace_ms;
	const struct listeners *listeners;
	struct watch listening[CONFIG_LIST_MAX];
	bool accepting;
	int64_t resume_at;	    /* 0: not paused by an error */
	uint64_t accepted, dropped; /* since the start */
	uint64_t drops;
	int64_t drops_said; /* when they were last reported */
} all;

void
conns_init(const struct config *c, uint64_t max_open)
{
	uint64_t most = max_open > 2 * RESERVE_FDS ? max_open - RESERVE_FDS : RESERVE_FDS;
	uint64_t want = c->max_sessions == 0 ? most : (uint64_t)c->max_startups + c->max_sessions;
	int i;

	for (i = 0; i < CONN_STATES; i++)
		TAILQ_INIT(&all.list[i]);
	if (want > most)
		log_warn("limit.nofile", F_NUM("connections", most), F_NUM("wanted", want),
		    F_STR("hint", "raise the limit on open files (LimitNOFILE)"));
	all.max = want < most ? want : most;
	limits_init(&all.limits, c->max_startups, c->max_startups_per_source);
	all.grace_ms = (int64_t)c->login_grace_time * 1000;
	all.drops_said = -REPORT_DROPS_MS;
}

/* ---- one connection --------------------------------------------------- */

static void
log_conn_event(const struct conn *c, const char *event)
{
	log_conn(c->h.conn);
	log_debug(event, F_STR("peer", c->h.peer.text), F_NUM("port", c->h.peer.port));
	log_conn(0);
}

static void
move(struct conn *c, enum conn_state to)
{
	TAILQ_REMOVE(&all.list[c->state], c, link);
	TAILQ_INSERT_TAIL(&all.list[to], c, link);
	c->state = to;
}

static void
forget(struct conn *c)
{
	log_conn_event(c, "conn.close");
	limits_remove(&all.limits, c);
	TAILQ_REMOVE(&all.list[c->state], c, link);
	if (c->state == WAITING)
		loop_del(&c->watch);
	loop_close(&c->watch);
	if (c->h.client >= 0)
		close(c->h.client);
	free(c);
	all.count--;
	if (all.resume_at != 0)
		all.resume_at = now_mono_ms();
}

static void
tell(const struct conn *c, enum status_byte what)
{
	char byte = (char)what;

	/* A broker that does not read has the same byte before it already. */
	send(c->watch.fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A limit, or its time is over: it is counted no more. */
static void
drop(struct conn *c)
{
	limits_remove(&all.limits, c);
	if (c->state == STARTED) {
		log_conn_event(c, "conn.drop");
		tell(c, STATUS_DROP);
		move(c, LEAVING);
	} else {
		forget(c);
	}
}

static void
count_drop(int64_t now)
{
	all.drops++;
	all.dropped++;
	if (now - all.drops_said < REPORT_DROPS_MS)
		return;
	log_warn("limit.startups", F_NUM("dropped", all.drops),
	    F_STR("hint", "see max-startups and max-startups-per-source"));
	all.drops = 0;
	all.drops_said = now;
}

/* ---- handed over ------------------------------------------------------ */

/* Also one that is leaving: its login crossed the drop, and its broker stays. */
static void
logged_in(struct conn *c)
{
	if (c->state == AUTHED)
		return;
	limits_remove(&all.limits, c);
	move(c, AUTHED);
	if (c->policy != all.policy) /* while it logged in */
		tell(c, STATUS_POLICY);
}

static void
status_ready(void *owner, uint32_t events)
{
	struct conn *c = owner;
	char byte[16];
	ssize_t n = read(c->watch.fd, byte, sizeof byte);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		forget(c);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (byte[i] == STATUS_LOGIN)
			logged_in(c);
		else if (byte[i] == STATUS_MENU || byte[i] == STATUS_NO_MENU)
			c->menu = byte[i] == STATUS_MENU;
}

static void
queue(struct conn *c)
{
	loop_del(&c->watch);
	c->deadline = c->grace_end;
	move(c, QUEUED);
}

void
conns_pump(void)
{
	struct conn *c;
	int status;

	while ((c = TAILQ_FIRST(&all.list[QUEUED])) != NULL && zygotes_ready()) {
		if (zygotes_give(&c->h, &status) < 0)
			return;
		c->h.client = -1;
		loop_add(&c->watch, status, EPOLLIN, status_ready, c);
		c->deadline = now_mono_ms() + all.grace_ms + GRACE_SLACK_MS;
		c->policy = all.policy;
		move(c, STARTED);
	}
}

/* ---- waiting for the first byte --------------------------------------- */

static void
client_ready(void *owner, uint32_t events)
{
	struct conn *c = owner;
	int bytes = 0;

	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 &&
	    (ioctl(c->h.client, FIONREAD, &bytes) < 0 || bytes == 0))
		forget(c);
	else
		queue(c);
}

/* ---- accepting -------------------------------------------------------- */

static uint64_t
fresh_id(void)
{
	uint64_t id;

	do
		if (getrandom(&id, sizeof id, 0) != sizeof id)
			fatal(JB_INTERNAL, "getrandom: %s", strerror(errno));
	while ((id &= INT64_MAX) == 0);
	return id;
}

static bool
addresses(int fd, const struct sockaddr_storage *from, struct handover *h)
{
	struct sockaddr_storage here;
	socklen_t len = sizeof here;

	return getsockname(fd, (struct sockaddr *)&here, &len) == 0 && address_of(from, &h->peer) &&
	    address_of(&here, &h->local);
}

static void
accepted(int fd, const struct sockaddr_storage *from)
{
	struct conn *c = xcalloc(1, sizeof *c), *victim;
	struct source source;
	int64_t now = now_mono_ms();

	if (!addresses(fd, from, &c->h)) { /* it left already */
		close(fd);
		free(c);
		return;
	}
	c->h.conn = fresh_id();
	c->h.accepted = (uint64_t)now_unix_ms();
	c->h.client = fd;
	c->deadline = now + FIRST_BYTE_MS;
	c->grace_end = now + all.grace_ms;
	TAILQ_INSERT_TAIL(&all.list[WAITING], c, link);
	all.count++;
	all.accepted++;
	loop_add(&c->watch, fd, EPOLLIN | EPOLLRDHUP, client_ready, c);
	log_conn_event(c, "conn.open");
	source_of(&c->h.peer.ip, &source);
	victim = limits_add(&all.limits, &source, c);
	if (victim != NULL) {
		drop(victim);
		count_drop(now);
	}
}

static void
pause_accepting(int error)
{
	log_warn("accept.pause", F_STR("why", strerror(error)), F_NUM("connections", all.count));
	all.resume_at = now_mono_ms() + PAUSE_MS;
}

/* Errors of the network belong to that one client. */
static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
listener_ready(void *owner, uint32_t events)
{
	struct watch *w = owner;
	struct sockaddr_storage from;
	socklen_t len;
	int fd, i;

	(void)events;
	for (i = 0; i < ACCEPTS_PER_TURN && all.count < all.max; i++) {
		len = sizeof from;
		fd = accept4(w->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			accepted(fd, &from);
		} else if (is_shortage(errno)) {
			pause_accepting(errno);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

/* Watches the listeners, or does not: a listener that is not accepted from would be ready for ever.
 */
static void
set_accepting(bool on)
{
	unsigned i;

	if (on == all.accepting)
		return;
	for (i = 0; i < all.listeners->n; i++) {
		if (on)
			loop_add(&all.listening[i], all.listeners->fd[i], EPOLLIN, listener_ready,
			    &all.listening[i]);
		else
			loop_del(&all.listening[i]);
	}
	all.accepting = on;
}

void
conns_listen(const struct listeners *l)
{
	if (l == NULL)
		set_accepting(false);
	all.listeners = l;
}

/* ---- time ------------------------------------------------------------- */

/* The first of the state that has time left; those before it were dealt with. */
static int64_t
expire(enum conn_state state, int64_t now, void (*fn)(struct conn *))
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&all.list[state])) != NULL && c->deadline <= now)
		fn(c);
	return c == NULL ? 0 : c->deadline;
}

int64_t
conns_tick(int64_t now)
{
	int64_t next;

	next = expire(WAITING, now, queue);
	next = sooner(next, expire(QUEUED, now, drop));
	next = sooner(next, expire(STARTED, now, drop));
	if (due(all.resume_at, now))
		all.resume_at = 0;
	set_accepting(all.listeners != NULL && all.resume_at == 0 && all.count < all.max);
	return sooner(next, all.resume_at);
}

/* ---- all of them ------------------------------------------------------ */

static void
tell_all(enum conn_state state, enum status_byte what)
{
	struct conn *c;

	for (c = TAILQ_FIRST(&all.list[state]); c != NULL; c = TAILQ_NEXT(c, link))
		tell(c, what);
}

void
conns_policy(void)
{
	all.policy++;
	tell_all(AUTHED, STATUS_POLICY);
}

void
conns_inventory(void)
{
	struct conn *c;

	TAILQ_FOREACH(c, &all.list[AUTHED], link)
	{
		if (c->menu)
			tell(c, STATUS_INVENTORY);
	}
}

void
conns_hurry(void)
{
	while (!TAILQ_EMPTY(&all.list[WAITING]))
		queue(TAILQ_FIRST(&all.list[WAITING]));
}

bool
conns_pending(void)
{
	return !TAILQ_EMPTY(&all.list[WAITING]) || !TAILQ_EMPTY(&all.list[QUEUED]);
}

void
conns_shutdown(void)
{
	conns_hurry();
	while (!TAILQ_EMPTY(&all.list[QUEUED]))
		forget(TAILQ_FIRST(&all.list[QUEUED]));
	tell_all(STARTED, STATUS_SHUTDOWN);
	tell_all(LEAVING, STATUS_SHUTDOWN); /* its login may have crossed the drop */
	tell_all(AUTHED, STATUS_SHUTDOWN);
}

uint64_t
conns_count(void)
{
	return all.count;
}

static uint64_t
length(enum conn_state state)
{
	const struct conn *c;
	uint64_t n = 0;

	for (c = TAILQ_FIRST(&all.list[state]); c != NULL; c = TAILQ_NEXT(c, link))
		n++;
	return n;
}

void
conns_numbers(struct server_state *s)
{
	s->accepted = all.accepted;
	s->dropped = all.dropped;
	s->logged_in = length(AUTHED);
	s->waiting = all.count - s->logged_in;
}
