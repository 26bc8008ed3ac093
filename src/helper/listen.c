/*
 * Listening sockets: TCP, unix, and the one that programs find an agent
 * behind.  Each connection to one becomes a channel that this side opens.
 * jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	FDS = 2,	 /* IPv4 and IPv6 */
	TRIES = 16,	 /* for a port that both have free */
	PAUSE_MS = 100,	 /* when no descriptor was left for a connection */
	PATH_MS = 10000, /* a shell may wait for the agent's socket */
};

struct listener {
	int fd[FDS], slot[FDS];
	struct keeper keeper; /* of a path; its fd -1: none */
	int keeper_slot;
	int64_t deadline; /* for its word */
};

void
listen_free(struct chan *c)
{
	struct listener *l = c->listener;
	int i;

	if (l == NULL)
		return;
	for (i = 0; i < FDS; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	if (l->keeper.fd >= 0)
		keeper_end(&l->keeper);
	free(l);
	c->listener = NULL;
}

static struct chan *
begin(struct helper *h, uint32_t id)
{
	struct chan *c;
	int i;

	if (!mask_forward(&h->mask)) {
		chan_refuse(h, id, MUX_WHY_FORBIDDEN, "not permitted");
		return NULL;
	}
	if ((c = chan_new(h, id, CHAN_LISTENER)) == NULL)
		return NULL;
	c->listener = xcalloc(1, sizeof(*c->listener));
	for (i = 0; i < FDS; i++)
		c->listener->fd[i] = c->listener->slot[i] = -1;
	c->listener->keeper.fd = c->listener->keeper_slot = -1;
	return c;
}

/* A descriptor, or -errno. */
static int
bound(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, sa, len) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* ---- TCP -------------------------------------------------------------- */

static void
set_port(struct address *a, uint32_t port)
{
	if (a->sa.ss_family == AF_INET)
		((struct sockaddr_in *)&a->sa)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)&a->sa)->sin6_port = htons((uint16_t)port);
}

static uint32_t
bound_port(int fd)
{
	struct address a = { .len = sizeof(a.sa) };
	char text[64];
	uint32_t port = 0;

	if (getsockname(fd, (struct sockaddr *)&a.sa, &a.len) == 0)
		address_text(&a, text, &port);
	return port;
}

