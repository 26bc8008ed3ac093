/*
 * A zygote: forks one child for each connection that the supervisor passes,
 * and reports how each ended.  Session zygote and broker zygote; the
 * supervisor, for what it sends them.
 *
 *	ZYG_CONN         -> fork -> child()
 *	SIGCHLD          -> ZYG_EXIT, died()
 *	SIGTERM, no more
 *	from supervisor  -> exit; the children go on
 */
#include "jumpbox/zygote.h"

#include "jumpbox/errors.h"
#include "jumpbox/log.h"
#include "jumpbox/msg.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct forked {
	pid_t pid;
	uint64_t conn;
};

static struct {
	const struct zygote_role *role;
	struct forked *child;
	size_t n, room;
} zyg;

/* ---- ZYG_CONN ---------------------------------------------------------- */

void
zygote_conn_put(struct msg *m, const struct zygote_conn *c)
{
	msg_put_u64(m, c->conn);
	msg_put_str(m, c->peer);
	msg_put_u32(m, c->peer_port);
	msg_put_str(m, c->local);
	msg_put_u32(m, c->local_port);
	msg_put_u64(m, c->accepted);
	msg_put_fd(m, c->fd[0]);
	msg_put_fd(m, c->fd[1]);
}

bool
zygote_conn_get(struct msg *m, struct zygote_conn *c)
{
	c->conn = msg_get_u64(m);
	msg_get_str(m, c->peer, sizeof(c->peer));
	c->peer_port = msg_get_u32(m);
	msg_get_str(m, c->local, sizeof(c->local));
	c->local_port = msg_get_u32(m);
	c->accepted = msg_get_u64(m);
	c->fd[0] = msg_take_fd(m);
	c->fd[1] = msg_take_fd(m);
	return m->type == ZYG_CONN && msg_end(m);
}

/* ---- to the supervisor ------------------------------------------------- */

/* Sends and releases. */
static int
tell(struct msg *m)
{
	int r = msg_send(ROLE_CONTROL_FD, m);

	msg_release(m);
	return r;
}

static int
tell_exit(uint64_t conn, int status)
{
	struct msg m;

	msg_init(&m, ZYG_EXIT, 0);
	msg_put_u64(&m, conn);
	msg_put_u32(&m, (uint32_t)status);
	return tell(&m);
}

/* ---- children ---------------------------------------------------------- */

static void
close_between(int first, int last)
{
	if (first <= STDERR_FILENO)
		first = STDERR_FILENO + 1;
	if (first <= last && close_range((unsigned)first, (unsigned)last, 0) < 0)
		fatal(JB_INTERNAL, "close_range: %s", strerror(errno));
}

pid_t
zygote_fork(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;
	pid_t pid = fork();
	sigset_t none;

	if (pid < 0)
		log_error("zygote.no_child", F_STR("why", strerror(errno)));
	if (pid != 0)
		return pid;
	close_between(0, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, INT_MAX);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

/* The child logs for its connection until its end, the zygote until the next line. */
static void
start(struct zygote_conn *c)
{
	pid_t pid;

	log_conn(c->conn);
	pid = zygote_fork(c->fd[0], c->fd[1]);
	if (pid == 0)
		zyg.role->child(c);
	log_conn(0);
	close(c->fd[0]);
	close(c->fd[1]);
	if (pid < 0)
		return;
	if (zyg.n == zyg.room) {
		zyg.room = zyg.room == 0 ? 64 : zyg.room * 2;
		zyg.child = xreallocarray(zyg.child, zyg.room, sizeof(*zyg.child));
	}
	zyg.child[zyg.n++] = (struct forked){ pid, c->conn };
}

/* The connection of a child that has ended; 0: it had none. */
static uint64_t
forget(pid_t pid)
{
	uint64_t conn;
	size_t i;

	for (i = 0; i < zyg.n; i++) {
		if (zyg.child[i].pid != pid)
			continue;
		conn = zyg.child[i].conn;
		zyg.child[i] = zyg.child[--zyg.n];
		return conn;
	}
	return 0;
}

/* A child may have had no log any more: nobody else says how it ended. */
static void
ended(pid_t pid, int status)
{
	uint64_t conn = forget(pid);

	log_conn(conn);
	if (WIFSIGNALED(status))
		log_error("zygote.child", F_NUM("process", pid),
		    F_STR("signal", sigabbrev_np(WTERMSIG(status))));
	else if (WEXITSTATUS(status) != 0)
		log_error(
		    "zygote.child", F_NUM("process", pid), F_NUM("status", WEXITSTATUS(status)));
	if (conn != 0 && tell_exit(conn, status) == JB_TRY_AGAIN)
		log_warn("zygote.untold", F_NUM("process", pid));
	log_conn(0);
	if (zyg.role->died != NULL)
		zyg.role->died(pid, status);
}

/* ---- the loop ---------------------------------------------------------- */

/* Returns false when the supervisor wants no more. */
static bool
from_supervisor(void)
{
	struct zygote_conn c;
	struct msg m;
	int r;

	msg_init(&m, 0, 0);
	while ((r = msg_recv(ROLE_CONTROL_FD, &m)) == 0) {
		if (!zygote_conn_get(&m, &c))
			fatal(JB_INTERNAL, "the supervisor sent what is no connection");
		start(&c);
	}
	msg_release(&m);
	if (r == JB_BAD_INPUT)
		fatal(JB_INTERNAL, "the supervisor sent what is no message");
	return r == JB_TRY_AGAIN;
}

/* Returns false at SIGTERM. */
static bool
from_signals(int fd)
{
	struct signalfd_siginfo info;
	bool go_on = true;
	pid_t pid;
	int status;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		go_on = go_on && info.ssi_signo != SIGTERM;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(pid, status);
	return go_on;
}

void
zygote_run(const struct zygote_role *role)
{
	struct pollfd p[2] = { { ROLE_CONTROL_FD, POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct msg ready;
	int64_t next;
	sigset_t set;

	zyg.role = role;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	p[1].fd = role_signals(&set);
	set_cloexec(ROLE_CONTROL_FD, true);
	set_nonblock(ROLE_CONTROL_FD, true);
	msg_init(&ready, ZYG_READY, 0);
	if (tell(&ready) != 0)
		fatal(JB_INTERNAL, "there is no supervisor");
	for (;;) {
		next = role->tick != NULL ? role->tick(now_mono_ms()) : 0;
		if (poll(p, 2, poll_timeout(next)) < 0 && errno != EINTR)
			fatal(JB_INTERNAL, "poll: %s", strerror(errno));
		if ((p[1].revents != 0 && !from_signals(p[1].fd)) ||
		    (p[0].revents != 0 && !from_supervisor()))
			_exit(0);
	}
}
