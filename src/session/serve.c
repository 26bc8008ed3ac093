/*
 * One connection from its first byte to its last: the poll loop over the
 * client, the broker and the streams.  jumpbox-session.
 *
 *	client ══► libssh ══► messages, channel data ──► chan_work
 *	broker ──► answers, EVT_* ─────────────────────► chan_work
 *	streams ◄═════════════════════════════════════► chan_work
 *
 * Nothing waits for anything but poll(), and that only for what is set: an
 * idle connection wakes up for client-alive-interval alone.  The one
 * exception is a signature of the host key: libssh calls for it, and
 * link_call() waits for the broker.
 */
#include "forward.h"
#include "mux_client.h"
#include "task.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FLUSH_MS = 1500,      /* what may still go out after the end was decided */
	LINGER_MS = 500,      /* for the client to read the reason before its socket goes */
	UNSENT_MS = 250,      /* bytes that the client leaves untaken for longer: it is not read */
	MESSAGES_TURN = 256,  /* of the client in one turn of the loop: the others' turn comes */
	LONGEST_MS = 3600000, /* of one wait */
	LIBSSH_READ = 4096,
	READS_TURN = 8, /* a packet of the usual size */
	FIXED_FDS = 2,	/* client, broker */
};

/* ---- ending ------------------------------------------------------------------ */

/* The session has no log: the broker writes it. */
static void
tell_broker(const char *reason)
{
	struct msg m;

	msg_init(&m, REQ_LOG, link_id());
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "refused");
	msg_put_str(&m, reason);
	link_send(&m);
}

/* OpenSSH shows the bytes of a disconnect message that are not ASCII as octal numbers: English. */
void
conn_refuse(struct conn *c, const struct errtext *why)
{
	if (!c->ended)
		tell_broker(why->s);
	ssh_session_set_disconnect_message(c->ssh, why->s);
	c->ended = true;
	if (c->end_at == 0)
		c->end_at = now_mono_ms() + FLUSH_MS;
}

void
conn_expel(struct conn *c, int code, const struct errtext *why)
{
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		chan_expel(ch, (uint32_t)-code, why->say);
	conn_refuse(c, why);
}

/* The reason is to be read: bytes of the client that nobody takes would make the kernel reset. */
static void
part(struct conn *c)
{
	struct pollfd p = { fcntl(c->client, F_DUPFD_CLOEXEC, 0), POLLIN, 0 };
	int64_t now = now_mono_ms(), until = now + LINGER_MS;
	char bin[4096];

	/*
	 * A channel has said why, and ended with a status that OpenSSH forgets over
	 * a disconnect message.  Nothing more is written before libssh has seen
	 * POLLOUT since its last write: one turn for that.
	 */
	if (c->channels == NULL) {
		if (c->event != NULL)
			ssh_event_dopoll(c->event, 0);
		ssh_disconnect(c->ssh);
	}
	if (p.fd < 0)
		return;
	shutdown(p.fd, SHUT_WR);
	for (; now < until && poll(&p, 1, (int)(until - now)) > 0; now = now_mono_ms())
		if (read(p.fd, bin, sizeof(bin)) <= 0)
			break;
}

/* Nothing is left to the libraries' own ends: the process has no more than the kernel takes back. */
static _Noreturn void
leave(struct conn *c)
{
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		relay_detach(ch, c->gone ? HOW_LOST : "ended");
	mux_release_all(c, c->gone ? HOW_LOST : "ended");
	auth_release(c);
	close(link_fd()); /* the broker need not wait for the client */
	if (!c->gone)
		part(c);
	_exit(0);
}

/* ---- the client's messages ------------------------------------------------------ */

static void
open_channel(struct conn *c, ssh_message m)
{
	ssh_channel ssh;

	if (forward_open(c, m))
		return;
	if (ssh_message_subtype(m) == SSH_CHANNEL_SESSION && c->nchannels < MAX_ATTACHES &&
	    (ssh = ssh_message_channel_request_open_reply_accept(m)) != NULL)
		chan_new(c, ssh);
	else
		ssh_message_reply_default(m);
	ssh_message_free(m);
}

