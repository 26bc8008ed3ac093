/*
 * A hostile session against the helper: the first byte says in what pieces the
 * rest arrives, and whether the session reads before it has said all.  A head
 * of type BIG stands for DATA of that length.  The helper serves it to its end,
 * in a world of its own (helper_world.c).
 * Whatever the session does, what it is sent is well-formed, due, and within
 * the windows that it gave, and nothing is left of what it began.
 */
#include "fuzz.h"
#include "helper_world.h"
#include "jail.h"

#include "../../src/helper/helper.h"

#include "jumpbox/util.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	IDS = 1024,
	QUIET = 6,   /* turns without anything to do, after which the session ends */
	TURNS = 120, /* or so many after its last byte */
	DEAF = 30,   /* or so many, and it begins to listen */
	FOREVER = 20000,
	PIECES = 1000, /* at most */
	BIG = 0xf0,
	SAID_MAX = 1 << 20,
};

#define BIT(type) (1u << (type))
#define LISTENS	  (BIT(MUX_LISTEN_TCP) | BIT(MUX_LISTEN_UNIX) | BIT(MUX_LISTEN_AGENT))
#define FILES	  (BIT(MUX_OPEN_SFTP) | BIT(MUX_OPEN_COPY))
#define PROGRAMS  (BIT(MUX_OPEN_EXEC) | FILES)

/* A channel as the session sees it.  One that is opened again has what it had. */
struct id {
	uint32_t id;
	unsigned kinds;	  /* as what it was opened */
	unsigned opening; /* not answered yet */
	bool open, eof, exited;
	uint64_t window, owed; /* may come; may be granted to us */
};

static struct {
	int fd;	     /* both ways */
	int helpers; /* its end */
	size_t step;
	bool deaf, stops, broken, over;
	unsigned quiet, turns, last;
	struct buf says; /* what is left of it */
	struct buf said, got;
	bool ready;
	struct id ids[IDS];
	size_t nids;
} s;

static volatile bool stop;

static struct id *
id_of(uint32_t id)
{
	size_t i;

	for (i = 0; i < s.nids && s.ids[i].id != id; i++)
		;
	if (i == s.nids) {
		check(s.nids < IDS);
		s.ids[s.nids++] = (struct id){ .id = id };
	}
	return &s.ids[i];
}

/* ---- what the session says ---------------------------------------------------- */

static void
note_said(const struct mux_frame *f)
{
	struct id *c = f->channel != 0 ? id_of(f->channel) : NULL;

	switch (f->type) {
	case MUX_HELLO:
		break;
	case MUX_DATA:
		c->owed += f->u.data.bytes.n;
		break;
	case MUX_WINDOW:
		c->window += f->u.window.more;
		break;
	case MUX_EOF:
	case MUX_RESIZE:
	case MUX_SIGNAL:
	case MUX_UNREAD:
	case MUX_CLOSE:
		break;
	default:
		c->kinds |= BIT(f->type);
		c->opening++;
		c->window += MUX_WINDOW_START;
	}
}

/* What has been sent, up to what can be no frame. */
static void
note_all_said(void)
{
	struct mux_frame f;
	long n = 1;

	while (!s.broken && n > 0 && s.nids < IDS / 2) {
		n = mux_get(buf_ptr(&s.said), buf_len(&s.said), MUX_SESSION, &f);
		s.broken = n < 0;
		if (n <= 0)
			break;
		note_said(&f);
		buf_consume(&s.said, (size_t)n);
	}
}

static void
expand_big(const uint8_t *head)
{
	static uint8_t bytes[MUX_DATA_MAX];
	size_t left = load_u32(head + 4) & 0x7ffff, n;
	struct mux_frame f = { .channel = load_u32(head), .type = MUX_DATA };

	memset(bytes, 'x', sizeof(bytes));
	for (; left > 0 && buf_room(&s.says) > 2 * MUX_FRAME_MAX; left -= n) {
		n = left < sizeof(bytes) ? left : sizeof(bytes);
		f.u.data.bytes = (struct mux_str){ (const char *)bytes, n };
		if (mux_put(&s.says, &f) < 0)
			return;
	}
}

static void
expand(const uint8_t *p, size_t n)
{
	size_t len;

	for (; n >= MUX_HEAD; p += len, n -= len) {
		len = MUX_HEAD;
		if (p[4] == BIG) {
			expand_big(p);
			continue;
		}
		len += load_u32(p + 4) & 0xffffff;
		if (len > n)
			break;
		check(buf_add(&s.says, p, len) == 0);
	}
	check(buf_add(&s.says, p, n) == 0);
}

