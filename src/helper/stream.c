/*
 * The two directions of the stream: bytes from the session become frames for
 * dispatch(), frames for the session wait until it takes them.  Neither waits
 * for a channel.  While the session takes nothing, nothing more of it is read:
 * so what its frames are answered with is bounded.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/log.h"

#include <errno.h>
#include <unistd.h>

enum { READ_MAX = 128 * 1024 };

void
stream_init(struct stream *s, int in, int out)
{
	s->in = in;
	s->out = out;
	buf_init(&s->got, MUX_FRAME_MAX);
	buf_init(&s->put, OUT_MAX);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
stream_release(struct stream *s)
{
	close_fd(&s->in);
	close_fd(&s->out);
	buf_release(&s->got);
	buf_release(&s->put);
}

bool
stream_read(struct stream *s)
{
	size_t room = buf_room(&s->got) < READ_MAX ? buf_room(&s->got) : READ_MAX;
	ssize_t n = read(s->in, buf_reserve(&s->got, room), room);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buf_commit(&s->got, (size_t)n);
	return n > 0;
}

bool
stream_parse(struct helper *h)
{
	struct stream *s = &h->stream;
	struct mux_frame f;
	long n;

	while (buf_len(&s->put) < OUT_STOP) {
		n = mux_get(buf_ptr(&s->got), buf_len(&s->got), MUX_SESSION, &f);
		if (n == 0)
			return true;
		if (n < 0 || !dispatch(h, &f))
			return false;
		buf_consume(&s->got, (size_t)n);
	}
	return true;
}

bool
stream_write(struct stream *s)
{
	ssize_t n = write(s->out, buf_ptr(&s->put), buf_len(&s->put));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buf_consume(&s->put, (size_t)n);
	return true;
}

/* OUT_STOP leaves room for more than anything can be answered with. */
void
stream_put(struct helper *h, const struct mux_frame *f)
{
	if (mux_put(&h->stream.put, f) < 0)
		fatal(-70, "no room for a frame of %s", mux_name(f->type));
}
