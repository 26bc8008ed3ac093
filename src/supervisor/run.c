/*
 * From the first zygote to the end.  Supervisor.
 *
 *	          TERM, HUP                all handed over              zygotes gone
 *	SERVING -------------> HANDING_OVER ---------------> ENDING -----------------> exit, or
 *	   |                                                   ^        (INT: and       re-exec
 *	   +---------------------------------------------------+        brokers gone)
 *	                           INT with -D
 *
 * Each step but the first has a deadline and goes on without the rest then.
 */
#include "run.h"

#include "conns.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "loop.h"
#include "metrics.h"
#include "notify.h"
#include "setup.h"
#include "spawn.h"
#include "watcher.h"
#include "zygotes.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	HAND_OVER_MS = 2000,
	END_MS = 2500,	     /* with HAND_OVER_MS less than the 5 s of a restart */
	SHUTDOWN_MS = 10000, /* brokers say why and leave */
};

enum phase { SERVING, HANDING_OVER, ENDING };

static struct {
	struct watch signals;
	bool term, interrupt, hangup; /* arrived, not acted upon yet */
	enum phase phase;
	int64_t deadline; /* of the phase */
	bool again;	  /* re-exec at the end */
	bool for_brokers; /* wait for them too */
	pid_t ender;	  /* ends those of earlier supervisors; 0: none */
} state;

/* ---- signals ---------------------------------------------------------- */

