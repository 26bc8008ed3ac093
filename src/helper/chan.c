/*
 * One channel: bytes from the session to a descriptor and from descriptors to
 * the session, each way within its window and ended by itself.  What a
 * descriptor does not take waits here, as much as was granted and no more;
 * what the session has no window for stays in the container.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	GRANT = MUX_WINDOW_START / 4, /* so much is granted again at once */
	KEEP = 16 * 1024,	      /* of a buffer that is empty */
	WASTE_MOST = 4 * 1024 * 1024, /* in one turn */
};

enum { IN, OUT, ERR }; /* slots */

/* ---- frames about it -------------------------------------------------- */

static void
say(struct helper *h, uint32_t id, enum mux_type type)
{
	struct mux_frame f = { .channel = id, .type = type };

	stream_put(h, &f);
}

void
chan_refuse(struct helper *h, uint32_t id, enum mux_why why, const char *text)
{
	struct mux_frame f = { .channel = id, .type = MUX_FAILED };

	f.u.failed.why = why;
	f.u.failed.text = mux_str(text);
	stream_put(h, &f);
}

void
chan_opened(struct helper *h, struct chan *c, uint32_t port, const char *path)
{
	struct mux_frame f = { .channel = c->id, .type = MUX_OPENED };

	f.u.opened.port = port;
	f.u.opened.path = mux_str(path);
	stream_put(h, &f);
	c->state = CHAN_OPEN;
}

/* ---- life ------------------------------------------------------------- */

struct chan *
chan_find(struct helper *h, uint32_t id)
{
	struct chan *c;

	for (c = h->chans; c != NULL && c->id != id;)
		c = c->next;
	return c;
}

