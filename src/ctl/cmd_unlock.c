/*
 * unlock: lets an address try again that is kept out for a while.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/cidr.h"

static int
unlock_exec(struct ctl *c)
{
	const char *source = args_opt(c, "--source");
	char address[SOURCE_MAX];
	int r;

	if (address_source(source, address, sizeof address) < 0)
		return ctl_fail(c, JB_BAD_INPUT,
		    "--source: \"%.60s\" is not an address: say 192.0.2.1 or 2001:db8::1", source);
	r = backoff_unlock(c->st, &c->by, BACKOFF_SOURCE, address);
	if (r == JB_NOT_FOUND)
		return ctl_fail(c, r, "%s is not kept out", address);
	return ctl_done(c, r);
}

static const struct ctl_opt unlock_opts[] = {
	{ "--source", "ADDR", "the client's address", true },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd unlock_cmds[] = {
	/* clang-format off */
	{ "unlock", NULL, "end the back-off of an address after wrong passwords",
	  0, 0, DB_OPEN, unlock_opts, NULL, unlock_exec },
	{ .name = NULL },
	/* clang-format on */
};
