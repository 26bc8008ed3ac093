/*
 * The watcher of the database.  Supervisor.
 *
 * While there is none, only changes to live sessions are late: logins and
 * attaches are decided by the database as it is.  A watcher that died may
 * have seen a change, so each new one starts with telling all brokers to look.
 * One that hangs would leave revoked sessions alive: it is killed.
 */
#include "watcher.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"
#include "loop.h"
#include "restart.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 2000, SILENT_MS = 30 * 1000 };

static struct {
	pid_t pid; /* 0: none */
	struct watch control;
	int config_fd;
	void (*on_policy)(void);
	struct restart restart;
	int64_t started;
	int64_t start_at, kill_at; /* 0: not wanted */
	int64_t heard;		   /* last sign of life, or its start */
} watcher = { .control.fd = -1 };

/* One look is enough for all the changes that were reported. */
static void
control_ready(void *owner, uint32_t events)
{
	char byte[64];
	ssize_t n;

	(void)owner;
	(void)events;
	n = read(watcher.control.fd, byte, sizeof byte);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_close(&watcher.control);
		watcher.kill_at = now_mono_ms() + END_MS;
		return;
	}
	watcher.heard = now_mono_ms();
	if (memchr(byte, WATCH_POLICY, (size_t)n) != NULL)
		watcher.on_policy();
}

static void
start(int64_t now)
{
	const struct spawn s = { "jumpbox-watcher", NULL, SOCK_STREAM, watcher.config_fd, -1 };
	int control;
	pid_t pid = spawn_role(&s, &control);

	watcher.start_at = watcher.kill_at = 0;
	watcher.started = watcher.heard = now;
	if (pid > 0) {
		watcher.pid = pid;
		loop_add(&watcher.control, control, EPOLLIN, control_ready, NULL);
		return;
	}
	log_error("watcher.fail", F_STR("why", strerror(errno)));
	watcher.start_at = now + restart_delay(&watcher.restart, 0) + RESTART_FIRST_MS;
}

void
watcher_start(int config_fd, void (*on_policy)(void))
{
	watcher.config_fd = config_fd;
	watcher.on_policy = on_policy;
	start(now_mono_ms());
}

/* Returns when to look again, 0 if there is nobody to listen to. */
static int64_t
check_silence(int64_t now)
{
	if (watcher.control.fd < 0)
		return 0;
	if (watcher.heard + SILENT_MS <= now)
		control_ready(NULL, 0); /* it may be this process that was stopped */
	if (watcher.heard + SILENT_MS <= now) {
		log_error("watcher.silent", F_NUM("process", watcher.pid));
		kill(watcher.pid, SIGKILL);
		watcher.heard = now;
	}
	return watcher.heard + SILENT_MS;
}

int64_t
watcher_tick(int64_t now)
{
	int64_t look_at;

	if (due(watcher.start_at, now))
		start(now);
	if (due(watcher.kill_at, now) && watcher.pid != 0) {
		kill(watcher.pid, SIGKILL);
		watcher.kill_at = 0;
	}
	look_at = check_silence(now); /* may set kill_at */
	return sooner(sooner(watcher.kill_at, watcher.start_at), look_at);
}

bool
watcher_reaped(pid_t pid, int status)
{
	int64_t now = now_mono_ms();

	if (pid != watcher.pid)
		return false;
	watcher.pid = 0;
	watcher.kill_at = 0;
	loop_close(&watcher.control);
	if (watcher.config_fd < 0)
		return true;
	watcher.start_at = now + restart_delay(&watcher.restart, now - watcher.started);
	log_error("watcher.exit", F_NUM("process", pid),
	    F_NUM("status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)),
	    F_NUM("restart_ms", watcher.start_at - now));
	return true;
}

void
watcher_retire(void)
{
	watcher.config_fd = -1; /* no other one */
	watcher.start_at = 0;
	if (watcher.pid == 0)
		return;
	loop_close(&watcher.control);
	kill(watcher.pid, SIGTERM);
	watcher.kill_at = now_mono_ms() + END_MS;
}

int64_t
watcher_heard(void)
{
	return watcher.heard;
}

bool
watcher_gone(void)
{
	return watcher.pid == 0;
}