struct chan *
chan_new(struct helper *h, uint32_t id, enum chan_kind kind)
{
	struct chan *c;

	if (h->nchans >= CHANS_MAX) {
		chan_refuse(h, id, MUX_WHY_RESOURCES, "too many channels");
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->id = id;
	c->kind = kind;
	c->state = CHAN_OPENING;
	c->in_fd = c->out_fd = c->err_fd = -1;
	c->slots[IN] = c->slots[OUT] = c->slots[ERR] = -1;
	c->in_window = c->out_window = MUX_WINDOW_START;
	buf_init(&c->in, MUX_WINDOW_START);
	buf_init(&c->notes, MUX_NOTE_MAX);
	c->next = h->chans;
	h->chans = c;
	h->nchans++;
	return c;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Everything but the id. */
static void
give_up(struct helper *h, struct chan *c)
{
	close_fd(&c->in_fd);
	close_fd(&c->out_fd);
	close_fd(&c->err_fd);
	buf_release(&c->in);
	buf_release(&c->notes);
	connect_free(c);
	listen_free(c);
	if (c->proc != NULL) {
		c->proc->chan = NULL;
		procs_hang_up(h, c->proc, c->kind == CHAN_EXEC);
		c->proc = NULL;
	}
}

void
chan_free(struct helper *h, struct chan *c)
{
	struct chan **at = &h->chans;

	give_up(h, c);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	h->nchans--;
	free(c);
}

void
chan_failed(struct helper *h, struct chan *c, enum mux_why why, const char *text)
{
	chan_refuse(h, c->id, why, text);
	chan_free(h, c);
}

void
chan_close(struct helper *h, struct chan *c)
{
	say(h, c->id, MUX_CLOSE);
	give_up(h, c);
	c->state = CHAN_CLOSED;
}

/*
 * What nobody wants any more: he who writes it may have to be rid of it before he reads on, and what
 * is unread when a socket is closed reaches him as a reset.
 */
static void
throw_away(int *fd)
{
	static char waste[KEEP];
	size_t most = WASTE_MOST;
	ssize_t n;

	while ((n = read(*fd, waste, sizeof(waste))) > 0 && (size_t)n < most)
		most -= (size_t)n;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(fd);
}

static void
end_now(struct helper *h, struct chan *c)
{
	if (c->state != CHAN_CLOSED)
		say(h, c->id, MUX_CLOSE);
	if (c->kind == CHAN_SOCKET && c->out_fd >= 0)
		throw_away(&c->out_fd);
	chan_free(h, c);
}

void
chan_end(struct helper *h, struct chan *c)
{
	if (c->state == CHAN_OPEN && c->kind == CHAN_FILES) {
		c->state = CHAN_ENDING;
		close_fd(&c->in_fd);
		close_fd(&c->out_fd);
		procs_hang_up(h, c->proc, false);
		return;
	}
	if (c->state == CHAN_OPEN && c->kind == CHAN_SOCKET && buf_len(&c->in) > 0) {
		c->state = CHAN_ENDING;
		c->eof_in = true;
		return;
	}
	end_now(h, c);
}

/* ---- from the session ------------------------------------------------- */

static void
taken(struct helper *h, struct chan *c, size_t n)
{
	struct mux_frame f = { .channel = c->id, .type = MUX_WINDOW };

	c->in_taken += (uint32_t)n;
	if (c->in_taken < GRANT || c->eof_in)
		return;
	c->in_window += c->in_taken;
	f.u.window.more = c->in_taken;
	c->in_taken = 0;
	stream_put(h, &f);
}

/* Whoever read there does so no more: what the session sends is as good as taken. */
static void
go_deaf(struct helper *h, struct chan *c)
{
	size_t n = buf_len(&c->in);

	c->deaf = true;
	close_fd(&c->in_fd);
	buf_release(&c->in);
	taken(h, c, n);
}

/* How much of p the descriptor takes now. */
static size_t
write_some(struct helper *h, struct chan *c, const void *p, size_t n)
{
	ssize_t w = write(c->in_fd, p, n);

	if (w >= 0)
		return (size_t)w;
	if (errno != EAGAIN && errno != EINTR)
		go_deaf(h, c);
	return c->deaf ? n : 0;
}

bool
chan_data(struct helper *h, struct chan *c, struct mux_str bytes)
{
	size_t n = 0;

	if (c->eof_in || bytes.n > c->in_window)
		return false;
	c->in_window -= (uint32_t)bytes.n;
	if (c->deaf || c->in_fd < 0)
		n = bytes.n;
	else if (buf_len(&c->in) == 0)
		n = write_some(h, c, bytes.s, bytes.n);
	/* What waits has never been granted again, so it fits. */
	if (n < bytes.n && buf_add(&c->in, bytes.s + n, bytes.n - n) < 0)
		return false;
	taken(h, c, n);
	return true;
}

bool
chan_window(struct chan *c, uint32_t more)
{
	if (more > MUX_WINDOW_MAX - c->out_window)
		return false;
	c->out_window += more;
	return true;
}

/* All is written after which the session has no more.  A terminal has no end, as it is with sshd. */
static void
end_in(struct chan *c)
{
	if (c->kind == CHAN_SOCKET && c->in_fd >= 0)
		shutdown(c->in_fd, SHUT_WR);
	if (!c->pty)
		close_fd(&c->in_fd);
}

/* A socket that has ended both ways is over. */
static void
socket_over(struct helper *h, struct chan *c)
{
	if (c->kind == CHAN_SOCKET && c->eof_out && c->in_fd < 0)
		chan_close(h, c);
}

void
chan_eof(struct helper *h, struct chan *c)
{
	c->eof_in = true;
	if (buf_len(&c->in) > 0)
		return;
	end_in(c);
	socket_over(h, c);
}

static void
drain_in(struct helper *h, struct chan *c)
{
	size_t n = write_some(h, c, buf_ptr(&c->in), buf_len(&c->in));

	if (!c->deaf) {
		buf_consume(&c->in, n);
		taken(h, c, n);
	}
	if (buf_len(&c->in) > 0)
		return;
	if (c->in.cap > KEEP)
		buf_release(&c->in);
	if (c->eof_in)
		end_in(c);
}

/* ---- to the session --------------------------------------------------- */

static void
end_out(struct helper *h, struct chan *c)
{
	if (!c->eof_out && c->out_fd < 0 && (c->err_fd < 0 || c->kind == CHAN_FILES)) {
		c->eof_out = true;
		say(h, c->id, MUX_EOF);
	}
}

/* Whoever writes there learns it by SIGPIPE.  A terminal's other end is its input, too. */
void
chan_unread(struct helper *h, struct chan *c)
{
	if (c->pty)
		return;
	close_fd(&c->out_fd);
	end_out(h, c);
}

/* Straight into the stream's buffer, behind where the head will be. */
static void
read_data(struct helper *h, struct chan *c, int *fd, enum mux_type type)
{
	struct buf *put = &h->stream.put;
	size_t most = c->out_window < MUX_DATA_MAX ? c->out_window : MUX_DATA_MAX;
	uint8_t *p;
	ssize_t n;

	if (most == 0 || buf_len(put) >= OUT_SOFT)
		return;
	p = buf_reserve(put, MUX_HEAD + most);
	n = read(*fd, p + MUX_HEAD, most);
	if (n > 0) {
		mux_put_head(p, c->id, type, (size_t)n);
		buf_commit(put, MUX_HEAD + (size_t)n);
		c->out_window -= (uint32_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* A terminal ends with EIO, a connection that was reset with an error. */
		if (n < 0 && c->kind == CHAN_SOCKET)
			go_deaf(h, c);
		close_fd(fd);
		end_out(h, c);
	}
}

static void
put_note(struct helper *h, struct chan *c, size_t n)
{
	struct mux_frame f = { .channel = c->id, .type = MUX_NOTE };

	f.u.text.text = (struct mux_str){ (const char *)buf_ptr(&c->notes), n };
	if (n > 0 && memchr(f.u.text.text.s, '\0', n) == NULL)
		stream_put(h, &f);
}

/* Whole lines; one that is too long in pieces, the last one also without its end. */
static void
read_notes(struct helper *h, struct chan *c)
{
	size_t room = buf_room(&c->notes), len;
	const char *end;
	ssize_t n;

	if (buf_len(&h->stream.put) >= OUT_SOFT)
		return;
	n = read(c->err_fd, buf_reserve(&c->notes, room), room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		buf_commit(&c->notes, (size_t)n);
	while ((end = memchr(buf_ptr(&c->notes), '\n', buf_len(&c->notes))) != NULL) {
		len = (size_t)(end - (const char *)buf_ptr(&c->notes));
		put_note(h, c, len);
		buf_consume(&c->notes, len + 1);
	}
	if (n <= 0 || buf_room(&c->notes) == 0) {
		put_note(h, c, buf_len(&c->notes));
		buf_reset(&c->notes);
	}
	if (n <= 0)
		close_fd(&c->err_fd);
}

/* ---- around poll ------------------------------------------------------ */

void
chan_watch(struct helper *h, struct chan *c)
{
	bool room = buf_len(&h->stream.put) < OUT_SOFT;
	bool data = (room && c->out_window > 0) || c->state == CHAN_ENDING;

	c->slots[IN] = c->slots[OUT] = c->slots[ERR] = -1;
	if (c->connecting != NULL)
		connect_watch(h, c);
	else if (c->listener != NULL)
		listen_watch(h, c);
	if (c->state == CHAN_OPENING)
		return;
	if (c->in_fd >= 0 && buf_len(&c->in) > 0)
		c->slots[IN] = helper_watch(h, c->in_fd, POLLOUT);
	if (c->out_fd >= 0 && data)
		c->slots[OUT] = helper_watch(h, c->out_fd, POLLIN);
	if (c->err_fd >= 0 && (c->kind == CHAN_FILES ? room : data))
		c->slots[ERR] = helper_watch(h, c->err_fd, POLLIN);
}

void
chan_ready(struct helper *h, struct chan *c)
{
	if (c->connecting != NULL || c->listener != NULL) {
		if (c->connecting != NULL)
			connect_ready(h, c);
		else
			listen_ready(h, c);
		return;
	}
	if (c->in_fd >= 0 && helper_events(h, c->slots[IN]))
		drain_in(h, c);
	/* A file is told of before its first byte leaves. */
	if (c->kind == CHAN_FILES && c->err_fd >= 0)
		read_notes(h, c);
	if (c->out_fd >= 0 && helper_events(h, c->slots[OUT])) {
		if (c->state == CHAN_ENDING)
			throw_away(&c->out_fd);
		else
			read_data(h, c, &c->out_fd, MUX_DATA);
	}
	if (c->kind != CHAN_FILES && c->err_fd >= 0 && helper_events(h, c->slots[ERR]))
		read_data(h, c, &c->err_fd, MUX_ERRDATA);
	if (c->state == CHAN_OPEN)
		socket_over(h, c);
	else if (c->state == CHAN_ENDING && c->kind == CHAN_SOCKET && c->in_fd < 0)
		end_now(h, c);
}