/*
 * The message of a channel that has gone meanwhile points to what libssh may
 * have freed: it is looked for, never looked into, and has no answer.
 */
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
	ssh_message_free(m);
}

static void
client_message(struct conn *c, ssh_message m)
{
	int type = ssh_message_type(m);

	if (c->ended) {
		ssh_message_free(m);
	} else if (type == SSH_REQUEST_AUTH) {
		auth_request(c, m);
	} else if (type == SSH_REQUEST_CHANNEL_OPEN && c->auth.done) {
		open_channel(c, m);
	} else if (type == SSH_REQUEST_CHANNEL && c->auth.done) {
		request_channel(c, m);
	} else if (type == SSH_REQUEST_GLOBAL && c->auth.done) {
		forward_global(c, m);
	} else {
		if (type == SSH_REQUEST_SERVICE && !c->auth.done)
			ssh_message_service_reply_success(m);
		else
			ssh_message_reply_default(m);
		ssh_message_free(m);
	}
}

/*
 * libssh keeps its answers for a client that does not take them, however
 * many they are.  A client that leaves bytes untaken for a while is not read
 * until it has taken all of them.  Its end of waiting is POLLOUT's: no timer.
 */
static void
watch_unsent(struct conn *c, int64_t now)
{
	if (!(ssh_get_status(c->ssh) & SSH_WRITE_PENDING))
		c->unsent = 0;
	else if (c->unsent == 0)
		c->unsent = now;
}

static bool
stuck(const struct conn *c, int64_t now)
{
	return c->unsent != 0 && now - c->unsent >= UNSENT_MS;
}

/* False: nothing more may be read now, so that nothing piles up. */
static bool
may_read(const struct conn *c, int64_t now)
{
	return c->auth.waiting == NULL && !c->backlog && !stuck(c, now);
}

/* libssh reads for itself here, and wherever it is called: what came is known from its counter. */
static void
client_messages(struct conn *c, int64_t now)
{
	bool deaf = stuck(c, now);
	unsigned n = 0;
	ssh_message m;

	for (; !deaf && c->auth.waiting == NULL && n < MESSAGES_TURN; n++) {
		if ((m = ssh_message_get(c->ssh)) == NULL)
			break;
		client_message(c, m);
	}
	c->backlog = n == MESSAGES_TURN; /* when deaf: looked for at the end of that */
	if (c->bytes.in_bytes != c->seen) {
		c->seen = c->bytes.in_bytes;
		c->last_in = now;
		c->unanswered = 0;
	}
	if (!c->auth.done)
		auth_watch(c, n, deaf, now);
	if (ssh_get_status(c->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR))
		c->gone = true;
}

/* ---- the broker's messages -------------------------------------------------------- */

static void
on_end(struct conn *c, struct msg *m)
{
	int code = -(int)msg_get_u32(m);
	struct errtext why;

	msg_get_str(m, why.say, sizeof(why.say));
	msg_get_str(m, why.s, sizeof(why.s));
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's END is malformed");
	conn_expel(c, code, &why);
}

static void
on_detach(struct conn *c, struct msg *m)
{
	uint32_t attach = msg_get_u32(m), code = msg_get_u32(m);
	char reason[MAX_REASON + 1];

	msg_get_str(m, reason, sizeof(reason));
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's DETACH is malformed");
	if (mux_detached(c, attach, code, reason))
		return;
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (ch->attach == attach && attach != 0)
			chan_expel(ch, code, reason);
		else if (task_detached(ch, attach, code, reason) ||
		    menu_pages_detached(ch, attach, code, reason))
			return;
}