static void
wanted(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

void
run_block_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	wanted(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A child that is none of ours is an orphan of an earlier life. */
static void
reap(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == state.ender)
			state.ender = 0;
		else if (!zygotes_reaped(pid, status) && !watcher_reaped(pid, status) &&
		    !metrics_reaped(pid, status))
			log_debug("orphan.exit", F_NUM("process", pid));
}

static void
signals_ready(void *owner, uint32_t events)
{
	struct signalfd_siginfo si;

	(void)owner;
	(void)events;
	while (read(state.signals.fd, &si, sizeof si) == sizeof si) {
		state.term |= si.ssi_signo == SIGTERM;
		state.interrupt |= si.ssi_signo == SIGINT;
		state.hangup |= si.ssi_signo == SIGHUP;
		if (si.ssi_signo == SIGCHLD)
			reap();
	}
}

static void
watch_signals(void)
{
	sigset_t set;
	int fd;

	wanted(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fatal(JB_INTERNAL, "signalfd: %s", strerror(errno));
	loop_add(&state.signals, fd, EPOLLIN, signals_ready, NULL);
}

/* ---- one turn --------------------------------------------------------- */

static void
turn(void)
{
	int64_t now = now_mono_ms(), next;

	next = conns_tick(now);
	conns_pump();
	next = sooner(next, zygotes_tick(now));
	next = sooner(next, watcher_tick(now));
	next = sooner(next, metrics_tick(now));
	next = sooner(next, notify_watchdog(now));
	if (state.phase != SERVING)
		next = sooner(next, state.deadline);
	loop_wait(poll_timeout(next));
	conns_pump();
}

/* ---- the end ---------------------------------------------------------- */

static void
end_roles(int64_t ms)
{
	state.phase = ENDING;
	state.deadline = now_mono_ms() + ms;
	zygotes_retire();
	watcher_retire();
}

/* TERM, or HUP: what was accepted is handed over, what is live goes on. */
static void
hand_over(void)
{
	state.phase = HANDING_OVER;
	state.deadline = now_mono_ms() + HAND_OVER_MS;
	conns_listen(NULL);
	conns_hurry();
}

static void
stop(struct run *r)
{
	log_info("server.stop", F_NUM("connections", conns_count()));
	notify_send("STOPPING=1");
	state.again = false;
	hand_over();
	listeners_close(&r->listeners);
}

/*
 * INT with -D.  Our own brokers are told through their status sockets; those
 * that an earlier life of this program or another one left are found by
 * their rows in the database.
 */
static void
shut_down(struct run *r)
{
	const struct spawn s = { "jumpbox-broker", "shutdown", 0, r->config_fd, -1 };

	log_info("server.shutdown", F_NUM("connections", conns_count()));
	notify_send("STOPPING=1");
	state.again = false;
	state.for_brokers = true;
	conns_listen(NULL);
	listeners_close(&r->listeners);
	conns_shutdown();
	state.ender = spawn_role(&s, NULL);
	if (state.ender < 0) {
		log_error(
		    "role.fail", F_STR("program", "jumpbox-broker"), F_STR("why", strerror(errno)));
		state.ender = 0;
	}
	end_roles(SHUTDOWN_MS);
}

/* ---- reload ----------------------------------------------------------- */

/*
 * With a configuration of the program that is on disk now, which may be newer
 * than this one: what this one cannot read is left to that one.  Otherwise
 * everything that could stop the next start is tried before the point of no
 * return.
 */
static int
try_config(struct run *r, struct errtext *e)
{
	struct config c;
	struct listeners l;
	int config_fd, keys_fd, err;

	if (!reexec_check(&r->reexec))
		return err_set(
		    e, JB_CONFIG, "%s -t refused %s", r->reexec.path, r->reexec.config_path);
	if (config_load(r->reexec.config_path, &c, e) < 0)
		return 0;
	if ((err = setup_directories(&c, e)) < 0 ||
	    (err = listeners_open(&c, &r->listeners, &l, e)) < 0)
		goto out;
	config_fd = setup_config_fd(&c);
	err = setup_prepare(config_fd, true, &keys_fd, e);
	close(config_fd);
	if (err < 0) {
		listeners_close(&l);
		goto out;
	}
	close(keys_fd);
	conns_listen(NULL);
	listeners_close(&r->listeners);
	r->listeners = l;
out:
	config_release(&c);
	return err;
}

static void
reload(struct run *r)
{
	struct errtext e = { 0 };

	notify_reloading();
	if (try_config(r, &e) < 0) {
		log_error("reload.refused", F_STR("why", e.s));
		notify_send("READY=1");
		return;
	}
	log_info("server.reload", F_NUM("connections", conns_count()));
	state.again = true;
	hand_over();
}

/* ---- signals, acted upon ---------------------------------------------- */

static void
act(struct run *r)
{
	if (state.interrupt && r->reexec.foreground && !state.for_brokers)
		shut_down(r);
	else if ((state.term || state.interrupt) && (state.phase == SERVING || state.again))
		stop(r);
	else if (state.hangup && state.phase == SERVING)
		reload(r);
	state.term = state.interrupt = state.hangup = false;
}

/* What says so goes last. */
static bool
all_gone(void)
{
	if (!zygotes_gone() || !watcher_gone() || state.ender != 0 ||
	    (state.for_brokers && conns_count() != 0))
		return false;
	metrics_retire();
	return metrics_gone();
}

static bool
phase_over(void)
{
	if (now_mono_ms() >= state.deadline)
		return true;
	if (state.phase == HANDING_OVER)
		return !conns_pending() && !zygotes_holding();
	return all_gone();
}

void
run_serve(struct run *r)
{
	conns_listen(&r->listeners);
	for (;;) {
		act(r);
		if (state.phase == HANDING_OVER && phase_over())
			end_roles(END_MS);
		if (state.phase == ENDING && phase_over())
			break;
		turn();
	}
	if (!state.again)
		return;
	reexec_now(&r->reexec, &r->listeners, r->lock_fd);
	fatal(JB_UNAVAILABLE, "cannot run %s: %s", r->reexec.path, strerror(errno));
}

static void
look(struct server_state *s)
{
	conns_numbers(s);
	s->draining = state.phase != SERVING;
	s->watcher_heard = (uint64_t)(now_unix() - (now_mono_ms() - watcher_heard()) / 1000);
}

int
run_start(struct run *r)
{
	static const struct watcher_news news = { conns_policy, conns_inventory };

	loop_init();
	watch_signals();
	conns_init(&r->config, r->open_files);
	zygotes_start(r->config_fd, r->keys_fd);
	watcher_start(r->config_fd, &news);
	if (r->config.metrics_listen[0] != '\0')
		metrics_start(r->config_fd, look);
	while (!zygotes_started() && !state.term && !state.interrupt) {
		turn();
		if (zygotes_failed())
			return JB_UNAVAILABLE;
	}
	return 0;
}
