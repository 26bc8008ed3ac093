/*
 * jumpbox-metrics, from outside.  Supervisor.
 *
 * It asks when somebody asks it, and is answered with numbers that are here
 * anyway.  Nothing else depends on it: without it, people are served.
 */
#include "metrics.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "loop.h"
#include "restart.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { END_MS = 500 };

static struct {
	pid_t pid; /* 0: none */
	struct watch control;
	int config_fd; /* -1: not wanted, or no longer */
	void (*look)(struct server_state *s);
	struct restart restart;
	int64_t started;
	int64_t start_at, kill_at; /* 0: not wanted */
} metrics = { .control.fd = -1, .config_fd = -1 };

static bool
answer(struct msg *m)
{
	struct server_state s = { 0 };
	uint32_t id = m->id;

	if (m->type != STATE_ASK || !msg_end(m))
		return false;
	metrics.look(&s);
	msg_release(m);
	msg_init(m, STATE_TELL, id);
	server_state_put(m, &s);
	msg_send(metrics.control.fd, m); /* a full socket: it does not listen */
	return true;
}

/* It is ending, or not what it was. */
static void
let_go(void)
{
	loop_close(&metrics.control);
	metrics.kill_at = now_mono_ms() + END_MS;
}

static void
control_ready(void *owner, uint32_t events)
{
	struct msg m;
	int r;

	(void)owner;
	(void)events;
	msg_init(&m, 0, 0);
	r = msg_recv(metrics.control.fd, &m);
	if (r != JB_TRY_AGAIN && (r < 0 || !answer(&m)))
		let_go();
	msg_release(&m);
}

static void
start(int64_t now)
{
	const struct spawn s = { "jumpbox-metrics", NULL, SOCK_SEQPACKET, metrics.config_fd, -1 };
	int control;
	pid_t pid = spawn_role(&s, &control);

	metrics.start_at = metrics.kill_at = 0;
	metrics.started = now;
	if (pid > 0) {
		metrics.pid = pid;
		loop_add(&metrics.control, control, EPOLLIN, control_ready, NULL);
		return;
	}
	log_error("metrics.fail", F_STR("why", strerror(errno)));
	metrics.start_at = now + restart_delay(&metrics.restart, 0) + RESTART_FIRST_MS;
}

void
metrics_start(int config_fd, void (*look)(struct server_state *s))
{
	metrics.config_fd = config_fd;
	metrics.look = look;
	start(now_mono_ms());
}

int64_t
metrics_tick(int64_t now)
{
	if (due(metrics.start_at, now))
		start(now);
	if (due(metrics.kill_at, now) && metrics.pid != 0) {
		kill(metrics.pid, SIGKILL);
		metrics.kill_at = 0;
	}
	return sooner(metrics.kill_at, metrics.start_at);
}

bool
metrics_reaped(pid_t pid, int status)
{
	int64_t now = now_mono_ms();

	if (pid != metrics.pid)
		return false;
	metrics.pid = 0;
	metrics.kill_at = 0;
	loop_close(&metrics.control);
	if (metrics.config_fd < 0)
		return true;
	metrics.start_at = now + restart_delay(&metrics.restart, now - metrics.started);
	log_error("metrics.exit", F_NUM("process", pid),
	    F_NUM("status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)),
	    F_NUM("restart_ms", metrics.start_at - now));
	return true;
}

void
metrics_retire(void)
{
	metrics.config_fd = -1; /* no other one */
	metrics.start_at = 0;
	if (metrics.control.fd >= 0)
		let_go();
}

bool
metrics_gone(void)
{
	return metrics.pid == 0;
}
