/*
 * SFTP packets as bytes: whole ones out of the input buffer, replies into the
 * output buffer.  jumpbox-helper's SFTP process.
 *
 *	+--------+------+----+----------+
 *	| length | type | id | fields   |   all big-endian
 *	+--------+------+----+----------+
 *
 * As much is read as there is, and what was asked for together is answered
 * together: one read and one write for many small requests.  What is written
 * to a file or read from one is never copied between the buffers and it.
 */
#include "sftp_server.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_LEN = 4, TYPE_AND_ID = 5 };

/* ---- in --------------------------------------------------------------- */

bool
sftp_next(struct sftp *s, struct sftp_bytes *packet)
{
	size_t have = s->in_end - s->in_off, n;

	if (have < HEAD_LEN)
		return false;
	n = load_u32(s->in_buf + s->in_off);
	if (n < TYPE_AND_ID || n > PACKET_MAX)
		s->dead = true;
	if (s->dead || n > have - HEAD_LEN)
		return false;
	*packet = (struct sftp_bytes){ s->in_buf + s->in_off + HEAD_LEN, n };
	s->in_off += HEAD_LEN + n;
	return true;
}

/* The rest of a packet moves to the front only when there is no room for the whole behind it. */
static void
make_room(struct sftp *s)
{
	size_t have = s->in_end - s->in_off, need = HEAD_LEN;

	if (have >= HEAD_LEN)
		need += load_u32(s->in_buf + s->in_off);
	if (have != 0 && need <= sizeof s->in_buf - s->in_off)
		return;
	memmove(s->in_buf, s->in_buf + s->in_off, have);
	s->in_off = 0;
	s->in_end = have;
}

bool
sftp_fill(struct sftp *s)
{
	ssize_t n;

	make_room(s);
	do
		n = read(s->in, s->in_buf + s->in_end, sizeof s->in_buf - s->in_end);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		s->in_end += (size_t)n;
	/* An end in the middle of a packet is none that a client means. */
	else if (n < 0 || s->in_end != s->in_off)
		s->dead = true;
	return n > 0;
}

bool
sftp_get_u32(struct sftp_bytes *p, uint32_t *v)
{
	if (p->n < 4)
		return false;
	*v = load_u32(p->p);
	p->p += 4;
	p->n -= 4;
	return true;
}

bool
sftp_get_u64(struct sftp_bytes *p, uint64_t *v)
{
	uint32_t high, low;

	if (p->n < 8 || !sftp_get_u32(p, &high) || !sftp_get_u32(p, &low))
		return false;
	*v = (uint64_t)high << 32 | low;
	return true;
}

bool
sftp_get_bytes(struct sftp_bytes *p, struct sftp_bytes *v)
{
	uint32_t n;

	if (!sftp_get_u32(p, &n) || n > p->n)
		return false;
	*v = (struct sftp_bytes){ p->p, n };
	p->p += n;
	p->n -= n;
	return true;
}

/* It moves one byte down, over its length, which makes room for its end. */
bool
sftp_get_str(struct sftp_bytes *p, char **v)
{
	struct sftp_bytes b;

	if (!sftp_get_bytes(p, &b) || memchr(b.p, '\0', b.n) != NULL)
		return false;
	*v = memmove(b.p - 1, b.p, b.n);
	(*v)[b.n] = '\0';
	return true;
}

/* ---- out -------------------------------------------------------------- */

void
sftp_flush(struct sftp *s)
{
	size_t done = 0;
	ssize_t n;

	while (done < s->out_len && !s->dead) {
		n = write(s->out, s->out_buf + done, s->out_len - done);
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			s->dead = true;
	}
	s->out_len = 0;
}

size_t
sftp_reply_len(const struct sftp *s)
{
	return s->out_len - s->reply;
}

uint8_t *
sftp_room(struct sftp *s)
{
	return s->out_buf + s->out_len;
}

/* There is always room for a whole packet, and nobody makes a longer one. */
static uint8_t *
put(struct sftp *s, size_t n)
{
	uint8_t *p = sftp_room(s);

	if (n > HEAD_LEN + PACKET_MAX - sftp_reply_len(s))
		abort();
	s->out_len += n;
	return p;
}

void
sftp_reply(struct sftp *s, uint8_t type)
{
	s->reply = s->out_len;
	put(s, HEAD_LEN);
	*put(s, 1) = type;
	sftp_put_u32(s, s->id);
}

void
sftp_put_u32(struct sftp *s, uint32_t v)
{
	store_u32(put(s, 4), v);
}

void
sftp_put_u64(struct sftp *s, uint64_t v)
{
	sftp_put_u32(s, (uint32_t)(v >> 32));
	sftp_put_u32(s, (uint32_t)v);
}

void
sftp_put_bytes(struct sftp *s, const void *p, size_t n)
{
	sftp_put_u32(s, (uint32_t)n);
	if (n > 0)
		memcpy(put(s, n), p, n);
}

void
sftp_put_str(struct sftp *s, const char *str)
{
	sftp_put_bytes(s, str, strlen(str));
}

void
sftp_filled(struct sftp *s, size_t n)
{
	put(s, n);
}

void
sftp_patch_u32(struct sftp *s, size_t at, uint32_t v)
{
	store_u32(s->out_buf + s->reply + at, v);
}

void
sftp_reply_end(struct sftp *s)
{
	sftp_patch_u32(s, 0, (uint32_t)(sftp_reply_len(s) - HEAD_LEN));
}

void
sftp_reply_drop(struct sftp *s)
{
	s->out_len = s->reply;
}

void
sftp_status(struct sftp *s, uint32_t status, const char *text)
{
	sftp_reply(s, FXP_STATUS);
	sftp_put_u32(s, status);
	sftp_put_str(s, text);
	sftp_put_str(s, ""); /* in no language */
	sftp_reply_end(s);
}

int
sftp_name(struct sftp *s, const char *name)
{
	sftp_reply(s, FXP_NAME);
	sftp_put_u32(s, 1);
	sftp_put_str(s, name);
	sftp_put_str(s, name);
	sftp_put_u32(s, 0);
	sftp_reply_end(s);
	return REPLIED;
}
