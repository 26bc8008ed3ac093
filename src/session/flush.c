/*
 * Bytes on their way to the client: our own words, then the stream's, as far
 * as the client's window and socket take them.  jumpbox-session.
 */
#include "conn.h"

#include <string.h>

enum { WRITE_MOST = 32768 - 10 }; /* what libssh puts into one packet of the usual size */

/* Writes up to n bytes: how many went, 0 while the client takes none, -1 if the channel is broken. */
static long
write_some(struct channel *ch, const void *p, size_t n, bool err)
{
	size_t window = ssh_channel_window_size(ch->ssh);
	int r;

	if (n > window)
		n = window;
	if (n > WRITE_MOST)
		n = WRITE_MOST;
	if (n == 0 || ssh_get_status(ch->conn->ssh) & SSH_WRITE_PENDING)
		return 0;
	r = err ? ssh_channel_write_stderr(ch->ssh, p, (uint32_t)n)
		: ssh_channel_write(ch->ssh, p, (uint32_t)n);
	return r < 0 ? -1 : r;
}

static bool
flush_say(struct channel *ch)
{
	bool any = false;
	size_t n;
	long r;

	while ((n = buf_len(&ch->say)) > 0) {
		if (!ch->tty && ch->say_out > 0)
			n = ch->say_out;
		r = write_some(ch, buf_ptr(&ch->say), n, !ch->tty && ch->say_out == 0);
		if (r <= 0) {
			ch->closed |= r < 0;
			return any;
		}
		buf_consume(&ch->say, (size_t)r);
		if (ch->say_out > 0)
			ch->say_out -= (size_t)r;
		any = true;
	}
	return any;
}

/* Makes ch->slice the payload at the front of raw; false: there is none. */
static bool
next_slice(struct channel *ch)
{
	const uint8_t *slice;
	size_t n = 0;
	long taken;

	while (ch->slice == 0 && buf_len(&ch->raw) > 0) {
		if (ch->tty || ch->carried) {
			ch->slice = buf_len(&ch->raw);
			ch->slice_kind = 1;
			break;
		}
		taken = demux_next(
		    &ch->demux, buf_ptr(&ch->raw), buf_len(&ch->raw), &slice, &n, &ch->slice_kind);
		if (taken < 0) {
			relay_broken(ch);
			return false;
		}
		buf_consume(&ch->raw, (size_t)taken - n);
		ch->slice = n;
	}
	return ch->slice > 0;
}

/*
 * A packet costs its own cipher run, poll and send here, and as much at the
 * client.  An engine's frames are as large as what it happened to read, so
 * what has come of the same stream fills one packet.
 */
static void
fill_packet(struct channel *ch)
{
	uint8_t *raw = ch->raw.data + ch->raw.off;

	if (ch->tty || ch->carried || ch->slice >= WRITE_MOST)
		return;
	buf_consume(&ch->raw,
	    demux_join(&ch->demux, raw, buf_len(&ch->raw), ch->slice_kind, WRITE_MOST, &ch->slice));
}

bool
chan_flush(struct channel *ch, int64_t now)
{
	bool any = flush_say(ch);
	long r;

	while (buf_len(&ch->say) == 0 && next_slice(ch)) {
		fill_packet(ch);
		r = write_some(ch, buf_ptr(&ch->raw), ch->slice, ch->slice_kind == 2);
		if (r <= 0) {
			ch->closed |= r < 0;
			break;
		}
		buf_consume(&ch->raw, (size_t)r);
		ch->slice -= (size_t)r;
		ch->bytes_out += (uint64_t)r;
		any = true;
	}
	any |= flush_say(ch); /* what there was to say about that */
	if (any || (buf_len(&ch->raw) == 0 && !(ssh_get_status(ch->conn->ssh) & SSH_WRITE_PENDING)))
		ch->blocked = 0;
	else if (ch->blocked == 0)
		ch->blocked = now;
	return any;
}