static void
on_changed(struct conn *c, struct msg *m)
{
	bool anew = msg_get_u32(m) != 0;

	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's CHANGED is malformed");
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		menu_full_changed(ch, anew);
}

/* Of the connection; every other message is the answer to somebody's request. */
static const struct {
	uint32_t type;
	void (*take)(struct conn *c, struct msg *m);
} messages[] = {
	{ EVT_END, on_end },
	{ EVT_DETACH, on_detach },
	{ EVT_NOTICE, notices_take },
	{ EVT_ENDING, notices_ending },
	{ EVT_CHANGED, on_changed },
	{ REP_NEW_PASSWORD, renew_answer },
	{ REP_ENROL, enrol_answer },
	{ REP_CONFIRM, enrol_answer },
};

static void
broker_message(struct conn *c, struct msg *m)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (m->type == messages[i].type) {
			messages[i].take(c, m);
			return;
		}
	}
	if (auth_answer(c, m) || mux_answer(c, m) || forward_answer(c, m))
		return;
	if (m->type == REP_TARGET || m->type == REP_LIST)
		c->asking--;
	/*
	 * An answer that nobody waits for any more is of a channel that has gone, and its
	 * descriptor goes with the message: whoever left CONNECTING has sent a DETACH.
	 */
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (front_answer(ch, m) || relay_answer(ch, m) || task_answer(ch, m) ||
		    menu_pages_answer(ch, m))
			return;
}

static void
broker_messages(struct conn *c)
{
	struct errtext why;
	struct msg m;

	msg_init(&m, 0, 0);
	while (link_next(&m))
		broker_message(c, &m);
	msg_release(&m);
	if (link_lost() && !c->ended)
		conn_expel(c, err_words(&why, JB_INTERNAL, W_NO_BROKER, NULL, NULL, NULL), &why);
}

/* ---- channels ------------------------------------------------------------------------ */

/* Another one is first next time: what libssh can still take is shared by all. */
static void
rotate(struct conn *c)
{
	struct channel *first = c->channels, **last = &c->channels;

	if (first == NULL || first->next == NULL)
		return;
	while (*last != NULL)
		last = &(*last)->next;
	*last = first;
	c->channels = first->next;
	first->next = NULL;
}

static bool
work(struct conn *c, int64_t now)
{
	struct channel *ch, *next;
	bool any = mux_work(c, now);

	for (ch = c->channels; ch != NULL; ch = next) {
		next = ch->next;
		any |= chan_work(ch, now);
		/* Freed when the client has closed it too, or libssh would answer for it. */
		if (ch->state == CH_CLOSED && ch->closed)
			chan_free(ch);
	}
	rotate(c);
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

/* ---- the loop ------------------------------------------------------------------------- */

static struct pollfd set[FIXED_FDS + MAX_ATTACHES + MUX_STREAMS];

static nfds_t
poll_set(struct conn *c, int64_t now)
{
	nfds_t n = FIXED_FDS;
	short events;

	set[0] = (struct pollfd){ c->client, may_read(c, now) ? POLLIN : 0, 0 };
	if (ssh_get_status(c->ssh) & SSH_WRITE_PENDING)
		set[0].events |= POLLOUT;
	set[1] = (struct pollfd){ link_lost() ? -1 : link_fd(), POLLIN, 0 };
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next) {
		ch->slot = 0;
		events = ch->task != NULL ? task_events(ch)
		    : menu_full_on(ch)	  ? menu_pages_events(ch)
					  : relay_events(ch);
		if (events == 0)
			continue;
		ch->slot = (unsigned)n;
		set[n++] = (struct pollfd){ ch->fd, events, 0 };
	}
	n += mux_poll(c, set, (unsigned)n);
	return n;
}

