/*
 * What the client asks to be forwarded: connections from its side into a
 * container (direct-tcpip), and listeners in a container for connections to
 * its side (tcpip-forward).  jumpbox-session.
 *
 *	wish ──REQ_TARGET, once a name──► route ──mux_open()──► opened, failed ──► answer
 *
 * The container is the one in the login name, or else the host that the
 * client names.  Nothing here connects to anything but containers: the host
 * and port go to the helper as they are, which holds to the mask.
 */
#include "forward.h"
#include "packets.h"

#include "jumpbox/log.h"
#include "jumpbox/policy.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <libssh/server.h>
#include <stdlib.h>
#include <string.h>

/* Twice as many names may be asked for: with what channels ask (front.c) less than the broker's limit. */
enum { ROUTES_MAX = 64, WISHES_MAX = MAX_ATTACHES };

/* A container by name, for this connection; "": by the login name. */
struct route {
	struct route *next;
	char text[MUX_HOST_MAX + 1];
	uint32_t request; /* REQ_TARGET; 0: ref is known */
	uint64_t ref;
};

enum wish_kind { WISH_CONNECT, WISH_LISTEN, WISH_CANCEL };

/* A message of the client's that is not answered yet. */
struct wish {
	struct wish *next;
	struct conn *conn;
	ssh_message m;
	enum wish_kind kind;
	char *host;
	uint32_t port;
	struct route *route; /* is waited for */
	uint64_t ref;
	uint32_t need;
	struct mux_chan *mc;
	bool decided, good; /* of a global request: they are answered in order */
};

struct listener {
	struct listener *next;
	struct conn *conn;
	struct mux_chan *mc;
	char *address; /* as the client named it */
	uint32_t port; /* bound */
};

struct forwards {
	struct route *routes;
	struct wish *wishes, **tail;
	unsigned nwishes;
	struct listener *listeners;
	bool homeless; /* the login names no container */
	bool items;    /* a container was found that has none but forward:HOST:PORT items */
};

static struct forwards *
forwards(struct conn *c)
{
	if (c->forwards == NULL) {
		c->forwards = xcalloc(1, sizeof(*c->forwards));
		c->forwards->tail = &c->forwards->wishes;
	}
	return c->forwards;
}

/* ---- wishes ----------------------------------------------------------------------- */

static struct wish *
wish_new(struct conn *c, ssh_message m, enum wish_kind kind, const char *host, uint32_t port)
{
	struct forwards *f = forwards(c);
	struct wish *w = xcalloc(1, sizeof(*w));

	*w = (struct wish){ .conn = c, .m = m, .kind = kind, .host = xstrdup(host), .port = port };
	*f->tail = w;
	f->tail = &w->next;
	f->nwishes++;
	return w;
}

static void
wish_free(struct wish *w)
{
	struct forwards *f = w->conn->forwards;
	struct wish **p = &f->wishes;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	if (*p == NULL)
		f->tail = p;
	f->nwishes--;
	ssh_message_free(w->m);
	free(w->host);
	free(w);
}

/* Those at the front that are decided: a client tells the answers apart by their order alone. */
static void
answer_globals(struct conn *c)
{
	struct wish *w, *next;

	for (w = c->forwards->wishes; w != NULL; w = next) {
		next = w->next;
		if (w->kind == WISH_CONNECT)
			continue;
		if (!w->decided)
			return;
		if (w->good)
			ssh_message_global_request_reply_success(w->m, (uint16_t)w->port);
		else
			ssh_message_reply_default(w->m);
		wish_free(w);
	}
}

/* A listener is being made: nobody behind it can be answered. */
static bool
globals_wait(const struct conn *c)
{
	const struct wish *w;

	for (w = c->forwards->wishes; w != NULL; w = w->next)
		if (w->kind == WISH_LISTEN && !w->decided)
			return true;
	return false;
}

static void
decide(struct wish *w, bool good)
{
	if (w->kind == WISH_CONNECT) {
		packets_refuse(w->m, OPEN_CONNECT_FAILED, "");
		wish_free(w);
		return;
	}
	w->decided = true;
	w->good = good;
	answer_globals(w->conn);
}

/* ---- listeners ---------------------------------------------------------------------- */

static void
listener_free(struct listener *l)
{
	struct listener **p = &l->conn->forwards->listeners;

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	free(l->address);
	free(l);
}

static void
on_accepted(void *owner, struct mux_chan *mc, const char *peer, uint32_t port)
{
	struct listener *l = owner;

	reverse_begin(l->conn, mc, l->address, l->port, peer, port);
}

static void
on_listener_closed(void *owner, uint32_t code, const char *text)
{
	(void)code;
	(void)text;
	listener_free(owner);
}

