/* Network addresses, and lists of networks: "192.0.2.0/24,2001:db8::/32". Pure. */
#ifndef JUMPBOX_CIDR_H
#define JUMPBOX_CIDR_H

#include "jumpbox/errors.h"

#include <stdbool.h>
#include <stddef.h>

/* The one spelling of an address (IPv4-mapped IPv6 becomes IPv4); JB_BAD_INPUT. */
int address_normal(const char *s, char *dst, size_t size);

/* A comma-separated list of ADDRESS or ADDRESS/BITS; JB_BAD_INPUT and which item is wrong. */
int cidr_list_check(const char *list, struct errtext *e);

/* False too when the list or the address is malformed. */
bool cidr_list_contains(const char *list, const char *address);

#endif
