/*
 * jumpbox-broker shutdown: ends every session of this host, whichever
 * supervisor accepted it, and returns when the last has ended.  Started by a
 * supervisor that was told to end them; as the service user.
 *
 *	fd 4   the configuration (memfd)
 *
 * A broker ends its session with a reason at SIGTERM.  The supervisor tells
 * those that it knows itself, and stops waiting for this process in time.
 */
#include "broker.h"

#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Processes that were told to end; no descriptors, of which there may be too few. */
struct ending {
	struct session *s;
	size_t n, room;
};

/*
 * A descriptor of the session's process; -1 and ESRCH if that is no more.  The
 * descriptor first: what is checked then is what a signal reaches.
 */
static int
process_of(const struct session *s)
{
	int fd = pidfd_open((pid_t)s->pid, 0);

	if (fd >= 0 && session_alive(s))
		return fd;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == EINVAL || errno == ENOENT) /* another's number, a thread's */
		errno = ESRCH;
	return -1;
}

static void
remember(struct ending *end, const struct session *s)
{
	if (end->n == end->room) {
		end->room = end->room == 0 ? 64 : end->room * 2;
		end->s = xreallocarray(end->s, end->room, sizeof(*end->s));
	}
	/* Of this host and boot, or it would not be alive. */
	end->s[end->n++] = (struct session){
		.host = host_name(),
		.boot_id = boot_id(),
		.pid = s->pid,
		.pid_start = s->pid_start,
	};
}

static int
end_session(const struct session *s, void *arg)
{
	int fd;

	if (strcmp(s->host, host_name()) != 0)
		return 0;
	fd = process_of(s);
	if (fd >= 0 && pidfd_send_signal(fd, SIGTERM, NULL, 0) == 0)
		remember(arg, s);
	else if (errno != ESRCH)
		log_error("session.not_ended", F_NUM("process", s->pid),
		    F_STR("reason", strerror(errno)));
	if (fd >= 0)
		close(fd);
	return 0;
}

/* One after the other: it is over when all of them are. */
static void
wait_for_all(struct ending *end)
{
	struct pollfd p = { .events = POLLIN };

	while (end->n > 0) {
		if ((p.fd = process_of(&end->s[--end->n])) < 0)
			continue;
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
		close(p.fd);
	}
	free(end->s);
}

int
shutdown_sessions(void)
{
	struct broker b = { .pair = -1, .status = -1 };
	struct ending end = { NULL, 0, 0 };
	struct config cfg;
	int r = JB_UNAVAILABLE;

	role_begin("broker", &cfg);
	role_confine(SERVICE_USER, NULL);
	b.cfg = &cfg;
	if (broker_store(&b) != NULL)
		r = session_each(b.st, false, end_session, &end);
	if (r != 0)
		log_error(
		    "session.not_ended", F_STR("reason", b.st != NULL ? store_error(b.st) : NULL));
	broker_store_close(&b);
	wait_for_all(&end);
	config_release(&cfg);
	return -r;
}
