/*
 * What happens to a connection by time alone: the login deadline, the idle
 * time-out, keepalives; and a watch over the processor time of its loop.
 * jumpbox-session.
 *
 * Idle is what sshd's ChannelTimeout calls it: no byte into or out of any
 * channel.  Output counts as much as input, so that a build or a log that
 * runs by itself is not cut off, and keepalives do not.
 */
#include "mux_client.h"

#include "jumpbox/util.h"

#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	WARN_MS = 60000, /* before the idle time-out */
	LOOP_CPU_S = 10, /* one turn of the loop that burns more is a loop in libssh */
	REARM_MS = 1000, /* the watchdog, at most so often */
};

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

int64_t
timers_next(const struct conn *c)
{
	int64_t at = c->end_at;

	if (at == 0) /* else timers() does none of these any more */
		at = sooner(sooner(probe_at(c), idle_at(c)), login_at(c));
	if (!c->auth.done)
		at = sooner(at, c->auth.stalled_at);
	for (const struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		at = sooner(at, chan_deadline(ch));
	at = sooner(at, mux_deadline(c));
	return at;
}

void
timers_active(struct conn *c)
{
	c->last_active = now_mono_ms();
	c->warned = false;
}

/* A program's streams stay its own: only a person at a terminal is warned. */
static void
idle_warn(struct conn *c)
{
	c->warned = true;
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (ch->tty && ch->state > CH_NEW && ch->state < CH_ENDING)
			front_warn(ch, W_IDLE_WARNING);
}

static void
idle_expired(struct conn *c, int64_t now)
{
	struct errtext why;
	char seconds[16];

	if (now - c->last_active < (int64_t)c->cfg->idle_timeout * 1000) {
		idle_warn(c);
		return;
	}
	snprintf(seconds, sizeof(seconds), "%u", c->cfg->idle_timeout);
	conn_expel(c, err_words(&why, JB_TRY_AGAIN, W_IDLE_END, seconds, NULL, NULL), &why);
}

/*
 * libssh does not send one while it believes another unanswered, and it
 * learns of an answer only when it is called: the first call may do no more
 * than that.  Where it did send, the second does nothing.
 */
static void
probe(struct conn *c, int64_t now)
{
	if (c->unanswered >= c->cfg->client_alive_count_max) {
		c->gone = true;
		return;
	}
	c->unanswered++;
	c->last_probe = now;
	ssh_send_keepalive(c->ssh);
	ssh_send_keepalive(c->ssh);
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		chan_rest(ch); /* the client has been silent for a while */
	mux_rest(c);
}

void
timers(struct conn *c, int64_t now)
{
	struct errtext why;

	if (c->end_at != 0)
		return;
	if (login_at(c) != 0 && now >= login_at(c)) {
		err_words(&why, JB_TRY_AGAIN, W_LOGIN_DEADLINE, NULL, NULL, NULL);
		conn_refuse(c, &why);
		return;
	}
	if (idle_at(c) != 0 && now >= idle_at(c))
		idle_expired(c, now);
	if (probe_at(c) != 0 && now >= probe_at(c))
		probe(c, now);
}

/* ---- the watchdog ---------------------------------------------------------------- */

static void
on_watchdog(int sig)
{
	(void)sig;
	_exit(-JB_INTERNAL);
}

/*
 * A client can make libssh loop for ever, by a channel with a packet size of
 * 10.  Such a process must not stay; it is no crash, either, for which the
 * zygote would be replaced.
 */
void
timers_watchdog(int64_t now)
{
	static int64_t armed;
	const struct itimerval limit = { .it_value = { .tv_sec = LOOP_CPU_S } };

	if (armed == 0)
		signal(SIGPROF, on_watchdog);
	else if (now - armed < REARM_MS)
		return;
	armed = now;
	setitimer(ITIMER_PROF, &limit, NULL);
}
