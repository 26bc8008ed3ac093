/*
 * What libssh reads and writes of CHANNEL_OPEN and of requests where
 * its interface is too narrow.  libssh is linked from its archive, in which these symbols can be
 * reached; they are declared in no header that it installs.  A libssh that
 * lacks one does not link, and one that uses them otherwise fails the
 * self-test (warmup.c): neither serves anybody.  jumpbox-session.
 *
 * - It knows no unix sockets: direct-streamlocal@openssh.com is turned into a
 *   direct-tcpip to the path as a host, before it reads the packet, and
 *   streamlocal-forward into a tcpip-forward.  A client that asks for a path so
 *   itself gets the same.  What it opens to the client for a connection that
 *   came to a path is made a forwarded-streamlocal; were it not, clients refuse it.
 * - A channel with so small a packet size that writing to it would never end
 *   is turned into one of no known type, which is refused.  A client that
 *   takes a channel of ours with such a size is taken to mean a larger one.
 * - eow@openssh.com, with which a client whose own output has ended says that
 *   it reads no more of a channel, is turned into a signal of that name.
 * - A refusal says what the reason was.
 * - A global request that libssh would answer itself, at once, is turned into
 *   one that it hands over, to be refused when its turn comes (forward.c).
 */
#include "packets.h"

#include "session.h"

#include "jumpbox/util.h"

#include <libssh/callbacks.h>
#include <libssh/ssh2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	PACKET_LEAST = 1024,
	TYPE_MOST = 64,
	PATH_MOST = 255,
	PATH_PORT = 1, /* to libssh, which would tell the client of a port that was 0 */
};

void ssh_packet_set_callbacks(ssh_session session, ssh_packet_callbacks callbacks);
int ssh_buffer_pack_va(struct ssh_buffer_struct *b, const char *format, size_t argc, va_list ap);
int __wrap__ssh_buffer_pack(struct ssh_buffer_struct *b, const char *format, size_t argc, ...);

static void
add_u32(ssh_buffer b, uint32_t v)
{
	uint8_t p[4];

	store_u32(p, v);
	ssh_buffer_add_data(b, p, sizeof(p));
}

static void
add_str(ssh_buffer b, const char *s)
{
	add_u32(b, (uint32_t)strlen(s));
	ssh_buffer_add_data(b, s, (uint32_t)strlen(s));
}

/* ---- what comes --------------------------------------------------------------- */

