/*
 * What the service manager is told.  Supervisor.
 *
 * The environment stays as it is, so that the program finds it again after
 * it re-executed itself; the roles are started without it.
 */
#include "notify.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	struct sockaddr_un address;
	socklen_t len;	 /* 0: nobody listens */
	int64_t every;	 /* ms between two signs of life; 0: none wanted */
	int64_t next_at; /* monotonic ms */
} manager;

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    str_copy(manager.address.sun_path, sizeof manager.address.sun_path, path) < 0)
		return;
	manager.address.sun_family = AF_UNIX;
	manager.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		manager.address.sun_path[0] = '\0';
	if (usec != NULL && (pid == NULL || strtoll(pid, NULL, 10) == getpid()))
		manager.every = strtoll(usec, NULL, 10) / 2000;
}

void
notify_send(const char *state)
{
	int fd;

	if (manager.len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		(struct sockaddr *)&manager.address, manager.len) < 0)
		log_warn("notify.fail", F_STR("state", state), F_STR("why", strerror(errno)));
	if (fd >= 0)
		close(fd);
}

void
notify_reloading(void)
{
	char state[64];

	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now_mono_ms() * 1000);
	notify_send(state);
}

int64_t
notify_watchdog(int64_t now)
{
	if (manager.every <= 0)
		return 0;
	if (now >= manager.next_at) {
		notify_send("WATCHDOG=1");
		manager.next_at = now + manager.every;
	}
	return manager.next_at;
}