static bool
speak(void)
{
	size_t part = buf_len(&s.says) < s.step ? buf_len(&s.says) : s.step;
	ssize_t n;

	if (part == 0)
		return false;
	n = send(s.fd, buf_ptr(&s.says), part, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n <= 0)
		return false;
	if (!s.broken)
		check(buf_add(&s.said, buf_ptr(&s.says), (size_t)n) == 0);
	note_all_said();
	buf_consume(&s.says, (size_t)n);
	return true;
}

/* ---- what it hears -------------------------------------------------------------- */

static void
hear_opened(const struct mux_frame *f, struct id *c)
{
	char *path = mux_strdup(f->u.opened.path);

	check(c->opening-- > 0 && !c->open);
	c->open = true;
	c->eof = c->exited = false;
	if (c->kinds & LISTENS)
		world_visit(f->u.opened.port, path);
	free(path);
}

static void
hear_accept(const struct mux_frame *f, struct id *c)
{
	const struct id *listener = id_of(f->u.accept.listener);

	check(!c->open && listener->open && listener->kinds & LISTENS);
	*c = (struct id){ .id = c->id, .open = true, .window = MUX_WINDOW_START + c->window };
}

static void
hear_data(const struct mux_frame *f, struct id *c)
{
	check(c->open && !c->eof && c->window >= f->u.data.bytes.n);
	check(f->type == MUX_DATA || c->kinds & BIT(MUX_OPEN_EXEC));
	c->window -= f->u.data.bytes.n;
}

static void
hear(const struct mux_frame *f)
{
	struct id *c = f->channel != 0 ? id_of(f->channel) : NULL;

	check(c != NULL ? s.ready : !s.ready && f->type == MUX_READY);
	switch (f->type) {
	case MUX_READY:
		s.ready = true;
		break;
	case MUX_OPENED:
		hear_opened(f, c);
		break;
	case MUX_FAILED:
		check(c->opening-- > 0 && !c->open);
		break;
	case MUX_ACCEPT:
		hear_accept(f, c);
		break;
	case MUX_DATA:
	case MUX_ERRDATA:
		hear_data(f, c);
		break;
	case MUX_NOTE:
		check(c->open && c->kinds & FILES);
		break;
	case MUX_EOF:
		check(c->open && !c->eof);
		c->eof = true;
		break;
	case MUX_WINDOW:
		check(c->open && c->owed >= f->u.window.more);
		c->owed -= f->u.window.more;
		break;
	case MUX_EXIT:
		check(c->open && c->eof && !c->exited && c->kinds & PROGRAMS);
		c->exited = true;
		break;
	default:
		check(f->type == MUX_CLOSE && c->open);
		c->open = false;
	}
}

static bool
listen_to(void)
{
	struct mux_frame f;
	bool any = false;
	ssize_t n;
	long took;

	while ((n = recv(s.fd, buf_reserve(&s.got, 65536), 65536, MSG_DONTWAIT)) > 0) {
		any = true;
		buf_commit(&s.got, (size_t)n);
		while ((took = mux_get(buf_ptr(&s.got), buf_len(&s.got), MUX_HELPER, &f)) > 0) {
			hear(&f);
			buf_consume(&s.got, (size_t)took);
		}
		check(took == 0);
	}
	return any;
}

/* ---- one stream ------------------------------------------------------------------- */

static bool
turn(void)
{
	bool any = speak();

	check(++s.turns < FOREVER);
	s.last += buf_len(&s.says) == 0;
	if (!s.deaf || s.last > DEAF)
		any |= listen_to();
	s.quiet = any ? 0 : s.quiet + 1;
	if (!s.over && (s.quiet > QUIET || s.last > TURNS)) {
		s.over = true;
		stop = s.stops;
		if (!s.stops)
			shutdown(s.fd, SHUT_WR);
	}
	return any;
}

static void
serve(const uint8_t *p, size_t n)
{
	int pair[2];
	struct helper h;

	memset(&s, 0, offsetof(__typeof__(s), ids));
	s.nids = 0;
	s.step = p[0] & 0x20 ? (p[0] & 0x1f) * 4096u + 4096 : (p[0] & 0x1f) * 32u + 1;
	s.deaf = (p[0] & 0x40) != 0;
	s.stops = (p[0] & 0x80) != 0;
	stop = false;
	buf_init(&s.says, SAID_MAX);
	expand(p + 1, n - 1);
	s.step += buf_len(&s.says) / PIECES;
	buf_init(&s.said, 2 * MUX_FRAME_MAX);
	buf_init(&s.got, 2 * MUX_FRAME_MAX);
	world_begin(turn);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	s.fd = pair[0];
	helper_init(&h, pair[1], dup(pair[1]));
	h.stop = &stop;
	helper_serve(&h);
	listen_to();
	helper_release(&h);
	buf_release(&s.says);
	buf_release(&s.said);
	buf_release(&s.got);
	close(s.fd);
	world_end();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n > 0 && n < SAID_MAX / 4)
		jail_run(serve, p, n);
	return 0;
}
