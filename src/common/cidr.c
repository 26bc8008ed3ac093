/*
 * Where a key may be used from: jumpboxctl checks the list, the broker asks
 * whether it holds a client's address.  And whose failure one is, for both.
 */
#include "jumpbox/cidr.h"
#include "jumpbox/util.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_MAX = 64 };

struct network {
	int family;
	unsigned bits;
	uint8_t addr[16];
};

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static unsigned
family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

static bool
address_parse(const char *s, struct network *n)
{
	if (inet_pton(AF_INET, s, n->addr) == 1)
		n->family = AF_INET;
	else if (inet_pton(AF_INET6, s, n->addr) == 1)
		n->family = AF_INET6;
	else
		return false;
	n->bits = family_bits(n->family);
	return true;
}

/* ::ffff:192.0.2.1 is how a dual-stack socket shows 192.0.2.1. */
static void
unmap(struct network *n)
{
	if (n->family != AF_INET6 || n->bits < 96 || memcmp(n->addr, v4_mapped, 12) != 0)
		return;
	memmove(n->addr, n->addr + 12, 4);
	n->family = AF_INET;
	n->bits -= 96;
}

/* One item of a list; item is changed. */
static bool
network_parse(char *item, struct network *n)
{
	char *slash = strchr(item, '/'), *end;
	unsigned long bits;

	if (slash != NULL)
		*slash = '\0';
	if (!address_parse(item, n))
		return false;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		bits = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || bits > n->bits)
			return false;
		n->bits = (unsigned)bits;
	}
	unmap(n);
	return true;
}

/* The next item of the list into item; false at the end. An item too long is cut, and so wrong. */
static bool
next_item(const char **list, char item[static ITEM_MAX])
{
	size_t n, keep;

	if (*list == NULL)
		return false;
	n = strcspn(*list, ",");
	keep = n < ITEM_MAX ? n : 0;
	memcpy(item, *list, keep);
	item[keep] = '\0';
	*list = (*list)[n] == ',' ? *list + n + 1 : NULL;
	return true;
}

static bool
network_holds(const struct network *net, const struct network *a)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (net->family != a->family || memcmp(net->addr, a->addr, whole) != 0)
		return false;
	return rest == 0 || (net->addr[whole] ^ a->addr[whole]) >> (8 - rest) == 0;
}

int
address_source(const char *s, char *dst, size_t size)
{
	enum { OWN_BITS = 64 }; /* what one customer has */
	char text[INET6_ADDRSTRLEN];
	struct network n;

	if (!address_parse(s, &n))
		return JB_BAD_INPUT;
	unmap(&n);
	if (n.family == AF_INET6)
		memset(n.addr + OWN_BITS / 8, 0, sizeof(n.addr) - OWN_BITS / 8);
	inet_ntop(n.family, n.addr, text, sizeof(text));
	if (n.family == AF_INET)
		return str_copy(dst, size, text);
	return (size_t)snprintf(dst, size, "%s/%d", text, OWN_BITS) < size ? 0 : JB_BAD_INPUT;
}

int
cidr_list_check(const char *list, struct errtext *e)
{
	char item[ITEM_MAX], text[ITEM_MAX];
	struct network n;

	while (next_item(&list, item)) {
		memcpy(text, item, sizeof text);
		if (!network_parse(item, &n))
			return err_set(e, JB_BAD_INPUT,
			    "\"%s\" is not a network: say 192.0.2.0/24 or 2001:db8::/32, or "
			    "several "
			    "with commas",
			    text);
	}
	return 0;
}

bool
cidr_list_contains(const char *list, const char *address)
{
	char item[ITEM_MAX];
	struct network net, a;
	bool found = false;

	if (!address_parse(address, &a))
		return false;
	unmap(&a);
	while (next_item(&list, item)) {
		if (!network_parse(item, &net))
			return false;
		found = found || network_holds(&net, &a);
	}
	return found;
}
