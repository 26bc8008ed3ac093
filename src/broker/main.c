/*
 * jumpbox-broker: decides everything for one connection each.  Started by the
 * supervisor, with the descriptors of jumpbox/zygote.h, as
 *
 *	jumpbox-broker prepare   once, before anything is served
 *	jumpbox-broker check     the same for a server that runs and reloads
 *	jumpbox-broker zygote    forks one broker a connection
 *	jumpbox-broker shutdown  ends every session of this host
 */
#include "broker.h"

#include <stdio.h>
#include <string.h>

static const struct mode {
	const char *name;
	int (*run)(void);
} modes[] = {
	{ "prepare", prepare },
	{ "check", prepare_check },
	{ "zygote", zygote },
	{ "shutdown", shutdown_sessions },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run();
	fprintf(stderr, "jumpbox-broker is started by jumpboxd\n");
	return -JB_USAGE;
}
