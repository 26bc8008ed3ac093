/* Network addresses, and lists of networks: "192.0.2.0/24,2001:db8::/32". Pure. */
#ifndef JUMPBOX_CIDR_H
#define JUMPBOX_CIDR_H

#include "jumpbox/errors.h"

#include <stdbool.h>
#include <stddef.h>

/* Whose address it is, as failures are counted: an IPv4 address itself, of an IPv6 address the /64,
 * "2001:db8::/64". JB_BAD_INPUT. */
enum { SOURCE_MAX = 64 };
int address_source(const char *s, char *dst, size_t size);

/* A comma-separated list of ADDRESS or ADDRESS/BITS; JB_BAD_INPUT and which item is wrong. */
int cidr_list_check(const char *list, struct errtext *e);

/* False too when the list or the address is malformed. */
bool cidr_list_contains(const char *list, const char *address);

#endif
