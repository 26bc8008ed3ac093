/*
 * Typed messages over a SOCK_SEQPACKET pair.  Every process.
 *
 * Storage grows with what is put or received, and large storage is given
 * back with the next message: an idle process keeps no 160 KiB.
 */
#include "jumpbox/msg.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MSG_FIRST = 256, MSG_KEEP = 4096 };

/* ---- storage ---------------------------------------------------------- */

static void
free_data(struct msg *m)
{
	wipe(m->data, m->cap);
	free(m->data);
	m->data = NULL;
	m->cap = 0;
}

/* At least `need` bytes of storage, need <= MSG_MAX; what was there is kept, its old place wiped. */
static void
grow(struct msg *m, size_t need)
{
	size_t cap = MSG_FIRST;
	uint8_t *data;

	if (need <= m->cap)
		return;
	while (cap < need)
		cap *= 2;
	if (cap > MSG_MAX)
		cap = MSG_MAX;
	data = xreallocarray(NULL, cap, 1);
	if (m->len > 0)
		memcpy(data, m->data, m->len);
	free_data(m);
	m->data = data;
	m->cap = cap;
}

static void
close_fds(struct msg *m)
{
	while (m->nfds > 0)
		close(m->fds[--m->nfds]);
}

/* Nothing in it, room for n bytes. */
static void
empty(struct msg *m, size_t n)
{
	close_fds(m);
	if (m->cap > MSG_KEEP)
		free_data(m);
	else
		wipe(m->data, m->len);
	m->type = m->id = 0;
	m->len = m->pos = 0;
	m->bad = false;
	grow(m, n < MSG_HEADER ? MSG_HEADER : n);
}

void
msg_init(struct msg *m, uint32_t type, uint32_t id)
{
	memset(m, 0, sizeof *m);
	grow(m, MSG_HEADER);
	m->type = type;
	m->id = id;
	m->len = m->pos = MSG_HEADER;
}

void
msg_release(struct msg *m)
{
	close_fds(m);
	free_data(m);
	memset(m, 0, sizeof *m);
}

/* ---- writing ---------------------------------------------------------- */

/* Where the next n bytes go, or NULL and bad. */
static uint8_t *
put(struct msg *m, size_t n)
{
	uint8_t *p;

	if (m->bad || n > MSG_MAX - m->len) {
		m->bad = true;
		return NULL;
	}
	grow(m, m->len + n);
	p = m->data + m->len;
	m->len += n;
	return p;
}

void
msg_put_u32(struct msg *m, uint32_t v)
{
	uint8_t *p = put(m, 4);

	if (p != NULL)
		store_u32(p, v);
}

void
msg_put_u64(struct msg *m, uint64_t v)
{
	uint8_t *p = put(m, 8);

	if (p != NULL) {
		store_u32(p, (uint32_t)(v >> 32));
		store_u32(p + 4, (uint32_t)v);
	}
}

void
msg_put_bytes(struct msg *m, const void *src, size_t n)
{
	uint8_t *p = n > MSG_MAX ? NULL : put(m, 4 + n);

	if (p == NULL) {
		m->bad = true;
		return;
	}
	store_u32(p, (uint32_t)n);
	if (n > 0)
		memcpy(p + 4, src, n);
}

void
msg_put_str(struct msg *m, const char *s)
{
	msg_put_bytes(m, s, strlen(s));
}

void
msg_put_fd(struct msg *m, int fd)
{
	if (fd >= 0 && m->nfds < MSG_MAX_FDS) {
		m->fds[m->nfds++] = fd;
		return;
	}
	m->bad = true;
	if (fd >= 0)
		close(fd);
}

/* ---- reading ---------------------------------------------------------- */

static const uint8_t *
get(struct msg *m, size_t n)
{
	const uint8_t *p;

	if (m->bad || n > m->len - m->pos) {
		m->bad = true;
		return NULL;
	}
	p = m->data + m->pos;
	m->pos += n;
	return p;
}

uint32_t
msg_get_u32(struct msg *m)
{
	const uint8_t *p = get(m, 4);

	return p == NULL ? 0 : load_u32(p);
}

uint64_t
msg_get_u64(struct msg *m)
{
	const uint8_t *p = get(m, 8);

	return p == NULL ? 0 : (uint64_t)load_u32(p) << 32 | load_u32(p + 4);
}

const uint8_t *
msg_get_bytes(struct msg *m, size_t *n, size_t max)
{
	uint32_t len = msg_get_u32(m);
	const uint8_t *p;

	*n = 0;
	if (len > max)
		m->bad = true;
	p = get(m, len);
	if (p != NULL)
		*n = len;
	return p;
}