static void
note_readable(struct conn *c)
{
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (ch->slot != 0 && (set[ch->slot].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			ch->readable = true;
	mux_polled(c, set);
}

/*
 * libssh reads 4 KiB a call.  A client that sends in bulk gets as many calls
 * as one packet needs before all else has its turn, which costs as much.
 * During the first key exchange there is no event: that call reads for itself.
 */
static void
client_bytes(struct conn *c)
{
	uint64_t before;
	int n = 0;

	if (c->event == NULL)
		return;
	do {
		before = c->bytes.in_bytes;
		if (ssh_event_dopoll(c->event, 0) == SSH_ERROR)
			c->gone = true;
	} while (!c->gone && c->auth.done && ++n < READS_TURN &&
	    c->bytes.in_bytes - before >= LIBSSH_READ);
}

static void
wait_for_something(struct conn *c, bool again)
{
	int64_t now = now_mono_ms(), at = timers_next(c);
	int timeout = again || (at != 0 && at <= now) ? 0
	    : at == 0				      ? -1
	    : at - now < LONGEST_MS		      ? (int)(at - now)
						      : LONGEST_MS;
	nfds_t n = poll_set(c, now);
	const int on = 1;

	if (!c->auth.done) /* an acknowledgement held back costs a handshake 40 ms */
		setsockopt(c->client, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	if (poll(set, n, timeout) < 0) {
		if (errno != EINTR)
			fatal(JB_INTERNAL, "poll: %s", strerror(errno));
		return;
	}
	note_readable(c);
	if (set[0].revents & (POLLHUP | POLLERR) && !(set[0].revents & POLLIN))
		c->gone = true;
	if (set[0].revents != 0)
		client_bytes(c);
}

/* The first key exchange; libssh has no poll context to put into an event before it. */
static void
begin(struct conn *c)
{
	int r;

	for (;;) {
		watch_unsent(c, now_mono_ms());
		/* It reads, too: not for a client that is not read, unless there is something to write. */
		r = stuck(c, now_mono_ms()) && !(set[0].revents & POLLOUT)
		    ? SSH_AGAIN
		    : ssh_handle_key_exchange(c->ssh);
		if (r != SSH_AGAIN)
			break;
		broker_messages(c);
		timers(c, now_mono_ms());
		if (c->gone || c->ended)
			leave(c);
		timers_watchdog(now_mono_ms());
		wait_for_something(c, false);
	}
	if (r != SSH_OK) {
		c->gone = true;
		leave(c);
	}
	if ((c->event = ssh_event_new()) == NULL ||
	    ssh_event_add_session(c->event, c->ssh) != SSH_OK)
		fatal(JB_INTERNAL, "no memory for an SSH session");
	c->auth.packets = c->packets.in_packets; /* those of the key exchange are no requests */
	ssh_set_auth_methods(c->ssh,
	    SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE);
}

/* More than the window: libssh would keep it all. */
static void
flooded(struct conn *c)
{
	struct errtext why;

	if (c->flooded && !c->ended)
		conn_expel(c, err_words(&why, JB_BAD_INPUT, W_FLOODED, NULL, NULL, NULL), &why);
}

void
serve(const struct config *cfg, const struct texts *texts, ssh_session ssh, int client)
{
	struct conn c = { .cfg = cfg,
		.banner = texts->banner,
		.motd = texts->motd,
		.ssh = ssh,
		.client = client };
	bool again = false;
	int64_t now;

	c.started = c.last_in = c.last_active = now_mono_ms();
	ssh_set_blocking(ssh, 0);
	ssh_set_counters(ssh, &c.bytes, &c.packets);
	begin(&c);
	for (;;) {
		now = now_mono_ms();
		timers_watchdog(now);
		watch_unsent(&c, now);
		client_messages(&c, now);
		if (set[1].revents != 0 || link_queued() || link_lost())
			broker_messages(&c);
		timers(&c, now);
		flooded(&c);
		again = work(&c, now);
		if (c.gone || (c.ended && (all_said(&c) || now >= c.end_at)))
			leave(&c);
		wait_for_something(&c, again || c.backlog || link_queued());
	}
}
