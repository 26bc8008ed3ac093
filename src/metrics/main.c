/*
 * jumpbox-metrics: health and numbers for this machine.  Started by the
 * supervisor, if it is configured, with the descriptors of zygote.h:
 *
 *	0 1  /dev/null
 *	2    log
 *	3    SEQPACKET to the supervisor; its end of file is this process's end
 *	4    the effective configuration as text
 *
 * It listens, and forks: the child speaks HTTP, as nobody in the sessions'
 * empty root directory; the parent reads the database, as user jumpbox.
 */
#include "page.h"

#include "jumpbox/log.h"
#include "jumpbox/loopback.h"
#include "jumpbox/privs.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Not the sessions' user, whose processes could be signalled. */
#define FRONT_USER "nobody"

enum { BACKLOG = 16, BIND_MS = 2000 };

/* The one before may still be about to end. */
static int
listen_on(const char *where)
{
	int64_t until = now_mono_ms() + BIND_MS;
	int fd, err, on = 1;
	struct sockaddr_storage to;
	struct errtext e;
	socklen_t len;

	if (loopback_parse(where, &to, &len, &e) != 0)
		fatal(JB_CONFIG, "metrics-listen: %s", e.s);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fatal(JB_UNAVAILABLE, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	while ((err = bind(fd, (struct sockaddr *)&to, len) < 0 ? errno : 0) == EADDRINUSE &&
	    now_mono_ms() < until)
		poll(NULL, 0, 20);
	if (err != 0 || listen(fd, BACKLOG) < 0)
		fatal(JB_UNAVAILABLE, "metrics-listen %s: %s", where,
		    strerror(err != 0 ? err : errno));
	return fd;
}

static _Noreturn void
front(const struct config *c, int listener, int reader)
{
	sigset_t none;

	close(ROLE_CONTROL_FD);
	sigemptyset(&none);
	close(role_signals(&none));
	role_confine(FRONT_USER, c->jail_directory);
	front_serve(listener, reader);
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct config c = { 0 };
	sigset_t term;
	int listener, sigfd, pair[2];
	pid_t pid;

	(void)argv;
	if (argc != 1 || set_cloexec(ROLE_CONTROL_FD, true) != 0 ||
	    set_nonblock(ROLE_CONTROL_FD, true) != 0)
		fatal(JB_USAGE, "jumpbox-metrics is started by jumpboxd");
	role_begin("metrics", &c);
	listener = listen_on(c.metrics_listen);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || (pid = fork()) < 0)
		fatal(JB_INTERNAL, "another process: %s", strerror(errno));
	if (pid == 0) {
		close(pair[0]);
		front(&c, listener, pair[1]);
	}
	close(pair[1]);
	close(listener);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigfd = role_signals(&term);
	role_confine(SERVICE_USER, NULL);
	reader_serve(&c, ROLE_CONTROL_FD, pair[0], sigfd);
	close(sigfd);
	config_release(&c);
	return 0;
}
