/*
 * Channels that are opened to the client, for connections that came to a
 * listener in a container: of tcpip-forward, and of the agent's socket.
 * jumpbox-session.
 */
#include "forward.h"
#include "packets.h"

#include "jumpbox/client.h"
#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

struct reverse {
	char *address; /* as the client named it; NULL: its agent is wanted */
	char *peer;
	uint32_t port, peer_port;
};

void
reverse_free(struct reverse *r)
{
	if (r == NULL)
		return;
	free(r->address);
	free(r->peer);
	free(r);
}

void
reverse_begin(struct conn *c, struct mux_chan *mc, const char *address, uint32_t port,
    const char *peer, uint32_t peer_port)
{
	ssh_channel ssh = ssh_channel_new(c->ssh);
	struct reverse *r;

	if (ssh == NULL) {
		mux_close(mc);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	*r = (struct reverse){ address != NULL ? xstrdup(address) : NULL, xstrdup(peer), port,
		peer_port };
	carry_begin(chan_new(c, ssh), mc, r);
}

static int
open_channel(ssh_channel ssh, const struct reverse *r)
{
	if (r->address == NULL)
		return ssh_channel_open_auth_agent(ssh);
	if (packets_is_path(r->address))
		return packets_open_path(ssh, r->address);
	return ssh_channel_open_reverse_forward(
	    ssh, r->address, (int)r->port, r->peer, (int)r->peer_port);
}

bool
reverse_work(struct channel *ch)
{
	struct reverse *r = ch->reverse;
	int rc = open_channel(ch->ssh, r);

	if (rc == SSH_AGAIN)
		return false;
	if (rc != SSH_OK) { /* the client does not want it */
		ch->closed = true;
		return true;
	}
	reverse_free(r);
	ch->reverse = NULL;
	return true;
}

/* ---- the agent ------------------------------------------------------------------- */

struct agent {
	struct agent *next;
	struct conn *conn;
	uint64_t ref;
	bool asked; /* its socket is being made */
	char *path; /* NULL: there is none (yet) */
};

static struct agent *agents; /* one process, one connection */

static struct agent *
find(uint64_t ref)
{
	struct agent *a;

	for (a = agents; a != NULL && a->ref != ref; a = a->next)
		;
	return a;
}

/* The next shell has a fresh one made. */
static void
forget(struct agent *a)
{
	struct agent **p = &agents;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	free(a->path);
	free(a);
}

/* Whoever waits gets a shell, with a socket or without. */
static void
go_on(struct conn *c, uint64_t ref)
{
	struct channel *ch, *next;

	for (ch = c->channels; ch != NULL; ch = next) {
		next = ch->next;
		if (ch->state == CH_AGENT && ch->ref == ref)
			relay_attach(ch, ch->ref, ch->name);
	}
}

static void
on_opened(void *owner, uint32_t port, const char *path)
{
	struct agent *a = owner;

	(void)port;
	if (client_agent_ok("SSH_AUTH_SOCK", path))
		a->path = xstrdup(path);
	a->asked = false;
	go_on(a->conn, a->ref);
}

static void
on_failed(void *owner, uint32_t why, uint32_t code, const char *text)
{
	struct agent *a = owner;
	struct conn *c = a->conn;
	uint64_t ref = a->ref;

	(void)why;
	(void)code;
	(void)text;
	forget(a);
	go_on(c, ref);
}

static void
on_accepted(void *owner, struct mux_chan *mc, const char *peer, uint32_t port)
{
	struct agent *a = owner;

	reverse_begin(a->conn, mc, NULL, 0, peer, port);
}

static void
on_closed(void *owner, uint32_t code, const char *text)
{
	(void)code;
	(void)text;
	forget(owner);
}

static const struct mux_events events = { on_opened, on_failed, NULL, NULL, NULL, on_closed,
	on_accepted, NULL };

bool
agent_waits(struct channel *ch, uint64_t ref)
{
	struct mux_frame first = { .type = MUX_LISTEN_AGENT };
	struct agent *a;

	if (!ch->agent || ch->state == CH_AGENT) /* it has waited */
		return false;
	if ((a = find(ref)) == NULL) {
		if (mux_none(ch->conn, ref, PERM_FORWARD))
			return false;
		a = xcalloc(1, sizeof(*a));
		*a = (struct agent){ agents, ch->conn, ref, true, NULL };
		agents = a;
		if (mux_open(ch->conn, ref, PERM_FORWARD, &first, &events, a) == NULL) {
			forget(a);
			return false;
		}
	}
	if (a->asked) {
		ch->ref = ref;
		ch->state = CH_AGENT;
	}
	return a->asked;
}

const char *
agent_path(const struct conn *c, uint64_t ref)
{
	struct agent *a = find(ref);

	(void)c;
	return a != NULL ? a->path : NULL;
}
