/*
 * Connections to TCP and unix sockets of the container: a name is resolved,
 * what the mask does not allow is left out, the rest is tried in order.  A
 * path is connected to by a child: to follow it may be to wait for a server
 * of files.  Nobody waits for any of it.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNECT_MS = 30000 };

struct connecting {
	struct answer answer;
	pid_t child;  /* that finds out, or connects; 0: none */
	bool named;   /* the target itself is an item of the mask */
	int error;    /* why those before it could not be had */
	uint32_t at;  /* address that is being tried */
	int fd, slot; /* its socket, or the child's answer */
	int unix_fd;  /* the socket that the child connects; -1 */
	int64_t deadline;
};

/* clang-format off */
static const struct {
	int error;
	enum mux_why why;
} reasons[] = {
	{ ECONNREFUSED, MUX_WHY_REFUSED },
	{ ECONNRESET,   MUX_WHY_REFUSED },
	{ EAGAIN,       MUX_WHY_RESOURCES }, /* a unix socket with too many who wait */
	{ ETIMEDOUT,    MUX_WHY_TIMED_OUT },
	{ EACCES,       MUX_WHY_DENIED },
	{ EPERM,        MUX_WHY_DENIED },
	{ ENOENT,       MUX_WHY_NO_FILE },
	{ ENOTDIR,      MUX_WHY_NO_FILE },
	{ ENAMETOOLONG, MUX_WHY_NO_FILE },
	{ EADDRINUSE,   MUX_WHY_IN_USE },
	{ EMFILE,       MUX_WHY_RESOURCES },
	{ ENFILE,       MUX_WHY_RESOURCES },
	{ ENOMEM,       MUX_WHY_RESOURCES },
	{ ENOBUFS,      MUX_WHY_RESOURCES },
};
/* clang-format on */

enum mux_why
connect_why(int error)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].error == error)
			return reasons[i].why;
	return MUX_WHY_UNREACHABLE;
}

