/*
 * A hostile container against the session: what comes on the stream of a
 * helper that has one channel of each kind.  The first byte says in what pieces
 * it arrives.  Whatever comes, no owner is told anything of a channel that is
 * gone, nor given more than the window that was granted, and what the session
 * says is well-formed.
 */
#include "fuzz.h"

#include "../../src/session/mux_client.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECES = 64 };

/* ---- in place of link.c and timers.c -------------------------------------- */

static uint32_t ids;

uint32_t
link_id(void)
{
	return ++ids;
}

void
link_send(struct msg *m)
{
	msg_release(m);
}

void
timers_active(struct conn *c)
{
	(void)c;
}

/* ---- owners ------------------------------------------------------------------ */

static struct owner {
	struct mux_chan *mc; /* NULL: gone */
	bool opened, ended;
	size_t held;
} owners[PIECES];
static size_t nowners;

static struct owner *
live(void *arg)
{
	struct owner *o = arg;

	check(o->mc != NULL);
	return o;
}

static void
on_opened(void *arg, uint32_t port, const char *path)
{
	struct owner *o = live(arg);

	(void)port;
	check(!o->opened && strlen(path) <= MUX_PATH_MAX);
	o->opened = true;
}

static void
on_failed(void *arg, uint32_t why, uint32_t code, const char *text)
{
	struct owner *o = live(arg);

	(void)why;
	(void)code;
	check(!o->opened && text != NULL);
	o->mc = NULL;
}

/* What is taken is granted again at once, every other time. */
static void
on_data(void *arg, const void *p, size_t n)
{
	struct owner *o = live(arg);

	check(o->opened && !o->ended && p != NULL && n > 0);
	o->held += n;
	check(o->held <= MUX_WINDOW_START);
	if (o->held % 2 == 0) {
		mux_grant(o->mc, o->held);
		o->held = 0;
	}
}

static void
on_eof(void *arg)
{
	struct owner *o = live(arg);

	check(o->opened && !o->ended);
	o->ended = true;
}

static void
on_exited(void *arg, uint32_t signal, uint32_t code, bool core)
{
	(void)core;
	check(live(arg)->opened && signal <= 255 && code <= 255);
}

static void
on_closed(void *arg, uint32_t code, const char *text)
{
	(void)code;
	check(text != NULL);
	live(arg)->mc = NULL;
}

static void on_accepted(void *arg, struct mux_chan *mc, const char *peer, uint32_t port);

static const struct mux_events events = { on_opened, on_failed, on_data, on_eof, on_exited,
	on_closed, on_accepted, on_data };

/* The channels of half of the connections are owned, and half are not wanted. */
static void
on_accepted(void *arg, struct mux_chan *mc, const char *peer, uint32_t port)
{
	struct owner *o;

	(void)live(arg);
	(void)peer;
	check(port <= UINT16_MAX);
	if (port % 2 == 0 || nowners == PIECES) {
		mux_close(mc);
		return;
	}
	o = &owners[nowners++];
	*o = (struct owner){ mc, true, false, 0 };
	mux_own(mc, &events, o);
}

/* ---- the stream ----------------------------------------------------------------- */

static int
connect_helper(struct conn *c)
{
	static const struct {
		enum mux_type type;
		uint32_t need;
	} first[] = {
		{ MUX_OPEN_TCP, PERM_FORWARD },
		{ MUX_OPEN_SFTP, PERM_FILES },
		{ MUX_OPEN_EXEC, PERM_SHELL },
		{ MUX_LISTEN_AGENT, PERM_FORWARD },
	};
	uint32_t request = mux_for_process(c, 1, PERM_SHELL);
	struct mux_frame f;
	struct msg m;
	int pair[2];

	check(request != 0 && mux_for_process(c, 1, PERM_SHELL) == request);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	msg_init(&m, REP_HELPER, request);
	msg_put_u32(&m, 0);
	msg_put_str(&m, "");
	msg_put_u32(&m, PERM_DEFAULT);
	msg_put_fd(&m, pair[0]);
	m.pos = MSG_HEADER;
	check(mux_answer(c, &m));
	msg_release(&m);
	for (nowners = 0; nowners < sizeof(first) / sizeof(first[0]); nowners++) {
		memset(&f, 0, sizeof(f));
		f.type = first[nowners].type;
		if (f.type == MUX_OPEN_TCP)
			f.u.tcp.host = mux_str("");
		if (f.type == MUX_OPEN_EXEC)
			f.u.exec.command = mux_str("");
		owners[nowners] = (struct owner){ NULL, false, false, 0 };
		owners[nowners].mc = f.type == MUX_OPEN_EXEC
		    ? mux_open_process(c, request, PERM_SHELL, &f, &events, &owners[nowners])
		    : mux_open(c, 1, first[nowners].need, &f, &events, &owners[nowners]);
		check(owners[nowners].mc != NULL);
	}
	return pair[1];
}

static struct buf said;

/* What the session says is frames of a session. */
static void
listen_to(int fd)
{
	struct mux_frame f;
	ssize_t n;
	long used;

	while ((n = recv(fd, buf_reserve(&said, 65536), 65536, MSG_DONTWAIT)) > 0) {
		buf_commit(&said, (size_t)n);
		while ((used = mux_get(buf_ptr(&said), buf_len(&said), MUX_SESSION, &f)) > 0)
			buf_consume(&said, (size_t)used);
		check(used == 0);
	}
}

/* As an engine frames it; false: the stream is over. */
static bool
say(struct conn *c, int fd, const uint8_t *p, size_t n)
{
	const uint8_t head[8] = { 1, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n };
	struct pollfd set[2];

	if (send(fd, head, sizeof(head), MSG_NOSIGNAL) < 0 || send(fd, p, n, MSG_NOSIGNAL) < 0)
		return false;
	for (struct owner *o = owners; o < owners + nowners; o++) {
		if (o->mc == NULL || n % 3 != 0)
			continue;
		mux_send(o->mc, p, n);
		mux_resize(o->mc, 80, 24);
		if (n % 5 == 0)
			mux_eof(o->mc);
	}
	mux_poll(c, set, 1);
	set[1].revents = POLLIN;
	mux_polled(c, set);
	mux_work(c, now_mono_ms());
	listen_to(fd);
	return c->muxes != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t ready[MUX_HEAD + 24] = { 0, 0, 0, 0, MUX_READY, 0, 0, 24, 0, 0, 0,
		MUX_VERSION };
	struct conn c = { .client = -1 };
	size_t piece;
	bool on;
	int fd;

	if (n == 0)
		return 0;
	buf_init(&said, 2 * MUX_FRAME_MAX);
	fd = connect_helper(&c);
	piece = p[0] == 0 ? n : p[0];
	on = say(&c, fd, ready, sizeof(ready));
	for (p++, n--; on && n > 0; p += piece, n -= piece) {
		if (piece > n)
			piece = n;
		on = say(&c, fd, p, piece);
	}
	for (struct owner *o = owners; o < owners + nowners; o++) {
		if (o->mc != NULL)
			mux_close(o->mc);
		o->mc = NULL;
	}
	shutdown(fd, SHUT_WR); /* it is not waited for */
	mux_release_all(&c, "ended");
	mux_work(&c, INT64_MAX);
	check(c.muxes == NULL);
	listen_to(fd);
	buf_release(&said);
	close(fd);
	return 0;
}
