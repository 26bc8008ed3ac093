/*
 * The stream of an exec.  Broker children only.
 *
 * The upgrade goes over a connection of its own.  On a plain socket the reply
 * head is peeked at and exactly it is consumed, so that the first bytes of
 * the process stay in the socket for whoever gets it.  TLS state cannot be
 * passed on: there the head is read byte by byte and relay.c does the rest.
 *
 * An engine answers 101 before the process exists and writes its own error
 * text on the stream when there is no such program.  So nothing is handed
 * over until the process runs.  A resize call waits for just that, on every
 * Docker, and gives the terminal its first size in the same moment; the
 * command line put into the container (shell_argv.c) waits for the size.  If
 * it was not answered in time, or badly, it is repeated once the process runs.
 */
#include "jumpbox/util.h"
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
upgrade(struct link *l, const struct exec_spec *spec, const char *exec_id, struct errtext *e)
{
	char *body = json_start_body(spec);
	char *request = xasprintf("POST /exec/%s/start HTTP/1.1\r\n"
				  "Host: %s\r\n"
				  "Connection: Upgrade\r\n"
				  "Upgrade: tcp\r\n"
				  "Content-Type: application/json\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
	    exec_id, l->en->url.path[0] ? "localhost" : l->en->url.host, strlen(body), body);
	struct http_head head;
	int rc;

	rc = link_send(l, request, strlen(request), e);
	if (rc == 0)
		rc = link_head(l, &head, e);
	if (rc == 0 && head.status != 101)
		rc = link_refused(l, ABOUT_EXEC, &head, e);
	free(request);
	free(body);
	return rc;
}

/* ---- until it runs --------------------------------------------------------- */

/* Neither running nor ended: the engine has not got to it yet. */
static bool
not_yet(const struct exec_status *st)
{
	return st->pid == 0 && (st->running || st->exit_code < 0);
}

/* True: the terminal has its size. */
static bool
resize(struct link *l, const struct exec_spec *spec, const char *exec_id)
{
	enum { RESIZE_MS = 2000 };
	int64_t until = l->en->until;
	long status = 0;

	l->en->until = now_mono_ms() + RESIZE_MS;
	exec_resize_once(l->en, exec_id, spec->cols, spec->rows, &status, NULL);
	l->en->until = until;
	return status == 200 || status == 201;
}

/*
 * Docker answers a resize as soon as the process exists or has failed to:
 * waiting for that needs no polling.  But a user who does not exist is told on
 * the stream alone, at once, and resize then waits ten seconds in vain.  So
 * nothing is resized once the stream has something to say before any process
 * can, and the wait is cut short; the inspect that follows decides.
 */
static bool
resize_when_started(struct link *l, const struct exec_spec *spec, const char *exec_id)
{
	enum { TOO_EARLY_MS = 5 };
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return poll(&p, 1, TOO_EARLY_MS) == 0 && resize(l, spec, exec_id);
}

static int
wait_started(struct link *l, const struct engine_info *info, const struct exec_spec *spec,
    const char *exec_id, struct exec_status *st, struct errtext *e)
{
	bool sized = (info && info->podman) || resize_when_started(l, spec, exec_id);
	int rc, delay = 1;

	while ((rc = engine_exec_inspect(l->en, exec_id, st, e)) == 0 && not_yet(st)) {
		if (now_mono_ms() >= l->deadline)
			return error_timeout(l->en, e);
		poll(NULL, 0, delay);
		delay = delay < 16 ? delay * 2 : 20;
	}
	if (rc == 0 && st->running && spec->tty && !sized)
		resize(l, spec, exec_id);
	return rc;
}

/* What is on the stream of a process that has ended, without taking it. */
static void
peek_text(struct link *l, char *text, size_t size)
{
	struct engine *en = l->en;
	size_t n = 0;
	ssize_t got;
	uint8_t *p;

	l->deadline = now_mono_ms() + 500;
	if (!en->url.tls) {
		link_wait(l, POLLRDHUP);
		got = recv(l->fd, text, size - 1, MSG_PEEK | MSG_DONTWAIT);
		n = got > 0 ? (size_t)got : 0;
	} else {
		while ((p = buf_reserve(&en->early, 1)) != NULL &&
		    link_recv(l, (char *)p, 1, &n, NULL) == 0 && n > 0)
			buf_commit(&en->early, n);
		n = buf_len(&en->early) < size ? buf_len(&en->early) : size - 1;
		memcpy(text, buf_ptr(&en->early), n);
	}
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	text[n] = '\0';
}

/*
 * Docker remembers the Pid of what has ended: none means that it never ran.
 * Podman forgets it, so there only its own words on the stream tell.
 */
static int
check_started(struct link *l, const struct engine_info *info, const struct exec_spec *spec,
    const struct exec_status *st, bool *no_program, struct errtext *e)
{
	char text[ERROR_TEXT_MAX];

	if (st->pid != 0 || st->running || st->exit_code < 125 || st->exit_code > 127)
		return 0;
	peek_text(l, text, sizeof(text));
	if ((!info || info->podman) && !error_is_podmans(text, spec->tty))
		return 0;
	return error_not_started(spec, text, no_program, e);
}

int
engine_exec_start(struct engine *en, const struct engine_info *info, const struct exec_spec *spec,
    const char *exec_id, struct exec_stream *s, bool *no_program, struct errtext *e)
{
	struct link l = { .fd = -1 };
	struct exec_status st;
	int rc;

	*no_program = false;
	if (!engine_id_ok(exec_id))
		return err_set(e, JB_BAD_INPUT, "there is no such process");
	if (en->bad)
		return err_words(e, en->bad, W_NODE_ADDRESS, en->name, NULL, NULL);
	if (en->stream)
		return err_set(e, JB_INTERNAL, "this engine carries a stream already");
	buf_reset(&en->early); /* of one that was not started */
	rc = link_open(&l, en, e);
	if (rc == 0)
		rc = upgrade(&l, spec, exec_id, e);
	if (rc == 0)
		rc = wait_started(&l, info, spec, exec_id, &st, e);
	if (rc == 0)
		rc = check_started(&l, info, spec, &st, no_program, e);
	return rc == 0 ? link_take(&l, spec->tty, s, e) : link_close(&l, rc);
}

/* Some more of a stream; 0 at its end and after the deadline. */
size_t
exec_stream_some(struct link *l, bool tls, char *p, size_t size)
{
	size_t n = 0;
	ssize_t got;

	if (tls)
		return link_recv(l, p, size, &n, NULL) == 0 ? n : 0;
	if (link_wait(l, POLLIN) < 0)
		return 0;
	got = recv(l->fd, p, size, MSG_DONTWAIT);
	return got > 0 ? (size_t)got : 0;
}

void
exec_stream_finish(struct engine *en, struct exec_stream *s, int64_t deadline, const char *word,
    char *text, size_t size)
{
	struct link l = { .en = en, .c = en->stream, .fd = s->fd, .deadline = deadline };
	curl_socket_t fd = CURL_SOCKET_BAD;
	size_t have = 0, n;

	if (s->tls && curl_easy_getinfo(en->stream, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK)
		l.fd = fd;
	text[0] = '\0';
	while (have + 1 < size && !strstr(text, word) &&
	    (n = exec_stream_some(&l, s->tls, text + have, size - 1 - have)) > 0) {
		have += n;
		text[have] = '\0';
		for (size_t i = have - n; i < have; i++)
			if (text[i] == '\0')
				text[i] = ' ';
	}
	if (s->tls) {
		curl_easy_cleanup(en->stream);
		en->stream = NULL;
	} else {
		close(s->fd);
	}
}
