/* ADDRESS:PORT, and only of the loopback interface.  The supervisor refuses others; jumpbox-metrics listens. */
#include "jumpbox/loopback.h"

#include "jumpbox/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_MAX = 64 };

static bool
parse_port(const char *s, in_port_t *port)
{
	unsigned long n;
	char *end;

	if (s[0] < '1' || s[0] > '9')
		return false;
	errno = 0;
	n = strtoul(s, &end, 10);
	*port = htons((in_port_t)n);
	return errno == 0 && *end == '\0' && n <= 65535;
}

/* Cuts at the last colon; an IPv6 address loses its brackets. */
static bool
split(const char *text, char address[static ADDRESS_MAX], in_port_t *port, bool *six)
{
	const char *colon = strrchr(text, ':');
	size_t n;

	if (colon == NULL || !parse_port(colon + 1, port))
		return false;
	n = (size_t)(colon - text);
	*six = text[0] == '[';
	if (*six) {
		if (n < 2 || text[n - 1] != ']')
			return false;
		text++;
		n -= 2;
	}
	if (n >= ADDRESS_MAX)
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	return true;
}

int
loopback_parse(const char *text, struct sockaddr_storage *to, socklen_t *len, struct errtext *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char address[ADDRESS_MAX];
	in_port_t port;
	bool six, local;

	if (!split(text, address, &port, &six) ||
	    inet_pton(six ? AF_INET6 : AF_INET, address,
		six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return err_set(
		    e, JB_CONFIG, "'%.64s' is not ADDRESS:PORT, as 127.0.0.1:9026", text);
	in.sin_port = in6.sin6_port = port;
	local = six ? IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr)
		    : ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (!local)
		return err_set(e, JB_CONFIG,
		    "'%.64s' is not of this machine to itself: 127.0.0.1 or [::1]", text);
	if (to != NULL) {
		*len = six ? sizeof in6 : sizeof in;
		memset(to, 0, sizeof *to);
		memcpy(to, six ? (const void *)&in6 : (const void *)&in, *len);
	}
	return 0;
}