int
socket_setup(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails for a unix socket */
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void
connect_free(struct chan *c)
{
	struct connecting *x = c->connecting;

	if (x == NULL)
		return;
	if (x->fd >= 0)
		close(x->fd);
	if (x->unix_fd >= 0)
		close(x->unix_fd);
	/* Once it has been waited for, its number may be another's. */
	if (x->child > 0 && waitpid(x->child, NULL, WNOHANG) == 0)
		kill(x->child, SIGKILL);
	free(x);
	c->connecting = NULL;
}

static void
connected(struct helper *h, struct chan *c)
{
	struct connecting *x = c->connecting;
	int second = socket_setup(x->fd);

	if (second < 0) {
		chan_failed(h, c, MUX_WHY_RESOURCES, strerror(errno));
		return;
	}
	c->in_fd = x->fd;
	c->out_fd = second;
	x->fd = -1;
	connect_free(c);
	chan_opened(h, c, 0, "");
}

/* That it cannot be reached says less than anything else: half of localhost may not be there. */
static void
note_error(struct connecting *x, int error)
{
	if (x->error == 0 || connect_why(x->error) == MUX_WHY_UNREACHABLE)
		x->error = error;
}

/* The next address, or the end and why. */
static void
try_next(struct helper *h, struct chan *c)
{
	struct connecting *x = c->connecting;
	struct address *a;

	for (; x->at < x->answer.n; x->at++) {
		if (x->fd >= 0)
			close(x->fd);
		a = &x->answer.addr[x->at];
		x->fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (x->fd >= 0 && connect(x->fd, (struct sockaddr *)&a->sa, a->len) == 0) {
			connected(h, c);
			return;
		}
		if (x->fd >= 0 && errno == EINPROGRESS)
			return;
		note_error(x, errno);
	}
	chan_failed(h, c, connect_why(x->error), strerror(x->error));
}

/* What may not be reached goes out of the answer. */
static void
resolved(struct helper *h, struct chan *c)
{
	struct answer *a = &c->connecting->answer;
	uint32_t i, port, n = 0;
	char text[64];

	if (a->why != 0 || a->n == 0) {
		chan_failed(h, c, a->why != 0 ? a->why : MUX_WHY_NO_NAME, "no such name");
		return;
	}
	for (i = 0; i < a->n; i++) {
		address_text(&a->addr[i], text, &port);
		if (c->connecting->named || mask_item(&h->mask, text, port) ||
		    (mask_forward(&h->mask) && address_own(&a->addr[i])))
			a->addr[n++] = a->addr[i];
	}
	a->n = n;
	if (n == 0)
		chan_failed(h, c, MUX_WHY_FORBIDDEN, "not permitted");
	else
		try_next(h, c);
}

static struct chan *
begin(struct helper *h, uint32_t id)
{
	struct chan *c = chan_new(h, id, CHAN_SOCKET);

	if (c != NULL) {
		c->connecting = xcalloc(1, sizeof(*c->connecting));
		c->connecting->fd = c->connecting->slot = c->connecting->unix_fd = -1;
		c->connecting->deadline = now_mono_ms() + CONNECT_MS;
	}
	return c;
}

void
connect_tcp(struct helper *h, const struct mux_frame *f)
{
	char *host = mux_strdup(f->u.tcp.host);
	uint32_t port = f->u.tcp.port;
	bool named = mask_item(&h->mask, host, port);
	struct connecting *x;
	struct chan *c;
	int r;

	if (!named && h->mask.items[0] == '\0' && !mask_forward(&h->mask)) {
		chan_refuse(h, f->channel, MUX_WHY_FORBIDDEN, "not permitted");
	} else if ((c = begin(h, f->channel)) != NULL) {
		x = c->connecting;
		x->named = named;
		if (resolve_at_once(host, port, &x->answer))
			resolved(h, c);
		else if ((r = resolve_start(&(struct question){ .host = host, .port = port },
			      &x->child, &x->fd)) < 0)
			chan_failed(h, c, MUX_WHY_RESOURCES, strerror(-r));
	}
	free(host);
}

void
connect_unix(struct helper *h, const struct mux_frame *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct address to = { .len = sizeof(un) };
	struct question q = { .to = &to };
	struct mux_str path = f->u.path.path;
	struct connecting *x;
	struct chan *c;
	int r;

	if (!mask_forward(&h->mask)) {
		chan_refuse(h, f->channel, MUX_WHY_FORBIDDEN, "not permitted");
		return;
	}
	if (path.n == 0 || path.n >= sizeof(un.sun_path)) {
		chan_refuse(h, f->channel, MUX_WHY_NO_FILE, "no path of a socket");
		return;
	}
	if ((c = begin(h, f->channel)) == NULL)
		return;
	memcpy(un.sun_path, path.s, path.n);
	memcpy(&to.sa, &un, sizeof(un));
	x = c->connecting;
	q.socket = x->unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = q.socket < 0 ? -errno : resolve_start(&q, &x->child, &x->fd);
	if (r < 0)
		chan_failed(h, c, MUX_WHY_RESOURCES, strerror(-r));
}

void
connect_watch(struct helper *h, struct chan *c)
{
	struct connecting *x = c->connecting;

	x->slot = helper_watch(h, x->fd, x->child > 0 ? POLLIN : POLLOUT);
}

/* The answer comes in one piece, or not at all: then its process has been killed. */
static void
read_answer(struct helper *h, struct chan *c)
{
	struct connecting *x = c->connecting;

	if (read(x->fd, &x->answer, sizeof(x->answer)) != sizeof(x->answer)) {
		memset(&x->answer, 0, sizeof(x->answer));
		x->answer.why = MUX_WHY_TIMED_OUT;
		x->answer.error = ETIMEDOUT;
	}
	close(x->fd);
	x->fd = x->unix_fd;
	x->child = 0;
	x->unix_fd = -1;
	if (x->fd < 0)
		resolved(h, c);
	else if (x->answer.error == 0)
		connected(h, c);
	else
		chan_failed(h, c, connect_why(x->answer.error), strerror(x->answer.error));
}

void
connect_ready(struct helper *h, struct chan *c)
{
	struct connecting *x = c->connecting;
	socklen_t len = sizeof(int);
	int error = 0;

	if (helper_events(h, x->slot) == 0)
		return;
	if (x->child > 0) {
		read_answer(h, c);
		return;
	}
	getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0) {
		connected(h, c);
		return;
	}
	note_error(x, error);
	x->at++;
	try_next(h, c);
}

int64_t
connect_timer(struct helper *h, struct chan *c, int64_t now)
{
	int64_t at = c->connecting->deadline;

	if (!due(at, now))
		return at;
	chan_failed(h, c, MUX_WHY_TIMED_OUT, strerror(ETIMEDOUT));
	return 0;
}
