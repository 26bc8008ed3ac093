/*
 * Copies between the TLS stream of an exec and a socket, both ways at once,
 * until both directions have ended.  A half-close is kept, but for a
 * terminal: dockerd drops all later output of a terminal whose input was
 * closed.  Runs in the broker's child that stays as this stream's relay.
 *
 *	session == sock == relay == TLS == engine
 *	             up: sock to engine      down: engine to sock
 */
#include "engine.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct relay {
	CURL *c;
	int fd, sock;
	bool tty;
	struct buf up, down;
	bool up_eof, down_eof;	 /* nothing more will be read */
	bool up_shut, down_shut; /* the end was passed on */
	bool sock_gone;		 /* nobody reads any more */
	bool stuck;		 /* see write_engine */
};

enum { READ_MAX = 64 << 10 };

static bool
has_room(const struct buf *b)
{
	return buf_len(b) < RELAY_BUFFER;
}

/* Storage is twice what is kept, so that bytes are seldom moved to its front. */
static uint8_t *
room(struct buf *b)
{
	return has_room(b) ? buf_reserve(b, READ_MAX) : NULL;
}

static void
read_sock(struct relay *r)
{
	uint8_t *p;
	ssize_t n;

	if (r->up_eof || r->stuck || !(p = room(&r->up)))
		return;
	n = recv(r->sock, p, READ_MAX, MSG_DONTWAIT);
	if (n > 0)
		buf_commit(&r->up, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		r->up_eof = true;
}

/*
 * The end as TLS says it, which docker's own client sends too.  That of TCP
 * alone means to a proxy that the stream was cut: it drops the output.
 * False: it is still to be sent.
 */
static bool
end_input(struct relay *r)
{
	struct curl_tlssessioninfo *tls = NULL;
	int n;

	if (curl_easy_getinfo(r->c, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || tls == NULL ||
	    tls->backend != CURLSSLBACKEND_OPENSSL || tls->internals == NULL) {
		shutdown(r->fd, SHUT_WR);
		return true;
	}
	ERR_clear_error();
	n = SSL_shutdown(tls->internals);
	return n >= 0 || SSL_get_error(tls->internals, n) != SSL_ERROR_WANT_WRITE;
}

/* What is typed is a secret now and then, and a helper is told its commands here. */
static void
sent(struct buf *b, size_t n)
{
	wipe(b->data + b->off, n);
	buf_consume(b, n);
}

/*
 * A TLS write that could not be finished must be repeated with the very same
 * bytes at the very same place.  So nothing is added to them meanwhile.
 */
static void
write_engine(struct relay *r)
{
	CURLcode code = CURLE_OK;
	size_t n;

	if (r->down_eof) /* nobody is left to take it */
		buf_reset(&r->up);
	while (buf_len(&r->up) > 0 && code == CURLE_OK) {
		code = curl_easy_send(r->c, buf_ptr(&r->up), buf_len(&r->up), &n);
		if (code == CURLE_OK)
			sent(&r->up, n);
		else if (code != CURLE_AGAIN)
			buf_reset(&r->up); /* read_engine will see the end */
	}
	if (r->up_eof && buf_len(&r->up) == 0 && !r->up_shut)
		r->up_shut = r->tty || r->down_eof || end_input(r);
	r->stuck = buf_len(&r->up) > 0 || (r->up_eof && !r->up_shut);
}

static void
read_engine(struct relay *r)
{
	CURLcode code = CURLE_OK;
	size_t n;
	uint8_t *p;

	while (!r->down_eof && code == CURLE_OK && (p = room(&r->down)) != NULL) {
		code = curl_easy_recv(r->c, p, READ_MAX, &n);
		if (code == CURLE_OK && n > 0)
			buf_commit(&r->down, n);
		else if (code != CURLE_AGAIN)
			r->down_eof = true;
	}
}

static void
write_sock(struct relay *r)
{
	ssize_t n;

	while (buf_len(&r->down) > 0 && !r->sock_gone) {
		n = send(
		    r->sock, buf_ptr(&r->down), buf_len(&r->down), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			buf_consume(&r->down, (size_t)n);
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			r->sock_gone = true;
	}
	if (r->down_eof && buf_len(&r->down) == 0 && !r->down_shut) {
		shutdown(r->sock, SHUT_WR);
		r->down_shut = true;
	}
}

static bool
finished(const struct relay *r)
{
	if (r->sock_gone) /* what was typed last still has to arrive */
		return r->down_eof || r->up_shut;
	return r->down_shut && r->up_eof;
}

/* A descriptor that nothing is wanted of is left out: its hang-up would wake us for ever. */
static int
wait_for_more(struct relay *r)
{
	struct pollfd p[2] = { { .fd = r->sock }, { .fd = r->fd } };

	if (!r->up_eof && !r->stuck)
		p[0].events |= POLLIN;
	if (buf_len(&r->down) > 0)
		p[0].events |= POLLOUT;
	if (!r->down_eof && has_room(&r->down))
		p[1].events |= POLLIN;
	if (!r->down_eof && r->stuck)
		p[1].events |= POLLOUT;
	if (p[1].events == 0)
		p[1].fd = -1;
	if (r->sock_gone || (p[0].events == 0 && r->stuck))
		p[0].fd = -1;
	if (poll(p, 2, -1) < 0 && errno != EINTR)
		return JB_INTERNAL;
	/* Hung up, not merely half-closed: read_sock takes what is left of it first. */
	if ((p[0].revents & (POLLHUP | POLLERR)) && r->up_eof)
		r->sock_gone = true;
	return 0;
}

int
engine_stream_relay(struct engine *en, int sock)
{
	struct relay r = { .c = en->stream, .sock = sock, .tty = en->stream_tty };
	curl_socket_t fd = CURL_SOCKET_BAD;
	int rc = 0;

	if (!r.c)
		return JB_INTERNAL;
	curl_easy_cleanup(en->easy); /* there are no more calls */
	en->easy = NULL;
	curl_easy_getinfo(r.c, CURLINFO_ACTIVESOCKET, &fd);
	r.fd = fd;
	buf_init(&r.up, 2 * RELAY_BUFFER);
	buf_init(&r.down, 2 * RELAY_BUFFER);
	buf_add(&r.down, buf_ptr(&en->early), buf_len(&en->early));
	buf_reset(&en->early);
	while (rc == 0) {
		read_sock(&r);
		write_engine(&r);
		read_engine(&r);
		write_sock(&r);
		if (finished(&r))
			break;
		rc = wait_for_more(&r);
	}
	buf_release(&r.up);
	buf_release(&r.down);
	return rc;
}