static const struct mux_events listener_events = { NULL, NULL, NULL, NULL, NULL, on_listener_closed,
	on_accepted, NULL };

static void
listener_new(struct wish *w, uint32_t bound)
{
	struct forwards *f = w->conn->forwards;
	struct listener *l;

	if (packets_is_path(w->host))
		bound = w->port;
	if (bound == 0 || bound > UINT16_MAX || (w->port != 0 && bound != w->port)) {
		mux_close(w->mc);
		decide(w, false);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct listener){ f->listeners, w->conn, w->mc, xstrdup(w->host), bound };
	f->listeners = l;
	mux_own(w->mc, &listener_events, l);
	w->port = bound;
	decide(w, true);
}

static bool
listener_cancel(struct conn *c, const char *address, uint32_t port)
{
	struct listener *l = forwards(c)->listeners;

	while (l != NULL && (l->port != port || strcmp(l->address, address) != 0))
		l = l->next;
	if (l == NULL)
		return false;
	mux_close(l->mc);
	listener_free(l);
	return true;
}

/* ---- what the helper says --------------------------------------------------------------- */

static void
on_opened(void *owner, uint32_t port, const char *path)
{
	struct wish *w = owner;
	ssh_channel ssh;

	(void)path;
	if (w->kind == WISH_LISTEN) {
		listener_new(w, port);
		return;
	}
	if ((ssh = ssh_message_channel_request_open_reply_accept(w->m)) != NULL)
		carry_begin(chan_new(w->conn, ssh), w->mc, NULL);
	else
		mux_close(w->mc);
	wish_free(w);
}

/* Where there is no helper the name may come to mean another container. */
static void
forget_routes(struct conn *c)
{
	struct route **p = &c->forwards->routes, *r;

	while ((r = *p) != NULL) {
		if (r->request != 0) {
			p = &r->next;
			continue;
		}
		*p = r->next;
		free(r);
	}
}

static void start(struct wish *w, uint64_t ref);

/* text: the container's own, perhaps. */
static void
refuse(struct wish *w, uint32_t why, uint32_t code, const char *text)
{
	char safe[4 * MAX_REASON];
	bool ours = why == MUX_WHY_FORBIDDEN || (why == 0 && code == (uint32_t)-JB_DENIED);

	if (w->kind != WISH_CONNECT) {
		decide(w, false);
		return;
	}
	packets_refuse(w->m,
	    ours			   ? OPEN_PROHIBITED
		: why == MUX_WHY_RESOURCES ? OPEN_RESOURCES
					   : OPEN_CONNECT_FAILED,
	    text_safe(safe, sizeof(safe), text));
	wish_free(w);
}

static void
on_failed(void *owner, uint32_t why, uint32_t code, const char *text)
{
	struct wish *w = owner;

	if (why == 0 && code == (uint32_t)-JB_DENIED && w->kind == WISH_CONNECT &&
	    w->need == PERM_FORWARD) {
		w->conn->forwards->items = true;
		start(w, w->ref);
		return;
	}
	if (why == 0)
		forget_routes(w->conn);
	refuse(w, why, code, text);
}

/* Until it is open it can only fail. */
static const struct mux_events wish_events = { on_opened, on_failed, NULL, NULL, NULL, NULL, NULL,
	NULL };

/* ---- which container ------------------------------------------------------------------------ */

static void
start(struct wish *w, uint64_t ref)
{
	bool listen = w->kind == WISH_LISTEN;
	const char *host = w->conn->forwards->homeless || strcmp(w->host, "*") == 0
	    ? (listen ? "" : "localhost")
	    : w->host;
	struct mux_frame first = { .type = listen ? MUX_LISTEN_TCP : MUX_OPEN_TCP,
		.u.tcp = { mux_str(host), w->port } };
	char full[MAX_REASON + 1];

	if (packets_is_path(host))
		first = (struct mux_frame){ .type = listen ? MUX_LISTEN_UNIX : MUX_OPEN_UNIX,
			.u.path.path = mux_str(host) };
	w->ref = ref;
	w->need = !listen && w->conn->forwards->items ? PERM_FORWARD_SOME : PERM_FORWARD;
	w->mc = mux_open(w->conn, ref, w->need, &first, &wish_events, w);
	if (w->mc == NULL)
		refuse(w, MUX_WHY_RESOURCES, 0,
		    words(full, sizeof(full), W_HELPER_FULL, NULL, NULL, NULL));
}

