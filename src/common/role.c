/* How a role begins: configuration, log, signals, privileges.  Every role but the supervisor. */
#include "jumpbox/role.h"

#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

void
role_begin(const char *role, struct config *c)
{
	struct errtext e;

	log_init(role, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	if (config_load_fd(ROLE_CONFIG_FD, "configuration", c, &e) != 0)
		fatal(JB_CONFIG, "%s", e.s);
	close(ROLE_CONFIG_FD);
	log_init(role, c->log_level, c->log_format);
}

int
role_signals(const sigset_t *set)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (sigprocmask(SIG_SETMASK, set, NULL) != 0 ||
	    (fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		fatal(JB_INTERNAL, "signals: %s", strerror(errno));
	return fd;
}

void
role_confine(const char *user, const char *jail)
{
	char left_out[64];
	struct errtext e;
	int rc = privs_drop(user, jail, left_out, sizeof(left_out), &e);

	if (rc != 0)
		fatal(rc, "%s", e.s);
	if (left_out[0] != '\0')
		log_warn("privs.left_out", F_STR("what", left_out));
}
