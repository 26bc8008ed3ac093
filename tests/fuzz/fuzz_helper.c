/*
 * A hostile session against the helper: the first byte says in what pieces the
 * rest arrives.  What the helper would start, connect to or listen on is a loop
 * here: what a channel is sent comes back.  SFTP never ends.  Whatever the session does, all that
 * it is sent is well-formed, and within the windows that it gave.
 */
#include "fuzz.h"

#include "../../src/helper/helper.h"

#include "jumpbox/util.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- in place of spawn.c, procs.c, connect.c and listen.c --------------- */

static bool
loop(int *in, int *out)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	*in = pair[0];
	*out = pair[1];
	return true;
}

static bool endless;

int
spawn(struct spawn *s)
{
	s->err = -1;
	s->pid = 1;
	if (s->what->type != MUX_OPEN_EXEC) {
		endless = true;
		s->in = open("/dev/null", O_WRONLY | O_CLOEXEC);
		s->out = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		return s->in < 0 || s->out < 0 ? -1 : 0;
	}
	return loop(&s->in, &s->out) ? 0 : -1;
}

struct proc *
procs_add(struct helper *h, pid_t pid, struct chan *c)
{
	struct proc *p = calloc(1, sizeof(*p));

	check(p != NULL);
	p->pid = pid;
	p->chan = c;
	p->next = h->procs;
	h->procs = p;
	return p;
}

void
procs_hang_up(struct helper *h, struct proc *p, bool hup)
{
	(void)h;
	(void)hup;
	p->ended = true;
}

void
procs_signal(struct proc *p, struct mux_str name)
{
	(void)name;
	p->status = 15;
	p->ended = true;
}

/* A program ends when its output has. */
void
procs_reap(struct helper *h)
{
	struct proc *p, **at = &h->procs;

	while ((p = *at) != NULL) {
		p->ended |= p->chan != NULL && p->chan->eof_out;
		if (p->chan != NULL) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

int64_t
procs_timers(struct helper *h, int64_t now)
{
	struct proc *p;

	for (p = h->procs; p != NULL; p = p->next)
		if (p->ended && p->chan != NULL)
			exec_finish(h, p->chan, now);
	return 0;
}

static void
connect_loop(struct helper *h, const struct mux_frame *f)
{
	struct chan *c = chan_new(h, f->channel, CHAN_SOCKET);

	if (c == NULL)
		return;
	if (loop(&c->in_fd, &c->out_fd))
		chan_opened(h, c, 0, "");
	else
		chan_failed(h, c, MUX_WHY_RESOURCES, "");
}

void
connect_tcp(struct helper *h, const struct mux_frame *f)
{
	connect_loop(h, f);
}

void
connect_unix(struct helper *h, const struct mux_frame *f)
{
	connect_loop(h, f);
}

/* One connection is there at once. */
static void
listen_loop(struct helper *h, const struct mux_frame *f)
{
	struct chan *c = chan_new(h, f->channel, CHAN_LISTENER), *accepted;
	struct mux_frame said = { .type = MUX_ACCEPT };

	if (c == NULL)
		return;
	chan_opened(h, c, 1, "");
	said.channel = ++h->last_id | MUX_TOP_BIT;
	said.u.accept.listener = c->id;
	if (h->nchans == CHANS_MAX)
		return;
	accepted = chan_new(h, said.channel, CHAN_SOCKET);
	loop(&accepted->in_fd, &accepted->out_fd);
	accepted->state = CHAN_OPEN;
	stream_put(h, &said);
}

void
listen_tcp(struct helper *h, const struct mux_frame *f)
{
	listen_loop(h, f);
}

void
listen_unix(struct helper *h, const struct mux_frame *f)
{
	listen_loop(h, f);
}

void
listen_agent(struct helper *h, const struct mux_frame *f)
{
	listen_loop(h, f);
}

/* Never called: no channel has either. */
void
connect_watch(struct helper *h, struct chan *c)
{
	(void)h;
	(void)c;
}

void
connect_ready(struct helper *h, struct chan *c)
{
	connect_watch(h, c);
}

int64_t
connect_timer(struct helper *h, struct chan *c, int64_t now)
{
	connect_watch(h, c);
	return now;
}

void
connect_free(struct chan *c)
{
	(void)c;
}

void
listen_watch(struct helper *h, struct chan *c)
{
	connect_watch(h, c);
}

void
listen_ready(struct helper *h, struct chan *c)
{
	connect_watch(h, c);
}

void
listen_free(struct chan *c)
{
	(void)c;
}

/* ---- the session -------------------------------------------------------- */

struct session {
	int in, out; /* what the helper reads and writes */
	struct buf got;
	uint64_t sent; /* bytes of data that came */
	uint64_t gave; /* of windows, the first ones not counted */
	uint64_t began;
};

static void
take(struct session *s)
{
	struct mux_frame f;
	ssize_t n;
	long took;

	while ((n = read(s->in, buf_reserve(&s->got, 65536), 65536)) > 0) {
		buf_commit(&s->got, (size_t)n);
		while ((took = mux_get(buf_ptr(&s->got), buf_len(&s->got), MUX_HELPER, &f)) > 0) {
			s->began += f.type == MUX_OPENED || f.type == MUX_ACCEPT;
			if (f.type == MUX_DATA)
				s->sent += f.u.data.bytes.n;
			buf_consume(&s->got, (size_t)took);
		}
		check(took == 0);
	}
	check(s->sent <= s->gave + s->began * MUX_WINDOW_START);
}

/* What its own WINDOW frames say, as far as the helper can have read them. */
static uint64_t
windows(const uint8_t *p, size_t n)
{
	struct mux_frame f;
	uint64_t sum = 0;
	long took;

	for (; (took = mux_get(p, n, MUX_SESSION, &f)) > 0; p += took, n -= (size_t)took)
		if (f.type == MUX_WINDOW)
			sum += f.u.window.more;
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t step = n > 0 ? p[0] * 16u + 1 : 0, part;
	int to[2], from[2], rounds;
	bool broken = false, more = true;
	struct session s = { 0 };
	struct helper h;

	if (n == 0 || n > 100000)
		return 0;
	p++;
	n--;
	endless = false;
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, to) == 0);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, from) == 0);
	buf_init(&s.got, 2 * MUX_FRAME_MAX);
	s.in = from[0];
	s.gave = windows(p, n);
	helper_init(&h, to[1], from[1]);
	for (; n > 0 && more; p += part, n -= part) {
		part = n < step ? n : step;
		check(write(to[0], p, part) == (ssize_t)part);
		more = helper_round(&h, &broken);
		take(&s);
	}
	/* More than a window of what never ends, each a moment's wait at most. */
	for (rounds = 0; rounds < 12 && more && endless; rounds++) {
		h.accept_at = now_mono_ms() + 1;
		more = helper_round(&h, &broken);
		take(&s);
	}
	shutdown(to[0], SHUT_WR);
	while (more) {
		more = helper_round(&h, &broken);
		take(&s);
	}
	helper_release(&h);
	while (h.procs != NULL)
		procs_reap(&h);
	close(to[0]);
	close(from[0]);
	buf_release(&s.got);
	return 0;
}