static struct route *
route_to(struct conn *c, const char *text)
{
	struct forwards *f = forwards(c);
	struct route *r;
	unsigned n = 0;
	struct msg m;

	for (r = f->routes; r != NULL; r = r->next, n++)
		if (strcmp(r->text, text) == 0)
			return r;
	if (n >= ROUTES_MAX)
		forget_routes(c);
	if (n >= 2 * ROUTES_MAX)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	str_copy(r->text, sizeof(r->text), text);
	r->next = f->routes;
	f->routes = r;
	r->request = link_id();
	msg_init(&m, REQ_TARGET, r->request);
	msg_put_str(&m, text);
	link_send(&m);
	return r;
}

/* A listener's address says nothing of a container. */
static void
find_container(struct wish *w)
{
	bool homeless = forwards(w->conn)->homeless;
	struct route *r = NULL;

	if (!homeless)
		r = route_to(w->conn, "");
	else if (w->kind == WISH_CONNECT && w->host[0] != '\0')
		r = route_to(w->conn, w->host);
	if (r == NULL)
		decide(w, false);
	else if (r->request != 0)
		w->route = r;
	else
		start(w, r->ref);
}

static void
route_unlink(struct conn *c, const struct route *r)
{
	struct route **p = &c->forwards->routes;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
}

/* One that waits for that route, which it does no more. */
static struct wish *
waiting(struct conn *c, const struct route *r)
{
	struct wish *w;

	for (w = c->forwards->wishes; w != NULL && w->route != r; w = w->next)
		;
	if (w != NULL)
		w->route = NULL;
	return w;
}

bool
forward_answer(struct conn *c, struct msg *m)
{
	struct route *r = c->forwards != NULL ? c->forwards->routes : NULL;
	char message[MAX_REASON + 1], *candidate;
	uint32_t code, n;
	uint64_t ref;
	struct wish *w;

	while (r != NULL && r->request != m->id)
		r = r->next;
	if (m->type != REP_TARGET || r == NULL)
		return false;
	code = msg_get_u32(m);
	msg_get_str(m, message, sizeof(message));
	ref = msg_get_u64(m);
	for (n = msg_get_u32(m); n > 0 && !m->bad; n--) {
		candidate = msg_dup_str(m, 255);
		free(candidate);
	}
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's TARGET answer is malformed");
	r->request = 0;
	r->ref = ref;
	c->forwards->homeless |= code == TARGET_NONE;
	if (code != 0) /* before those who wait find others, for which room may be made */
		route_unlink(c, r);
	while ((w = waiting(c, r)) != NULL) {
		if (code == 0)
			start(w, ref);
		else if (code == TARGET_NONE)
			find_container(w);
		else
			refuse(w, 0, code, message);
	}
	if (code != 0)
		free(r);
	return true;
}

/* ---- what the client says --------------------------------------------------------------------- */

static bool
may(const struct conn *c)
{
	return !c->auth.must_change && !c->auth.must_enrol &&
	    (c->forwards == NULL || c->forwards->nwishes < WISHES_MAX) &&
	    c->nchannels < MAX_ATTACHES;
}

bool
forward_open(struct conn *c, ssh_message m)
{
	const char *host;

	if (ssh_message_subtype(m) != SSH_CHANNEL_DIRECT_TCPIP)
		return false;
	host = ssh_message_channel_request_open_destination(m);
	if (host == NULL || strlen(host) > MUX_HOST_MAX || !may(c)) {
		packets_refuse(m, OPEN_PROHIBITED, "");
		ssh_message_free(m);
		return true;
	}
	find_container(wish_new(c, m, WISH_CONNECT, host,
	    (uint32_t)ssh_message_channel_request_open_destination_port(m)));
	return true;
}

void
forward_global(struct conn *c, ssh_message m)
{
	const char *address = ssh_message_global_request_address(m);
	uint32_t port = (uint32_t)ssh_message_global_request_port(m);
	bool listen = ssh_message_subtype(m) == SSH_GLOBAL_REQUEST_TCPIP_FORWARD;
	struct wish *w;

	if (forwards(c)->nwishes >= 2 * WISHES_MAX) { /* behind one that is not answered yet */
		c->flooded = true;
		ssh_message_free(m);
		return;
	}
	if (address == NULL || strlen(address) > MUX_HOST_MAX || port > UINT16_MAX) {
		address = "";
		port = UINT32_MAX; /* nobody's */
	}
	if (!listen && globals_wait(c)) /* whoever asks whether we are there hears that we are */
		ssh_send_ignore(c->ssh, "");
	w = wish_new(c, m, listen ? WISH_LISTEN : WISH_CANCEL, address, port);
	if (!listen)
		decide(w, listener_cancel(c, address, port));
	else if (port == UINT32_MAX || !may(c))
		decide(w, false);
	else
		find_container(w);
}
