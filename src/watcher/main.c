/*
 * jumpbox-watcher: follows the database for one host.  Started by the
 * supervisor, with the descriptors of zygote.h:
 *
 *	0 1  /dev/null
 *	2    log
 *	3    stream to the supervisor; its end of file is this process's end
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

#include <unistd.h>

int
main(int argc, char **argv)
{
	struct config c = { 0 };
	sigset_t term;
	int sigfd, rc;

	(void)argv;
	if (argc != 1 || set_cloexec(ROLE_CONTROL_FD, true) != 0 ||
	    set_nonblock(ROLE_CONTROL_FD, true) != 0)
		fatal(JB_USAGE, "jumpbox-watcher is started by jumpboxd");
	role_begin("watcher", &c);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM); /* ends it between two steps */
	sigfd = role_signals(&term);
	role_confine(SERVICE_USER, NULL);
	rc = db_watch(&c, ROLE_CONTROL_FD, sigfd);
	close(sigfd);
	config_release(&c);
	return rc;
}