struct reader {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static uint32_t
get_u32(struct reader *r)
{
	uint32_t v;

	r->bad |= r->n < 4;
	if (r->bad)
		return 0;
	v = load_u32(r->p);
	r->p += 4;
	r->n -= 4;
	return v;
}

static void
get_str(struct reader *r, char *dst, size_t most)
{
	uint32_t n = get_u32(r);

	r->bad |= n > r->n || n > most || (!r->bad && memchr(r->p, 0, n) != NULL);
	dst[0] = '\0';
	if (r->bad)
		return;
	memcpy(dst, r->p, n);
	dst[n] = '\0';
	r->p += n;
	r->n -= n;
}

static void
rewrite(ssh_buffer packet, const char *type, uint32_t sender, uint32_t window, uint32_t size)
{
	ssh_buffer_reinit(packet);
	add_str(packet, type);
	add_u32(packet, sender);
	add_u32(packet, window);
	add_u32(packet, size);
}

static int
on_open(ssh_session session, uint8_t packet_type, ssh_buffer packet, void *arg)
{
	struct reader r = { ssh_buffer_get(packet), ssh_buffer_get_len(packet), false };
	char type[TYPE_MOST + 1], path[PATH_MOST + 1];
	uint32_t sender, window, size;

	(void)session;
	(void)packet_type;
	(void)arg;
	get_str(&r, type, TYPE_MOST);
	sender = get_u32(&r);
	window = get_u32(&r);
	size = get_u32(&r);
	if (r.bad)
		return SSH_PACKET_NOT_USED;
	if (size < PACKET_LEAST) {
		rewrite(packet, "packets-too-small", sender, window, size);
	} else if (strcmp(type, "direct-streamlocal@openssh.com") == 0) {
		get_str(&r, path, PATH_MOST);
		rewrite(packet, r.bad ? "path-too-long" : "direct-tcpip", sender, window, size);
		add_str(packet, path);
		add_u32(packet, 0);
		add_str(packet, "");
		add_u32(packet, 0);
	}
	return SSH_PACKET_NOT_USED; /* libssh's own turn */
}

static int
on_confirmation(ssh_session session, uint8_t packet_type, ssh_buffer packet, void *arg)
{
	struct reader r = { ssh_buffer_get(packet), ssh_buffer_get_len(packet), false };
	uint32_t recipient = get_u32(&r), sender = get_u32(&r), window = get_u32(&r);
	uint32_t size = get_u32(&r);

	(void)session;
	(void)packet_type;
	(void)arg;
	if (r.bad || size >= PACKET_LEAST)
		return SSH_PACKET_NOT_USED;
	ssh_buffer_reinit(packet);
	add_u32(packet, recipient);
	add_u32(packet, sender);
	add_u32(packet, window);
	add_u32(packet, PACKET_LEAST);
	return SSH_PACKET_NOT_USED;
}

bool
packets_is_path(const char *host)
{
	return host[0] == '/';
}

static int
on_request(ssh_session session, uint8_t packet_type, ssh_buffer packet, void *arg)
{
	struct reader r = { ssh_buffer_get(packet), ssh_buffer_get_len(packet), false };
	static const uint8_t wants_reply = 0;
	char type[TYPE_MOST + 1];
	uint32_t recipient = get_u32(&r);

	(void)session;
	(void)packet_type;
	(void)arg;
	get_str(&r, type, TYPE_MOST);
	if (r.bad || strcmp(type, PACKETS_UNREAD) != 0)
		return SSH_PACKET_NOT_USED;
	ssh_buffer_reinit(packet);
	add_u32(packet, recipient);
	add_str(packet, "signal");
	ssh_buffer_add_data(packet, &wants_reply, 1);
	add_str(packet, PACKETS_UNREAD);
	return SSH_PACKET_NOT_USED;
}

static bool
is(const uint8_t *p, size_t n, const char *s)
{
	return n == strlen(s) && memcmp(p, s, n) == 0;
}

static void
rewrite_global(
    ssh_buffer packet, const char *type, uint8_t wants_reply, const char *address, uint32_t port)
{
	ssh_buffer_reinit(packet);
	add_str(packet, type);
	ssh_buffer_add_data(packet, &wants_reply, 1);
	add_str(packet, address);
	add_u32(packet, port);
}

/* A client tells answers apart by their order alone. */
static int
on_global(ssh_session session, uint8_t packet_type, ssh_buffer packet, void *arg)
{
	struct reader r = { ssh_buffer_get(packet), ssh_buffer_get_len(packet), false };
	uint32_t n = get_u32(&r);
	const uint8_t *type = r.p;
	char path[PATH_MOST + 1];
	uint8_t wants_reply;
	bool listen, cancel;

	(void)session;
	(void)packet_type;
	(void)arg;
	if (r.bad || n >= r.n || is(type, n, "tcpip-forward") ||
	    is(type, n, "cancel-tcpip-forward"))
		return SSH_PACKET_NOT_USED;
	wants_reply = type[n];
	r.p += n + 1;
	r.n -= n + 1;
	listen = is(type, n, "streamlocal-forward@openssh.com");
	cancel = is(type, n, "cancel-streamlocal-forward@openssh.com");
	get_str(&r, path, PATH_MOST);
	if ((listen || cancel) && packets_is_path(path))
		rewrite_global(packet, listen ? "tcpip-forward" : "cancel-tcpip-forward",
		    wants_reply, path, PATH_PORT);
	else if (wants_reply)
		rewrite_global(packet, "cancel-tcpip-forward", wants_reply, "", 0); /* nobody's */
	return SSH_PACKET_NOT_USED;
}

void
packets_watch(ssh_session session)
{
	static ssh_packet_callback channels[] = { on_open, on_confirmation };
	static ssh_packet_callback globals[] = { on_global }, requests[] = { on_request };
	static struct ssh_packet_callbacks_struct watch[] = {
		{ SSH2_MSG_CHANNEL_OPEN, 2, channels, NULL },
		{ SSH2_MSG_GLOBAL_REQUEST, 1, globals, NULL },
		{ SSH2_MSG_CHANNEL_REQUEST, 1, requests, NULL },
	};

	_Static_assert(SSH2_MSG_CHANNEL_OPEN_CONFIRMATION == SSH2_MSG_CHANNEL_OPEN + 1,
	    "the callbacks are of consecutive types");

	for (size_t i = 0; i < sizeof(watch) / sizeof(watch[0]); i++)
		ssh_packet_set_callbacks(session, &watch[i]);
}

/* ---- what goes ------------------------------------------------------------------ */

static struct {
	bool wanted;
	uint32_t reason;
	const char *text;
} refusal;

void
packets_refuse(ssh_message m, uint32_t reason, const char *text)
{
	refusal.wanted = true;
	refusal.reason = reason;
	refusal.text = text;
	ssh_message_reply_default(m);
	refusal.wanted = false;
}

static const char *opened_path; /* of the channel that is being opened */

int
packets_open_path(ssh_channel channel, const char *path)
{
	int rc;

	opened_path = path;
	rc = ssh_channel_open_reverse_forward(channel, "", 0, "", 0);
	opened_path = NULL;
	return rc;
}

/*
 * Every packet that libssh makes comes by here: the linker sees to that.  But
 * for those that are to be others it does what the original does, which
 * besides makes room in the buffer first.
 */
int
__wrap__ssh_buffer_pack(struct ssh_buffer_struct *b, const char *format, size_t argc, ...)
{
	uint8_t type;
	va_list ap;
	int rc = 0, i;

	va_start(ap, argc);
	if (refusal.wanted && strcmp(format, "bdddd") == 0) {
		type = (uint8_t)va_arg(ap, unsigned);
		ssh_buffer_add_data(b, &type, 1);
		add_u32(b, va_arg(ap, uint32_t));
		add_u32(b, refusal.reason);
		add_str(b, refusal.text);
		add_str(b, "");
	} else if (opened_path != NULL && strcmp(format, "bsddd") == 0) {
		type = (uint8_t)va_arg(ap, unsigned);
		ssh_buffer_add_data(b, &type, 1);
		(void)va_arg(ap, const char *);
		add_str(b, "forwarded-streamlocal@openssh.com");
		for (i = 0; i < 3; i++) /* its number, window and packet size */
			add_u32(b, va_arg(ap, uint32_t));
	} else if (opened_path != NULL && strcmp(format, "sdsd") == 0) {
		add_str(b, opened_path);
		add_str(b, ""); /* reserved */
	} else {
		rc = ssh_buffer_pack_va(b, format, argc, ap);
	}
	va_end(ap);
	return rc;
}
