/*
 * A hostile container against the session, while the session's owners, its
 * broker and its clock do what they like.  The input is steps of two bytes: the
 * first says what (a row of steps[]), the second of how much; of SAY they are a
 * length, and so many bytes of a helper follow.  Whatever comes, no owner is
 * told anything of a channel that is gone, nor given more than the window that
 * was granted; what the session says is well-formed, due and within the windows
 * that it was given; and the broker hears of the end of each stream once.
 */
#include "fuzz.h"
#include "mux_peer.h"

#include "../../src/session/mux_client.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KIND = 7, OWNERS = 64, BROKER_SAYS = -JB_DENIED };

static struct conn conn;
static int64_t later; /* than the clock says */
static bool released;
static struct stream *at; /* whose container speaks */

/* ---- owners ------------------------------------------------------------------ */

static struct owner {
	struct mux_chan *mc; /* NULL: gone */
	uint8_t arg;	     /* of do_open() */
	uint32_t need;
	bool opened, ended, listens;
	size_t held, data, errdata;
} owners[OWNERS];
static size_t nowners;

enum { FILES = PERM_FILES | PERM_FILES_RO, PROCESS = PERM_SHELL | PERM_EXEC };

static void do_open(uint8_t arg);

static struct owner *
live(void *arg)
{
	struct owner *o = arg;

	check(o->mc != NULL && !released);
	return o;
}

static void
on_opened(void *arg, uint32_t port, const char *path)
{
	struct owner *o = live(arg);

	check(!o->opened && port <= INT32_MAX && strlen(path) <= MUX_PATH_MAX);
	o->opened = true;
	if (o->need == PERM_FILES_RO) /* as a copy does */
		do_open((uint8_t)((o->arg & ~KIND) | 1));
}

static void
on_failed(void *arg, uint32_t why, uint32_t code, const char *text)
{
	struct owner *o = live(arg);

	(void)code;
	check(!o->opened && why < MUX_WHYS && text != NULL);
	o->mc = NULL;
	if (why == 0 && o->need == PERM_FILES) /* whoever may not write may perhaps read */
		do_open((uint8_t)((o->arg & ~KIND) | 4));
}

/* Half of it is passed on and granted again at once. */
static void
on_data(void *arg, const void *p, size_t n)
{
	struct owner *o = live(arg);

	check(o->opened && !o->ended && !o->listens && p != NULL && n > 0);
	o->held += n;
	check(o->held <= MUX_WINDOW_START);
	if (n % 2 == 0) {
		mux_send(o->mc, p, n);
		mux_grant(o->mc, o->held);
		o->held = 0;
	}
}

static void
on_errdata(void *arg, const void *p, size_t n)
{
	check(live(arg)->need & PROCESS);
	on_data(arg, p, n);
}

static void
on_eof(void *arg)
{
	struct owner *o = live(arg);

	check(o->opened && !o->ended && !o->listens);
	o->ended = true;
}

static void
on_exited(void *arg, uint32_t signal, uint32_t code, bool core)
{
	const struct owner *o = live(arg);

	(void)core;
	check(o->opened && o->need & (FILES | PROCESS) && signal <= 255 && code <= 255);
}

static void
on_closed(void *arg, uint32_t code, const char *text)
{
	(void)code;
	check(live(arg)->opened && text != NULL);
	live(arg)->mc = NULL;
}

static void on_accepted(void *arg, struct mux_chan *mc, const char *peer, uint32_t port);

static const struct mux_events events = { on_opened, on_failed, on_data, on_eof, on_exited,
	on_closed, on_accepted, on_errdata };

/* The channels of half of the connections are owned, and half are not wanted. */
static void
on_accepted(void *arg, struct mux_chan *mc, const char *peer, uint32_t port)
{
	struct owner *o = live(arg);

	check(o->listens && strlen(peer) <= MUX_HOST_MAX && port <= UINT16_MAX);
	if (port % 2 == 0 || nowners == OWNERS) {
		mux_close(mc);
		return;
	}
	o = &owners[nowners++];
	*o = (struct owner){ .mc = mc, .opened = true };
	mux_own(mc, &events, o);
}

/* ---- steps: what happens ------------------------------------------------------- */

/* By the last bits; the first ones say in which container. */
static const struct {
	enum mux_type type;
	uint32_t need;
} kinds[] = {
	{ MUX_OPEN_TCP, PERM_FORWARD },
	{ MUX_OPEN_SFTP, PERM_FILES },
	{ MUX_OPEN_EXEC, PERM_SHELL },
	{ MUX_LISTEN_AGENT, PERM_FORWARD },
	{ MUX_OPEN_COPY, PERM_FILES_RO },
	{ MUX_OPEN_UNIX, PERM_FORWARD },
	{ MUX_LISTEN_TCP, PERM_FORWARD_SOME },
	{ MUX_OPEN_EXEC, PERM_EXEC },
};

static void
do_open(uint8_t arg)
{
	const uint64_t ref = 1 + (arg >> 3);
	const uint32_t need = kinds[arg & KIND].need;
	struct owner *o = &owners[nowners];
	struct mux_frame f = { .type = kinds[arg & KIND].type };
	uint32_t request;

	if (nowners == OWNERS || nstreams == STREAMS)
		return;
	nowners++;
	*o = (struct owner){ .arg = arg, .need = need };
	o->listens = f.type == MUX_LISTEN_AGENT || f.type == MUX_LISTEN_TCP;
	if (!(need & PROCESS))
		o->mc = mux_open(&conn, ref, need, &f, &events, o);
	else if ((request = mux_for_process(&conn, ref, need)) != 0)
		o->mc = mux_open_process(&conn, request, need, &f, &events, o);
}

