/*
 * jumpbox-watcher: follows the database for one host; with a node's number as
 * its argument, that node.  Started by the supervisor, with the descriptors of
 * zygote.h:
 *
 *	0 1  /dev/null
 *	2    log
 *	3    to the supervisor (SOCK_SEQPACKET); its end of file is this process's end
 *	4    the effective configuration as text
 *
 * The steps are those of every role, in this order: configuration, log,
 * signals, privileges, work.
 */
#include "db_watch.h"

#include "jumpbox/config.h"
#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "node_watch.h"

#include <stdlib.h>
#include <unistd.h>

/* SIGTERM ends it between two steps. */
static int
watch_database(const struct config *c)
{
	sigset_t term;
	int sigfd, rc;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigfd = role_signals(&term);
	role_confine(SERVICE_USER, NULL);
	rc = db_watch(c, ROLE_CONTROL_FD, sigfd);
	close(sigfd);
	return rc;
}

static int
watch_node(const struct config *c, int64_t id)
{
	sigset_t none;

	sigemptyset(&none);
	close(role_signals(&none));
	role_confine(SERVICE_USER, NULL);
	return node_watch(c, ROLE_CONTROL_FD, id);
}

int
main(int argc, char **argv)
{
	struct config c = { 0 };
	int64_t id = argc == 2 ? strtoll(argv[1], NULL, 10) : 0;
	int rc;

	if (argc > 2 || (argc == 2 && id <= 0) || set_cloexec(ROLE_CONTROL_FD, true) != 0 ||
	    set_nonblock(ROLE_CONTROL_FD, true) != 0)
		fatal(JB_USAGE, "jumpbox-watcher is started by jumpboxd");
	role_begin("watcher", &c);
	rc = argc == 2 ? watch_node(&c, id) : watch_database(&c);
	config_release(&c);
	return rc;
}
