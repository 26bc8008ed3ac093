/*
 * The watcher of the database.  Supervisor.
 *
 * While there is none, brokers read the policy epoch themselves at every
 * attach; only changes to live sessions are late.  A watcher that died may
 * have seen one, so each new one starts with telling all brokers to look.
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
	int64_t started, start_at; /* start_at -1: not wanted */
	int64_t kill_at;	   /* -1: not wanted */
	int64_t heard;		   /* last sign of life, or its start */
} watcher = { .control.fd = -1, .start_at = -1, .kill_at = -1 };

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

static int
spawn(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	watcher.pid = spawn_role(&(struct spawn){ .program = "jumpbox-watcher",
	    .control = pair[1],
	    .config = watcher.config_fd,
	    .keys = -1 });
	close(pair[1]);
	if (watcher.pid < 0) {
		watcher.pid = 0;
		close(pair[0]);
		return -1;
	}
	set_nonblock(pair[0], true);
	loop_add(&watcher.control, pair[0], EPOLLIN, control_ready, NULL);
	return 0;
}

static void
start(int64_t now)
{
	watcher.start_at = watcher.kill_at = -1;
	watcher.started = watcher.heard = now;
	if (spawn() == 0)
		return;
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

/* Returns when to look again, -1 if there is nobody to listen to. */
static int64_t
check_silence(int64_t now)
{
	if (watcher.control.fd < 0)
		return -1;
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

	if (watcher.start_at >= 0 && watcher.start_at <= now)
		start(now);
	if (watcher.kill_at >= 0 && watcher.kill_at <= now && watcher.pid != 0) {
		kill(watcher.pid, SIGKILL);
		watcher.kill_at = -1;
	}
	look_at = check_silence(now); /* may set kill_at */
	return loop_sooner(loop_sooner(watcher.kill_at, watcher.start_at), look_at);
}

bool
watcher_reaped(pid_t pid, int status)
{
	int64_t now = now_mono_ms();

	if (pid != watcher.pid)
		return false;
	watcher.pid = 0;
	watcher.kill_at = -1;
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
	watcher.start_at = -1;
	if (watcher.pid == 0)
		return;
	loop_close(&watcher.control);
	kill(watcher.pid, SIGTERM);
	watcher.kill_at = now_mono_ms() + END_MS;
}

bool
watcher_gone(void)
{
	return watcher.pid == 0;
}
