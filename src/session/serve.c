/*
 * One connection from its first byte to its last: the poll loop over the
 * client, the broker and the streams.  jumpbox-session.
 *
 *	client ══► libssh ══► messages, channel data ──► chan_work
 *	broker ──► answers, EVT_* ─────────────────────► chan_work
 *	streams ◄═════════════════════════════════════► chan_work
 *
 * Nothing waits for anything but poll(), and that only for what is set: an
 * idle connection wakes up for client-alive-interval alone.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	FLUSH_MS = 2000, /* what may still go out after the end was decided */
	LOOP_CPU_S = 30, /* one turn of the loop that burns more is a libssh loop */
	WARN_MS = 60000, /* before the idle time-out */
	FIXED_FDS = 2,	 /* client, broker */
};

/* ---- ending ------------------------------------------------------------------ */

void
conn_refuse(struct conn *c, const char *reason)
{
	ssh_session_set_disconnect_message(c->ssh, reason);
	c->ended = true;
	if (c->end_at == 0)
		c->end_at = now_mono_ms() + FLUSH_MS;
}

/* Says it on every channel and leaves when they are flushed. */
static void
expel(struct conn *c, uint32_t code, const char *reason)
{
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		chan_expel(ch, code, reason);
	conn_refuse(c, reason);
}

static _Noreturn void
leave(struct conn *c)
{
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		relay_detach(ch, c->gone ? "lost connection" : "ended");
	auth_release(c);
	ssh_disconnect(c->ssh);
	exit(0);
}

/* ---- the client's messages ------------------------------------------------------ */

static void
open_channel(struct conn *c, ssh_message m)
{
	ssh_channel ssh;

	if (ssh_message_subtype(m) == SSH_CHANNEL_SESSION && !c->ended &&
	    (ssh = ssh_message_channel_request_open_reply_accept(m)) != NULL)
		chan_new(c, ssh);
	else
		ssh_message_reply_default(m);
	ssh_message_free(m);
}

static void
request_channel(struct conn *c, ssh_message m)
{
	ssh_channel ssh = ssh_message_channel_request_channel(m);

	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next) {
		if (ch->ssh == ssh) {
			chan_request(ch, m);
			return;
		}
	}
	ssh_message_reply_default(m);
	ssh_message_free(m);
}

static void
client_message(struct conn *c, ssh_message m)
{
	int type = ssh_message_type(m);

	if (type == SSH_REQUEST_AUTH) {
		auth_request(c, m);
	} else if (type == SSH_REQUEST_CHANNEL_OPEN && c->auth.done) {
		open_channel(c, m);
	} else if (type == SSH_REQUEST_CHANNEL && c->auth.done) {
		request_channel(c, m);
	} else {
		if (type == SSH_REQUEST_SERVICE && !c->auth.done)
			ssh_message_service_reply_success(m);
		else
			ssh_message_reply_default(m);
		ssh_message_free(m);
	}
}

/* False: nothing more may be read now. */
static bool
may_read(const struct conn *c)
{
	return c->auth.waiting == NULL && !c->ended;
}

static void
client_messages(struct conn *c)
{
	ssh_message m;

	while (may_read(c) && (m = ssh_message_get(c->ssh)) != NULL)
		client_message(c, m);
	if (ssh_get_status(c->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR))
		c->gone = true;
}

/* ---- the broker's messages -------------------------------------------------------- */

static void
on_end(struct conn *c, struct msg *m)
{
	uint32_t code = msg_get_u32(m);
	char reason[MAX_REASON + 1];

	msg_get_str(m, reason, sizeof(reason));
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's END is malformed");
	expel(c, code, reason);
}

static void
on_detach(struct conn *c, struct msg *m)
{
	uint32_t attach = msg_get_u32(m), code = msg_get_u32(m);
	char reason[MAX_REASON + 1];

	msg_get_str(m, reason, sizeof(reason));
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's DETACH is malformed");
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (ch->attach == attach && attach != 0)
			chan_expel(ch, code, reason);
}

