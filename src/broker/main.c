/*
 * jumpbox-broker: decides everything for one connection each.  Started by the
 * supervisor, with the descriptors of jumpbox/zygote.h, as
 *
 *	jumpbox-broker prepare   once, before anything is served
 *	jumpbox-broker zygote    forks one broker a connection
 */
#include "broker.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "prepare") == 0)
		return prepare();
	if (argc == 2 && strcmp(argv[1], "zygote") == 0)
		return zygote();
	fprintf(stderr, "jumpbox-broker is started by jumpboxd\n");
	return -JB_USAGE;
}