/* The bytes of a string: no NUL among them. */
static const uint8_t *
get_text(struct msg *m, size_t *n, size_t max)
{
	const uint8_t *p = msg_get_bytes(m, n, max);

	if (p != NULL && memchr(p, '\0', *n) != NULL) {
		m->bad = true;
		p = NULL;
	}
	return p;
}

void
msg_get_str(struct msg *m, char *dst, size_t size)
{
	size_t n;
	const uint8_t *p = get_text(m, &n, size - 1);

	if (p != NULL)
		memcpy(dst, p, n);
	dst[p == NULL ? 0 : n] = '\0';
}

char *
msg_dup_str(struct msg *m, size_t max)
{
	size_t n;
	const uint8_t *p = get_text(m, &n, max);
	char *s;

	if (p == NULL)
		return NULL;
	s = xcalloc(n + 1, 1);
	memcpy(s, p, n);
	return s;
}

int
msg_take_fd(struct msg *m)
{
	int fd;
	unsigned i;

	if (m->bad || m->nfds == 0) {
		m->bad = true;
		return -1;
	}
	fd = m->fds[0];
	m->nfds--;
	for (i = 0; i < m->nfds; i++)
		m->fds[i] = m->fds[i + 1];
	return fd;
}

bool
msg_end(const struct msg *m)
{
	return !m->bad && m->pos == m->len && m->nfds == 0;
}

/* ---- the socket ------------------------------------------------------- */

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)];
};

int
msg_send(int sock, struct msg *m)
{
	union control control = { 0 };
	struct iovec iov = { m->data, m->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (m->bad)
		return JB_INTERNAL;
	store_u32(m->data, m->type);
	store_u32(m->data + 4, m->id);
	if (m->nfds > 0) {
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * m->nfds);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * m->nfds);
		memcpy(CMSG_DATA(c), m->fds, sizeof(int) * m->nfds);
	}
	do
		n = sendmsg(sock, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		close_fds(m);
		return 0;
	}
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS)
		return JB_TRY_AGAIN;
	return errno == EMSGSIZE || errno == EBADF ? JB_INTERNAL : JB_UNAVAILABLE;
}

/* Keeps what fits and closes the rest: false if there was a rest. */
static bool
keep_fds(struct msg *m, struct msghdr *h)
{
	struct cmsghdr *c;
	bool all = true;
	size_t i, n;
	int fd;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof fd;
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (m->nfds < MSG_MAX_FDS) {
				m->fds[m->nfds++] = fd;
			} else {
				close(fd);
				all = false;
			}
		}
	}
	return all;
}

static int
parse_head(struct msg *m, size_t n)
{
	if (n < MSG_HEADER) {
		m->bad = true;
		return JB_BAD_INPUT;
	}
	m->len = n;
	m->pos = MSG_HEADER;
	m->type = load_u32(m->data);
	m->id = load_u32(m->data + 4);
	return 0;
}

static int
recv_error(int error)
{
	return error == EAGAIN ? JB_TRY_AGAIN : JB_UNAVAILABLE;
}

/* A peer that closed with something unread is told as a reset, once, before what it has sent. */
static ssize_t
next_size(int sock)
{
	ssize_t n;

	do
		n = recv(sock, NULL, 0, MSG_PEEK | MSG_TRUNC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	return n;
}

/*
 * The size is asked for first, so that small messages need small storage.
 * The kernel looks for messages before it looks for the end: a last one that
 * came in between is hidden by that end, but not from another look.
 */
int
msg_recv(int sock, struct msg *m)
{
	union control control;
	struct iovec iov;
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	bool whole;

	if ((n = next_size(sock)) == 0)
		n = next_size(sock);
	if (n < 0)
		return recv_error(errno);
	empty(m, n > MSG_MAX ? 0 : (size_t)n);
	iov = (struct iovec){ m->data, m->cap };
	h.msg_control = control.bytes;
	h.msg_controllen = sizeof control.bytes;
	do
		n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return recv_error(errno);
	m->len = (size_t)n;
	whole = keep_fds(m, &h) && (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
	if (n == 0 || !whole) {
		m->bad = true;
		close_fds(m);
		return n == 0 ? JB_UNAVAILABLE : JB_BAD_INPUT;
	}
	return parse_head(m, (size_t)n);
}

int
msg_load(struct msg *m, const void *p, size_t n)
{
	empty(m, n > MSG_MAX ? 0 : n);
	if (n > MSG_MAX) {
		m->bad = true;
		return JB_BAD_INPUT;
	}
	if (n > 0)
		memcpy(m->data, p, n);
	m->len = n;
	return parse_head(m, n);
}
