/*
 * A connection to an engine for one request whose answer does not end with
 * its body: an upgraded stream, logs, figures.  On a plain socket the reply
 * head is peeked at and exactly it is consumed, so that what follows stays in
 * the socket for whoever gets it; TLS is read byte by byte until there.
 * Broker children.
 */
#include "link.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

int
link_open(struct link *l, struct engine *en, struct errtext *e)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	int rc;

	l->en = en;
	l->deadline = now_mono_ms() + en->timeout_ms;
	l->c = engine_handle(en);
	if (!l->c)
		return err_set(e, JB_INTERNAL, "out of memory");
	rc = engine_connect(en, l->c, e);
	if (rc < 0)
		return rc;
	curl_easy_getinfo(l->c, CURLINFO_ACTIVESOCKET, &fd);
	l->fd = fd;
	return fd == CURL_SOCKET_BAD ? error_cut(en, e) : 0;
}

int
link_wait(struct link *l, short events)
{
	struct pollfd p = { .fd = l->fd, .events = events };
	int64_t left;
	int n;

	do {
		left = l->deadline - now_mono_ms();
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : JB_UNAVAILABLE;
}

int
link_send(struct link *l, const char *p, size_t n, struct errtext *e)
{
	CURLcode code;
	size_t sent;

	while (n > 0) {
		code = curl_easy_send(l->c, p, n, &sent);
		if (code == CURLE_OK) {
			p += sent;
			n -= sent;
		} else if (code != CURLE_AGAIN) {
			return engine_failure(l->en, l->c, code, e);
		} else if (link_wait(l, POLLOUT) < 0) {
			return error_timeout(l->en, e);
		}
	}
	return 0;
}

int
link_recv(struct link *l, char *p, size_t size, size_t *n, struct errtext *e)
{
	CURLcode code;

	while ((code = curl_easy_recv(l->c, p, size, n)) == CURLE_AGAIN)
		if (link_wait(l, POLLIN) < 0)
			return error_timeout(l->en, e);
	return code == CURLE_OK ? 0 : engine_failure(l->en, l->c, code, e);
}

/* Some bytes that are there, for http_head_feed; the plain ones stay in the socket. */
static int
head_some(struct link *l, char *p, size_t size, size_t *n, struct errtext *e)
{
	ssize_t got;

	if (l->en->url.tls)
		return link_recv(l, p, 1, n, e);
	do {
		if (link_wait(l, POLLIN) < 0)
			return error_timeout(l->en, e);
		got = recv(l->fd, p, size, MSG_PEEK | MSG_DONTWAIT);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		return error_cut(l->en, e);
	*n = (size_t)got;
	return 0;
}

int
link_head(struct link *l, struct http_head *h, struct errtext *e)
{
	char chunk[4096];
	size_t n;
	long took;
	int rc;

	http_head_init(h);
	while (!h->done) {
		rc = head_some(l, chunk, sizeof(chunk), &n, e);
		if (rc < 0)
			return rc;
		if (n == 0)
			return error_cut(l->en, e);
		took = http_head_feed(h, chunk, n);
		if (took < 0)
			return error_not_json(l->en, e);
		/* Peeked bytes are there: this takes all of them at once. */
		if (!l->en->url.tls && recv(l->fd, chunk, (size_t)took, 0) != took)
			return error_cut(l->en, e);
	}
	return 0;
}

int
link_refused(struct link *l, enum situation about, const struct http_head *h, struct errtext *e)
{
	size_t want = HEAD_MAX, have = 0, n;
	char *body = xcalloc(1, want);
	int rc;

	if (h->content_length >= 0 && (size_t)h->content_length < want)
		want = (size_t)h->content_length;
	if (l->deadline > now_mono_ms() + 1000)
		l->deadline = now_mono_ms() + 1000;
	while (have < want && link_recv(l, body + have, want - have, &n, NULL) == 0 && n > 0)
		have += n;
	rc = error_http(l->en, about, h->status, body, have, e);
	free(body);
	return rc;
}

int
link_close(struct link *l, int rc)
{
	curl_easy_cleanup(l->c);
	l->c = NULL;
	return rc;
}

int
link_take(struct link *l, bool whole, struct exec_stream *s, struct errtext *e)
{
	if (l->en->url.tls) {
		l->en->stream = l->c;
		l->en->stream_tty = whole;
		*s = (struct exec_stream){ .fd = -1, .tls = true };
		return 0;
	}
	*s = (struct exec_stream){ .fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3) };
	return link_close(l, s->fd >= 0 ? 0 : err_set(e, JB_INTERNAL, "too many open files"));
}
