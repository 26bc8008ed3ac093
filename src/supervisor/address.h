/* Socket addresses as numbers.  Supervisor only. */
#ifndef SUPERVISOR_ADDRESS_H
#define SUPERVISOR_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

/* An IPv4 address is held mapped into IPv6. */
struct address {
	struct in6_addr ip;
	unsigned port;
	char text[INET6_ADDRSTRLEN]; /* ::ffff:192.0.2.1 is shown as 192.0.2.1 */
};

/* false if it is neither an IPv4 nor an IPv6 address. */
bool address_of(const struct sockaddr_storage *from, struct address *a);

/* The other way round, for the text of an address; returns the length, 0 if it is none. */
socklen_t address_parse(const char *text, unsigned port, struct sockaddr_storage *to);

#endif
