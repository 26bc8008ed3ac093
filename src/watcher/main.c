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
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
read_config(struct config *c)
{
	struct errtext e;

	if (config_load_fd(ROLE_CONFIG_FD, "configuration", c, &e) != 0)
		fatal(JB_CONFIG, "%s", e.s);
	close(ROLE_CONFIG_FD);
}

/*
 * SIGTERM ends it between two steps.  SIGINT and SIGHUP of a terminal reach
 * the whole process group and are the supervisor's to act on.
 */
static int
catch_signals(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 ||
	    (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		fatal(JB_INTERNAL, "signals: %s", strerror(errno));
	return fd;
}

static void
drop_privileges(void)
{
	char left_out[64];
	struct errtext e;
	int rc = privs_drop(SERVICE_USER, NULL, left_out, sizeof(left_out), &e);

	if (rc != 0)
		fatal(rc, "%s", e.s);
	if (left_out[0])
		log_warn("privs.left_out", F_STR("what", left_out));
}

int
main(int argc, char **argv)
{
	struct config c = { 0 };
	int sigfd, rc;

	(void)argv;
	log_init("watcher", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	if (argc != 1 || set_cloexec(ROLE_CONTROL_FD, true) != 0 ||
	    set_nonblock(ROLE_CONTROL_FD, true) != 0)
		fatal(JB_USAGE, "jumpbox-watcher is started by jumpboxd");
	read_config(&c);
	log_init("watcher", c.log_level, c.log_format);
	sigfd = catch_signals();
	drop_privileges();
	rc = db_watch(&c, ROLE_CONTROL_FD, sigfd);
	close(sigfd);
	config_release(&c);
	return rc;
}
