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

struct ending {
	int *fd; /* a pidfd each */
	size_t n, room;
};

/* The descriptor first: what is checked then is what the signal reaches. */
static int
end_session(const struct session *s, void *arg)
{
	struct ending *end = arg;
	int fd;

	if (strcmp(s->host, host_name()) != 0 || (fd = pidfd_open((pid_t)s->pid, 0)) < 0)
		return 0;
	if (!session_alive(s) || pidfd_send_signal(fd, SIGTERM, NULL, 0) < 0) {
		close(fd);
		return 0;
	}
	if (end->n == end->room) {
		end->room = end->room == 0 ? 64 : end->room * 2;
		end->fd = xreallocarray(end->fd, end->room, sizeof(*end->fd));
	}
	end->fd[end->n++] = fd;
	return 0;
}

/* One after the other: it is over when all of them are. */
static void
wait_for_all(struct ending *end)
{
	struct pollfd p = { .events = POLLIN };

	while (end->n > 0) {
		p.fd = end->fd[--end->n];
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
		close(p.fd);
	}
	free(end->fd);
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
