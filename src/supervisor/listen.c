/* The listening sockets.  Supervisor. */
#include "listen.h"

#include "address.h"
#include "jumpbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
listener_check(int fd)
{
	int on = 0;
	socklen_t len = sizeof on;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

static bool
is_bound_to(int fd, const struct sockaddr_storage *want)
{
	struct sockaddr_storage have = { 0 };
	struct address a, b;
	socklen_t len = sizeof have;

	return getsockname(fd, (struct sockaddr *)&have, &len) == 0 &&
	    have.ss_family == want->ss_family && address_of(&have, &a) && address_of(want, &b) &&
	    a.port == b.port && IN6_ARE_ADDR_EQUAL(&a.ip, &b.ip);
}

static int
adopt(const struct listeners *old, const struct sockaddr_storage *want)
{
	unsigned i;

	for (i = 0; old != NULL && i < old->n; i++)
		if (is_bound_to(old->fd[i], want))
			return fcntl(old->fd[i], F_DUPFD_CLOEXEC, 3);
	return -1;
}

/* A fresh listening socket, or -1 and errno. */
static int
make(const struct sockaddr_storage *to, socklen_t len)
{
	int fd, error, on = 1;

	fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    (to->ss_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
	    bind(fd, (const struct sockaddr *)to, len) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
explain(int error, const char *address, unsigned port, struct errtext *e)
{
	if (error == EADDRINUSE)
		return err_set(e, JB_UNAVAILABLE,
		    "port %u of %s is taken: stop what listens there (ss -ltnp sport = :%u), "
		    "or set another port",
		    port, address, port);
	if (error == EACCES)
		return err_set(e, JB_UNAVAILABLE,
		    "port %u of %s may not be used: start as root, or set a port above 1023", port,
		    address);
	if (error == EADDRNOTAVAIL)
		return err_set(e, JB_UNAVAILABLE,
		    "this machine has no address %s: correct listen-address", address);
	return err_set(
	    e, JB_UNAVAILABLE, "cannot listen on %s port %u: %s", address, port, strerror(error));
}

static bool
without_ipv6(int error, const struct sockaddr_storage *to)
{
	const struct sockaddr_in6 *v6 = (const void *)to;

	return to->ss_family == AF_INET6 &&
	    (error == EAFNOSUPPORT ||
		(error == EADDRNOTAVAIL && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)));
}

int
listeners_open(
    const struct config *c, const struct listeners *old, struct listeners *l, struct errtext *e)
{
	struct sockaddr_storage to;
	socklen_t len;
	unsigned i;
	int fd, r;

	l->n = 0;
	for (i = 0; i < c->listen_address.n; i++) {
		len = address_parse(c->listen_address.item[i], c->port, &to);
		if ((fd = adopt(old, &to)) < 0)
			fd = make(&to, len);
		if (fd >= 0) {
			l->fd[l->n++] = fd;
		} else if (without_ipv6(errno, &to)) {
			log_warn("listen.no_ipv6", F_STR("address", c->listen_address.item[i]));
		} else {
			r = explain(errno, c->listen_address.item[i], c->port, e);
			listeners_close(l);
			return r;
		}
	}
	if (l->n == 0)
		return err_set(
		    e, JB_UNAVAILABLE, "this machine has no IPv6: set a listen-address of IPv4");
	return 0;
}

void
listeners_close(struct listeners *l)
{
	while (l->n > 0)
		close(l->fd[--l->n]);
}
