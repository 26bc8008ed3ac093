/* Socket addresses as numbers.  Pure.  Supervisor. */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

bool
address_of(const struct sockaddr_storage *from, struct address *a)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	memset(a, 0, sizeof *a);
	if (from->ss_family == AF_INET) {
		a->ip.s6_addr[10] = a->ip.s6_addr[11] = 0xff;
		memcpy(a->ip.s6_addr + 12, &v4->sin_addr, 4);
		a->port = ntohs(v4->sin_port);
	} else if (from->ss_family == AF_INET6) {
		a->ip = v6->sin6_addr;
		a->port = ntohs(v6->sin6_port);
	} else {
		return false;
	}
	if (IN6_IS_ADDR_V4MAPPED(&a->ip))
		inet_ntop(AF_INET, a->ip.s6_addr + 12, a->text, sizeof a->text);
	else
		inet_ntop(AF_INET6, &a->ip, a->text, sizeof a->text);
	return true;
}

socklen_t
address_parse(const char *text, unsigned port, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (void *)to;
	struct sockaddr_in6 *v6 = (void *)to;

	memset(to, 0, sizeof *to);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((in_port_t)port);
		return sizeof *v4;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((in_port_t)port);
		return sizeof *v6;
	}
	return 0;
}
