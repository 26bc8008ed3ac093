/*
 * Forks one session for each connection that the supervisor passes, and
 * reports how it ended.  Session zygote.
 *
 *	ZYG_CONN -> fork -> child: descriptors, libssh's session, sandbox, serve()
 *	SIGCHLD  -> ZYG_EXIT
 *
 * It reads no byte of a client.  Its end does not end the sessions.
 */
#include "zygote.h"

#include "jumpbox/log.h"
#include "jumpbox/msg.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	LIST_ENTRY(child) link;
	pid_t pid;
	uint64_t conn;
};

static LIST_HEAD(, child) children = LIST_HEAD_INITIALIZER(children);

/* ---- the session ------------------------------------------------------- */

/* All but 0, 1, 2 and these two. */
static void
close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if ((low > 3 && close_range(3, (unsigned)low - 1, 0) != 0) ||
	    (high > low + 1 && close_range((unsigned)low + 1, (unsigned)high - 1, 0) != 0) ||
	    close_range((unsigned)high + 1, ~0U, 0) != 0)
		fatal(JB_INTERNAL, "close_range: %s", strerror(errno));
}

/* The broker is told of a shutdown, and leads; FSIZE must be an error, not a death. */
static void
child_signals(void)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Errors do not matter: the connection may be gone, and then reading says so. */
static void
client_options(int fd)
{
	int on = 1;

	set_nonblock(fd, true);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static _Noreturn void
child_main(const struct config *cfg, const char *banner, uint64_t conn, int client, int pair)
{
	ssh_session ssh;

	prctl(PR_SET_NAME, "jb-session"); /* for ps: the zygote keeps the program's name */
	close_others(client, pair);
	child_signals();
	log_conn(conn);
	client_options(client);
	if ((ssh = host_keys_accept(client)) == NULL)
		fatal(JB_INTERNAL, "libssh: no memory");
	sandbox_enter();
	link_init(pair);
	serve(cfg, banner, ssh, client);
}

/* ---- the zygote -------------------------------------------------------- */

static void
start(const struct config *cfg, const char *banner, uint64_t conn, int client, int pair)
{
	struct child *c = xcalloc(1, sizeof(*c));

	c->conn = conn;
	c->pid = fork();
	if (c->pid == 0)
		child_main(cfg, banner, conn, client, pair);
	if (c->pid > 0) {
		LIST_INSERT_HEAD(&children, c, link);
	} else {
		log_conn(conn);
		log_error("session.fork", F_STR("why", strerror(errno)));
		log_conn(0);
		free(c);
	}
	close(client);
	close(pair);
}

/* A connection, or the end. */
static void
from_supervisor(const struct config *cfg, const char *banner)
{
	char address[64];
	struct msg m;
	uint64_t conn;
	int client, pair, rc;

	msg_init(&m, 0, 0);
	rc = msg_recv(ROLE_CONTROL_FD, &m);
	if (rc == JB_UNAVAILABLE)
		_exit(0);
	conn = msg_get_u64(&m);
	for (int i = 0; i < 2; i++) {
		msg_get_str(&m, address, sizeof(address));
		msg_get_u32(&m);
	}
	msg_get_u64(&m);
	client = msg_take_fd(&m);
	pair = msg_take_fd(&m);
	if (rc != 0 || m.type != ZYG_CONN || !msg_end(&m))
		fatal(JB_INTERNAL, "a message that no supervisor sends");
	msg_release(&m);
	start(cfg, banner, conn, client, pair);
}

static void
report(uint64_t conn, int status)
{
	struct msg m;

	msg_init(&m, ZYG_EXIT, 0);
	msg_put_u64(&m, conn);
	msg_put_u32(&m, (uint32_t)status);
	msg_send(ROLE_CONTROL_FD, &m);
	msg_release(&m);
}

static void
reap(void)
{
	struct child *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		LIST_FOREACH(c, &children, link)
		if (c->pid == pid)
			break;
		if (c == NULL)
			continue;
		report(c->conn, status);
		LIST_REMOVE(c, link);
		free(c);
	}
}

static void
from_signals(int fd)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		end = end || info.ssi_signo == SIGTERM;
	reap();
	if (end)
		_exit(0);
}

void
zygote(const struct config *cfg, const char *banner)
{
	struct pollfd p[2] = { { ROLE_CONTROL_FD, POLLIN, 0 }, { -1, POLLIN, 0 } };
	sigset_t set;
	struct msg m;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	p[1].fd = role_signals(&set);
	msg_init(&m, ZYG_READY, 0);
	if (msg_send(ROLE_CONTROL_FD, &m) != 0)
		fatal(JB_INTERNAL, "there is no supervisor");
	msg_release(&m);
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			fatal(JB_INTERNAL, "poll: %s", strerror(errno));
		if (p[1].revents != 0)
			from_signals(p[1].fd);
		if (p[0].revents != 0)
			from_supervisor(cfg, banner);
	}
}