static struct owner *
owner_of(uint8_t arg)
{
	struct owner *o = nowners > 0 ? &owners[arg % nowners] : NULL;

	return o != NULL && o->mc != NULL ? o : NULL;
}

/* Kilobytes to all of them, up to a whole window. */
static void
do_send(uint8_t arg)
{
	static const uint8_t bytes[255 * 1024];
	const size_t n = arg * 1024u + 1;

	for (struct owner *o = owners; o < owners + nowners; o++)
		check(o->mc == NULL || mux_send(o->mc, bytes, n % sizeof(bytes)) <= n);
}

static void
do_grant(uint8_t arg)
{
	struct owner *o = owner_of(arg);

	if (o != NULL) {
		mux_grant(o->mc, o->held);
		o->held = 0;
	}
}

static void
do_eof(uint8_t arg)
{
	struct owner *o = owner_of(arg);

	if (o != NULL)
		mux_eof(o->mc);
}

static void
do_tell(uint8_t arg)
{
	struct owner *o = owner_of(arg);

	if (o != NULL && o->need & PROCESS) {
		mux_resize(o->mc, arg, 24);
		mux_signal(o->mc, "TERM");
	}
}

static void
do_close(uint8_t arg)
{
	struct owner *o = owner_of(arg);

	if (o != NULL)
		mux_close(o->mc);
	if (o != NULL)
		o->mc = NULL;
}

/* The broker's, to the first that waits for it: yes, or (an odd one) no. */
static void
do_answer(uint8_t arg)
{
	struct stream *x = streams;
	struct msg m;
	int pair[2];

	while (x < streams + nstreams && x->answered)
		x++;
	if (x == streams + nstreams)
		return;
	x->answered = true;
	msg_init(&m, REP_HELPER, x->request);
	msg_put_u32(&m, arg & 1 ? (uint32_t)BROKER_SAYS : 0);
	msg_put_str(&m, arg & 1 ? "no" : "");
	msg_put_u32(&m, arg & 2 ? PERM_FORWARD : PERM_DEFAULT | PERM_FORWARD_SOME);
	if (!(arg & 1)) {
		check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
		msg_put_fd(&m, pair[0]);
		x->fd = pair[1];
		at = x;
	}
	m.pos = MSG_HEADER;
	check(mux_answer(&conn, &m));
	msg_release(&m);
}

/* Until it has answered the broker withdraws by its answer. */
static void
do_withdraw(uint8_t arg)
{
	if (nstreams > 0 && streams[arg % nstreams].answered)
		mux_detached(&conn, streams[arg % nstreams].request, arg, "withdrawn");
}

static void
do_speaker(uint8_t arg)
{
	if (nstreams > 0)
		at = &streams[arg % nstreams];
}

static void
do_sleep(uint8_t arg)
{
	at->asleep = arg != 0;
}

static void
do_end(uint8_t arg)
{
	if (at->fd >= 0)
		shutdown(at->fd, arg % 3); /* one way or both */
}

/* Kilobytes of DATA on one of the first channels, or the first of the container's. */
static void
do_flood(uint8_t arg)
{
	static uint8_t frame[MUX_HEAD + 31 * 2048 + 1];
	const size_t n = (arg >> 3) * 2048u + 1;

	mux_put_head(frame, (arg & 7) != 0 ? arg & 7 : MUX_TOP_BIT | 1, MUX_DATA, n);
	stream_speak(at, frame, MUX_HEAD + n);
}

/* No engine says that. */
static void
do_garble(uint8_t arg)
{
	if (at->fd >= 0)
		(void)!send(at->fd, &arg, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
do_later(uint8_t arg)
{
	later += arg * 1000;
	mux_rest(&conn);
	check(mux_deadline(&conn) >= 0);
}

static void (*const steps[])(uint8_t arg) = { do_open, do_answer, do_send, do_grant, do_eof,
	do_tell, do_close, do_withdraw, do_speaker, do_sleep, do_end, do_later, do_garble,
	do_flood };
enum { SAY = 0x80, STEPS = sizeof(steps) / sizeof(steps[0]) };

static void
turn(void)
{
	struct pollfd set[1 + STREAMS];
	unsigned n = mux_poll(&conn, set, 1);

	poll(set + 1, n, 0);
	mux_polled(&conn, set);
	mux_work(&conn, now_mono_ms() + later);
	for (struct stream *x = streams; x < streams + nstreams; x++)
		if (!x->asleep)
			stream_hear(x);
}

static void
end_all(void)
{
	struct stream *x;

	for (x = streams; x < streams + nstreams; x++)
		if (x->fd >= 0)
			shutdown(x->fd, SHUT_WR); /* it is not waited for */
	released = true;
	mux_release_all(&conn, "ended");
	mux_work(&conn, INT64_MAX);
	check(conn.muxes == NULL);
	streams_end();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t len;

	memset(&conn, 0, sizeof(conn));
	conn.client = -1;
	later = 0;
	released = false;
	nowners = 0;
	streams_begin();
	at = &streams[0];
	for (; n >= 2; p += len, n -= len) {
		len = 2;
		if (p[0] & SAY) {
			len += ((size_t)p[0] & 0x7f) << 8 | p[1];
			if (len > n)
				len = n;
			stream_speak(at, p + 2, len - 2);
		} else {
			steps[p[0] % STEPS](p[1]);
		}
		turn();
	}
	end_all();
	return 0;
}
