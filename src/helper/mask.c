/*
 * What a connection may do in its container, as the broker wrote it into the
 * first frame.  The session holds to the same; this is the second lock.  Pure.
 */
#include "helper.h"

#include "jumpbox/policy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool
mask_exec(const struct mask *m, bool command)
{
	return (m->perms & (command ? PERM_EXEC : PERM_SHELL)) != 0;
}

bool
mask_files(const struct mask *m, bool readonly)
{
	return (m->perms & PERM_FILES) != 0 || (readonly && (m->perms & PERM_FILES_RO) != 0);
}

bool
mask_forward(const struct mask *m)
{
	return (m->perms & PERM_FORWARD) != 0;
}

/* "HOST:PORT", either of them "*", an IPv6 address in brackets. */
static bool
item_is(const char *item, size_t n, const char *host, const char *port)
{
	const char *colon = memrchr(item, ':', n);
	size_t nhost, nport;

	if (colon == NULL)
		return false;
	nhost = (size_t)(colon - item);
	nport = n - nhost - 1;
	if (!(nport == 1 && colon[1] == '*') &&
	    !(nport == strlen(port) && memcmp(colon + 1, port, nport) == 0))
		return false;
	if (nhost == 1 && item[0] == '*')
		return true;
	if (nhost >= 2 && item[0] == '[' && item[nhost - 1] == ']') {
		item++;
		nhost -= 2;
	}
	return nhost == strlen(host) && strncasecmp(item, host, nhost) == 0;
}

bool
mask_item(const struct mask *m, const char *host, uint32_t port)
{
	const char *at = m->items;
	char number[12];
	size_t n;

	snprintf(number, sizeof(number), "%u", (unsigned)port);
	for (; *(at += strspn(at, " ")) != '\0'; at += n) {
		n = strcspn(at, " ");
		if (item_is(at, n, host, number))
			return true;
	}
	return false;
}
