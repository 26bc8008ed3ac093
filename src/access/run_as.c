/*
 * The account of a container that a grant runs as.  Pure.  jumpboxctl.
 */
#include "jumpbox/policy.h"

#include <ctype.h>
#include <string.h>

/* A user or group name, or a number below 2^31, as `docker exec --user` takes them. */
static bool
account_valid(const char *s, size_t n)
{
	bool digits = true;

	if (n == 0 || n > 32 || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x80 || (!isalnum(c) && !strchr("_.-", c)))
			return false;
		digits = digits && isdigit(c);
	}
	return !digits || n < 10 || (n == 10 && strncmp(s, "2147483647", 10) <= 0);
}

int
run_as_check(const char *s, struct errtext *e)
{
	const char *colon = strchr(s, ':');
	size_t user = colon ? (size_t)(colon - s) : strlen(s);

	if (!account_valid(s, user) || (colon && !account_valid(colon + 1, strlen(colon + 1))))
		return err_set(e, JB_BAD_INPUT,
		    "expected USER or USER:GROUP, names or numbers of the container's own");
	return 0;
}
