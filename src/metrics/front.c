/*
 * HTTP for the machine itself.  jumpbox-metrics, in the process in the jail:
 * whoever takes it over by what he sends has the two pages, and nothing else.
 *
 * One thread and one request at a time: the reader is not to be overrun.
 */
#include "page.h"

#include "jumpbox/log.h"
#include "jumpbox/msg.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECTIONS = 16, IDLE_S = 10, MEMORY = 8192, READER_MS = 15000 };

static const struct {
	const char *path, *type;
	enum page page;
} pages[] = {
	{ "/healthz", "text/plain; charset=utf-8", PAGE_HEALTH },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", PAGE_METRICS },
};

/* The body's descriptor and the status. */
static int
ask_reader(int reader, enum page page, unsigned *status)
{
	struct pollfd p = { reader, POLLIN, 0 };
	struct msg m;
	int fd = -1;

	msg_init(&m, PAGE_ASK, 0);
	msg_put_u32(&m, page);
	if (msg_send(reader, &m) == 0 && poll(&p, 1, READER_MS) == 1 && msg_recv(reader, &m) == 0 &&
	    m.type == PAGE_GIVE) {
		*status = msg_get_u32(&m);
		fd = msg_take_fd(&m);
	}
	msg_release(&m);
	if (fd < 0) /* gone, or out of step: both are started afresh */
		_exit(-JB_UNAVAILABLE);
	return fd;
}

static enum MHD_Result
send_page(struct MHD_Connection *c, int reader, size_t i)
{
	struct MHD_Response *r;
	enum MHD_Result queued;
	unsigned status = 0;
	int fd = ask_reader(reader, pages[i].page, &status);
	struct stat st;

	if (fstat(fd, &st) < 0 ||
	    (r = MHD_create_response_from_fd64((uint64_t)st.st_size, fd)) == NULL) {
		close(fd);
		return MHD_NO;
	}
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, pages[i].type);
	queued = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result
send_text(struct MHD_Connection *c, unsigned status, const char *text)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	queued = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return queued;
}

/* Called with the head, then with each piece of a body, which nobody wants, and at its end. */
static enum MHD_Result
request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *upload, size_t *size, void **state)
{
	static int begun;

	(void)version;
	(void)upload;
	if (*state == NULL || *size != 0) {
		*state = &begun;
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(url, pages[i].path) == 0)
			return send_page(c, *(const int *)cls, i);
	return send_text(c, MHD_HTTP_NOT_FOUND, "/healthz and /metrics are here\n");
}

void
front_serve(int listener, int reader)
{
	/* clang-format off */
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, request, &reader,
	    MHD_OPTION_LISTEN_SOCKET, listener,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
	    MHD_OPTION_END);
	/* clang-format on */
	struct pollfd p[2] = { { .events = POLLIN }, { reader, POLLIN, 0 } };
	unsigned long long ms;

	if (d == NULL)
		fatal(JB_INTERNAL, "libmicrohttpd does not start");
	p[0].fd = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	while (p[1].revents == 0) { /* the reader says nothing unasked */
		int wait = MHD_get_timeout(d, &ms) == MHD_YES ? (int)ms : -1;

		if (poll(p, 2, wait) < 0 && errno != EINTR)
			fatal(JB_INTERNAL, "poll: %s", strerror(errno));
		MHD_run(d);
	}
	MHD_stop_daemon(d);
}
