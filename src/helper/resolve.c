/*
 * Names and addresses.  A name is looked up in a process of its own: the
 * resolver waits for servers that may be dead, and nothing else may.  So is
 * the path of a socket, which may be in a file system of such a server.
 * jumpbox-helper.
 */
#include "helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { RESOLVE_S = 20 };

static bool
add(struct answer *a, const void *sa, socklen_t len)
{
	if (a->n == ADDRS_MAX || len > sizeof(a->addr[0].sa))
		return false;
	a->addr[a->n].len = len;
	memcpy(&a->addr[a->n++].sa, sa, len);
	return true;
}

static bool
add_number(struct answer *a, const char *host, uint32_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
		return add(a, &in, sizeof(in));
	if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1)
		return add(a, &in6, sizeof(in6));
	return false;
}

bool
resolve_at_once(const char *host, uint32_t port, struct answer *a)
{
	memset(a, 0, sizeof(*a));
	if (strcasecmp(host, "localhost") == 0)
		return add_number(a, "127.0.0.1", port) && add_number(a, "::1", port);
	return add_number(a, host, port);
}

static void
look_up(const char *host, uint32_t port, struct answer *a)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *at;
	char number[12];
	int r;

	snprintf(number, sizeof(number), "%u", (unsigned)port);
	r = getaddrinfo(host, number, &hints, &list);
	if (r != 0) {
		a->why = r == EAI_AGAIN ? MUX_WHY_TIMED_OUT : MUX_WHY_NO_NAME;
		return;
	}
	for (at = list; at != NULL; at = at->ai_next)
		add(a, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(list);
}

static void
find_out(const struct question *q, struct answer *a)
{
	if (q->host != NULL)
		look_up(q->host, q->port, a);
	else if (connect(q->socket, (const struct sockaddr *)&q->to->sa, q->to->len) < 0)
		a->error = errno;
}

int
resolve_start(const struct question *q, pid_t *pid, int *fd)
{
	struct question own = *q;
	struct answer a = { .n = 0 };
	int pair[2], kept = 1, r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	if ((*pid = fork()) < 0) {
		r = -errno;
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (*pid == 0) {
		/* Nothing that is closed here may be kept open there. */
		spawn_signals();
		dup2(pair[1], 0);
		if (q->host == NULL)
			own.socket = dup2(q->socket, kept++);
		spawn_close_from(kept);
		alarm(RESOLVE_S);
		find_out(&own, &a);
		_exit(write(0, &a, sizeof(a)) != sizeof(a));
	}
	close(pair[1]);
	*fd = pair[0];
	return 0;
}

/* The address itself: an IPv4 address may be written as an IPv6 one. */
static size_t
address_bytes(const struct sockaddr *sa, const uint8_t **p)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_INET) {
		*p = (const uint8_t *)&in->sin_addr;
		return 4;
	}
	if (sa->sa_family != AF_INET6)
		return 0;
	*p = in6->sin6_addr.s6_addr;
	if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return 16;
	*p += 12;
	return 4;
}

bool
address_own(const struct address *a)
{
	static const uint8_t zero[16], one[16] = { [15] = 1 };
	const uint8_t *mine, *its;
	size_t n = address_bytes((const struct sockaddr *)&a->sa, &its);
	struct ifaddrs *list, *at;
	bool own;

	/* "Any address" reaches this one. */
	own = (n == 4 && its[0] == 127) || (n == 16 && memcmp(its, one, n) == 0) ||
	    (n > 0 && memcmp(its, zero, n) == 0);
	if (own || n == 0 || getifaddrs(&list) < 0)
		return own;
	for (at = list; at != NULL && !own; at = at->ifa_next)
		own = at->ifa_addr != NULL && address_bytes(at->ifa_addr, &mine) == n &&
		    memcmp(mine, its, n) == 0;
	freeifaddrs(list);
	return own;
}

void
address_text(const struct address *a, char text[static 64], uint32_t *port)
{
	const struct sockaddr_in *in = (const void *)&a->sa;
	const struct sockaddr_in6 *in6 = (const void *)&a->sa;
	const uint8_t *p;
	size_t n = address_bytes((const struct sockaddr *)&a->sa, &p);

	text[0] = '\0';
	*port = 0;
	if (n == 0)
		return;
	inet_ntop(n == 4 ? AF_INET : AF_INET6, p, text, 64);
	*port = ntohs(a->sa.ss_family == AF_INET ? in->sin_port : in6->sin6_port);
}