/* A machine without IPv6, or without IPv4, has the other one. */
static bool
is_absent(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

/* All addresses with one port, 0: any.  The port, or -errno. */
static int
bind_all(struct listener *l, struct answer *a, uint32_t port)
{
	uint32_t i;
	int fd = -EADDRNOTAVAIL, n = 0;

	for (i = 0; i < a->n && i < FDS; i++) {
		set_port(&a->addr[i], port);
		fd = bound((struct sockaddr *)&a->addr[i].sa, a->addr[i].len);
		if (fd < 0 && is_absent(-fd))
			continue;
		if (fd < 0)
			break;
		l->fd[n++] = fd;
		if (port == 0)
			port = bound_port(fd);
	}
	if (n > 0 && (fd >= 0 || is_absent(-fd)))
		return (int)port;
	while (n > 0) {
		close(l->fd[--n]);
		l->fd[n] = -1;
	}
	return fd;
}

void
listen_tcp(struct helper *h, const struct mux_frame *f)
{
	uint32_t port = f->u.tcp.port, twins;
	struct answer a = { .n = 0 }, any;
	struct chan *c = begin(h, f->channel);
	char *host;
	int r, try = 0;

	if (c == NULL)
		return;
	host = mux_strdup(f->u.tcp.host);
	if (host[0] == '\0' || strcmp(host, "*") == 0) {
		resolve_at_once("0.0.0.0", port, &a);
		resolve_at_once("::", port, &any);
		a.addr[a.n++] = any.addr[0];
	} else if (!resolve_at_once(host, port, &a)) {
		free(host);
		chan_failed(h, c, MUX_WHY_NO_NAME, "neither an address nor localhost");
		return;
	}
	free(host);
	twins = a.n;
	do
		r = bind_all(c->listener, &a, port);
	while (r == -EADDRINUSE && port == 0 && twins > 1 && ++try < TRIES);
	if (r < 0)
		chan_failed(h, c, connect_why(-r), strerror(-r));
	else
		chan_opened(h, c, (uint32_t)r, "");
}

/* ---- unix ------------------------------------------------------------- */

/* path NULL: an agent's. */
static void
listen_path(struct helper *h, uint32_t id, const char *path)
{
	struct chan *c = begin(h, id);
	struct listener *l;
	int r;

	if (c == NULL)
		return;
	l = c->listener;
	l->deadline = now_mono_ms() + PATH_MS;
	l->fd[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = l->fd[0] < 0 ? -errno : keeper_start(&l->keeper, l->fd[0], path);
	if (r < 0)
		chan_failed(h, c, MUX_WHY_RESOURCES, strerror(-r));
}

void
listen_unix(struct helper *h, const struct mux_frame *f)
{
	char *path = mux_strdup(f->u.path.path);

	listen_path(h, f->channel, path);
	free(path);
}

void
listen_agent(struct helper *h, const struct mux_frame *f)
{
	listen_path(h, f->channel, NULL);
}

/* It comes in one piece, or not at all: then its process has been killed. */
static void
read_word(struct helper *h, struct chan *c)
{
	struct keeper_word word;

	if (read(c->listener->keeper.fd, &word, sizeof(word)) != sizeof(word))
		word.error = ETIMEDOUT;
	if (word.error != 0)
		chan_failed(h, c, connect_why(word.error), strerror(word.error));
	else
		chan_opened(h, c, 0, word.path);
}

int64_t
listen_timer(struct helper *h, struct chan *c, int64_t now)
{
	struct listener *l = c->listener;

	if (c->state != CHAN_OPENING)
		return 0;
	if (!due(l->deadline, now))
		return l->deadline;
	keeper_leave(&l->keeper);
	chan_failed(h, c, MUX_WHY_TIMED_OUT, strerror(ETIMEDOUT));
	return 0;
}

/* ---- connections ------------------------------------------------------ */

void
listen_watch(struct helper *h, struct chan *c)
{
	bool room =
	    h->nchans < CHANS_MAX && h->accept_at == 0 && buf_len(&h->stream.put) < OUT_SOFT;
	struct listener *l = c->listener;
	int i;

	for (i = 0; i < FDS; i++) {
		l->slot[i] = -1;
		if (room && c->state == CHAN_OPEN && l->fd[i] >= 0)
			l->slot[i] = helper_watch(h, l->fd[i], POLLIN);
	}
	l->keeper_slot = c->state == CHAN_OPENING ? helper_watch(h, l->keeper.fd, POLLIN) : -1;
}

static uint32_t
free_id(struct helper *h)
{
	do
		h->last_id = (h->last_id + 1) | MUX_TOP_BIT;
	while (chan_find(h, h->last_id) != NULL);
	return h->last_id;
}

/* Several wait, perhaps; the next round takes the next one. */
static void
take(struct helper *h, struct chan *listener, int fd)
{
	struct mux_frame f = { .type = MUX_ACCEPT };
	struct address peer = { .len = sizeof(peer.sa) };
	int first, second = -1;
	struct chan *c;
	char text[64];

	if (h->nchans >= CHANS_MAX)
		return;
	first = accept4(fd, (struct sockaddr *)&peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (first >= 0 && (second = socket_setup(first)) < 0)
		close(first);
	if (second < 0) {
		if (first >= 0 || errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			h->accept_at = now_mono_ms() + PAUSE_MS;
		return;
	}
	c = chan_new(h, free_id(h), CHAN_SOCKET);
	c->in_fd = first;
	c->out_fd = second;
	c->state = CHAN_OPEN;
	address_text(&peer, text, &f.u.accept.port);
	f.channel = c->id;
	f.u.accept.listener = listener->id;
	f.u.accept.peer = mux_str(text);
	stream_put(h, &f);
}

void
listen_ready(struct helper *h, struct chan *c)
{
	struct listener *l = c->listener;
	int i;

	for (i = 0; i < FDS; i++)
		if (helper_events(h, l->slot[i]) != 0)
			take(h, c, l->fd[i]);
	if (helper_events(h, l->keeper_slot) != 0)
		read_word(h, c);
}