static void
broker_message(struct conn *c, struct msg *m)
{
	if (m->type == EVT_END) {
		on_end(c, m);
		return;
	}
	if (m->type == EVT_DETACH) {
		on_detach(c, m);
		return;
	}
	if (auth_answer(c, m))
		return;
	/* An answer that nobody waits for any more is of a channel that has gone. */
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (front_answer(ch, m) || relay_answer(ch, m))
			return;
}

static void
broker_messages(struct conn *c)
{
	struct msg m;

	msg_init(&m, 0, 0);
	while (link_next(&m))
		broker_message(c, &m);
	msg_release(&m);
}

/* ---- channels ------------------------------------------------------------------------ */

static bool
work(struct conn *c, int64_t now)
{
	struct channel *ch, *next;
	bool any = false;

	for (ch = c->channels; ch != NULL; ch = next) {
		next = ch->next;
		any |= chan_work(ch, now);
		/* Freed when the client has closed it too, or libssh would answer for it. */
		if (ch->state == CH_CLOSED && ch->closed)
			chan_free(ch);
	}
	return any;
}

static bool
all_said(const struct conn *c)
{
	for (const struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (ch->state == CH_ENDING)
			return false;
	return !(ssh_get_status(c->ssh) & SSH_WRITE_PENDING);
}

/* ---- time --------------------------------------------------------------------------- */

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t
probe_at(const struct conn *c)
{
	int64_t interval = (int64_t)c->cfg->client_alive_interval * 1000;
	int64_t since = c->last_in > c->last_probe ? c->last_in : c->last_probe;

	return interval == 0 || !c->auth.done ? 0 : since + interval;
}

static int64_t
idle_at(const struct conn *c)
{
	int64_t limit = (int64_t)c->cfg->idle_timeout * 1000;

	if (limit == 0 || !c->auth.done)
		return 0;
	return c->last_active + (limit > WARN_MS && !c->warned ? limit - WARN_MS : limit);
}

static int64_t
login_at(const struct conn *c)
{
	return c->auth.done ? 0 : c->started + (int64_t)c->cfg->login_grace_time * 1000;
}

static int64_t
next_deadline(const struct conn *c)
{
	int64_t at = sooner(sooner(probe_at(c), idle_at(c)), sooner(login_at(c), c->end_at));

	for (const struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		at = sooner(at, chan_deadline(ch));
	return at;
}

static void
idle_expired(struct conn *c, int64_t now)
{
	int64_t limit = (int64_t)c->cfg->idle_timeout * 1000;
	char reason[MAX_REASON], seconds[16];

	if (now - c->last_active < limit) {
		c->warned = true;
		for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
			if (ch->state < CH_ENDING)
				chan_words(ch, W_IDLE_WARNING, NULL, NULL, NULL);
		return;
	}
	snprintf(seconds, sizeof(seconds), "%u", c->cfg->idle_timeout);
	expel(c, -JB_TRY_AGAIN, words(reason, sizeof(reason), W_IDLE_END, seconds, NULL, NULL));
}

static void
timers(struct conn *c, int64_t now)
{
	char reason[MAX_REASON];

	if (c->end_at != 0)
		return;
	if (c->warned && now - c->last_active < WARN_MS)
		c->warned = false;
	if (login_at(c) != 0 && now >= login_at(c)) {
		conn_refuse(c, words(reason, sizeof(reason), W_LOGIN_DEADLINE, NULL, NULL, NULL));
		return;
	}
	if (idle_at(c) != 0 && now >= idle_at(c))
		idle_expired(c, now);
	if (probe_at(c) == 0 || now < probe_at(c))
		return;
	if (c->cfg->client_alive_count_max > 0 && c->unanswered >= c->cfg->client_alive_count_max) {
		c->gone = true;
		return;
	}
	c->unanswered++;
	c->last_probe = now;
	ssh_send_keepalive(c->ssh);
}

/* libssh can loop for ever over a channel with a tiny packet size: such a process must not stay. */
static void
watchdog(int64_t now)
{
	static int64_t armed;
	const struct itimerval limit = { .it_value = { .tv_sec = LOOP_CPU_S } };

	if (armed != 0 && now - armed < 1000)
		return;
	armed = now;
	setitimer(ITIMER_PROF, &limit, NULL);
}

/* ---- the loop ------------------------------------------------------------------------- */

static struct pollfd *
poll_set(struct conn *c, nfds_t *n)
{
	static struct pollfd *set;
	static nfds_t room;
	nfds_t want = FIXED_FDS;

	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		want++;
	if (want > room) {
		room = want + 16;
		set = xreallocarray(set, room, sizeof(*set));
	}
	set[0] = (struct pollfd){ c->client, may_read(c) ? POLLIN : 0, 0 };
	if (ssh_get_status(c->ssh) & SSH_WRITE_PENDING)
		set[0].events |= POLLOUT;
	set[1] = (struct pollfd){ link_fd(), POLLIN, 0 };
	*n = FIXED_FDS;
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next) {
		short events = relay_events(ch);

		if (events != 0)
			set[(*n)++] = (struct pollfd){ ch->fd, events, 0 };
	}
	return set;
}

static void
wait_for_something(struct conn *c, bool again)
{
	int64_t now = now_mono_ms(), at = next_deadline(c);
	int timeout = again ? 0 : at == 0 ? -1 : at <= now ? 0 : (int)(at - now);
	const int on = 1;
	nfds_t n;
	struct pollfd *set = poll_set(c, &n);

	if (!c->auth.done) /* an acknowledgement held back costs a handshake 40 ms */
		setsockopt(c->client, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	if (poll(set, n, timeout) < 0 && errno != EINTR)
		fatal(JB_INTERNAL, "poll: %s", strerror(errno));
	if (set[0].revents & POLLIN) {
		c->last_in = now_mono_ms();
		c->unanswered = 0;
	}
	if (set[0].revents & (POLLHUP | POLLERR) && !(set[0].revents & POLLIN))
		c->gone = true;
	/* During the first key exchange there is no event: that call reads for itself. */
	if (set[0].revents != 0 && c->event != NULL && ssh_event_dopoll(c->event, 0) == SSH_ERROR)
		c->gone = true;
}

/* The first key exchange; libssh has no poll context to put into an event before it. */
static void
begin(struct conn *c)
{
	int r;

	while ((r = ssh_handle_key_exchange(c->ssh)) == SSH_AGAIN) {
		broker_messages(c);
		if (login_at(c) <= now_mono_ms() || c->gone || c->ended)
			leave(c);
		watchdog(now_mono_ms());
		wait_for_something(c, false);
	}
	if (r != SSH_OK)
		leave(c);
	if ((c->event = ssh_event_new()) == NULL ||
	    ssh_event_add_session(c->event, c->ssh) != SSH_OK)
		fatal(JB_INTERNAL, "no memory for an SSH session");
	ssh_set_auth_methods(c->ssh,
	    SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE);
}

void
serve(const struct config *cfg, const char *banner, ssh_session ssh, int client)
{
	struct conn c = { .cfg = cfg, .banner = banner, .ssh = ssh, .client = client };
	bool again = false;
	int64_t now;

	c.started = c.last_in = c.last_active = now_mono_ms();
	ssh_set_blocking(ssh, 0);
	begin(&c);
	for (;;) {
		client_messages(&c);
		broker_messages(&c);
		now = now_mono_ms();
		watchdog(now);
		timers(&c, now);
		again = work(&c, now);
		if (c.gone || (c.ended && (all_said(&c) || now >= c.end_at)))
			leave(&c);
		wait_for_something(&c, again || link_queued());
	}
}
