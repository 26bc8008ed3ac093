/*
 * The processes that were started here: how each ended, signals for it, and
 * its hang-up when the connection leaves it behind.  Only the main process is
 * hung up: what the user detached on purpose lives on.  jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { STEP_MS = 2000 };

/* Without HUP one begins at the second, after a step's time. */
static const int hang_up[] = { SIGHUP, SIGTERM, SIGKILL };
enum { STEPS = sizeof(hang_up) / sizeof(hang_up[0]) };

/* Those of RFC 4254. */
static const struct {
	const char *name;
	int number;
} names[] = {
	{ "ABRT", SIGABRT },
	{ "ALRM", SIGALRM },
	{ "FPE", SIGFPE },
	{ "HUP", SIGHUP },
	{ "ILL", SIGILL },
	{ "INT", SIGINT },
	{ "KILL", SIGKILL },
	{ "PIPE", SIGPIPE },
	{ "QUIT", SIGQUIT },
	{ "SEGV", SIGSEGV },
	{ "TERM", SIGTERM },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
};

struct proc *
procs_add(struct helper *h, pid_t pid, struct chan *c)
{
	struct proc *p = xcalloc(1, sizeof(*p));

	p->pid = pid;
	p->chan = c;
	p->next = h->procs;
	h->procs = p;
	return p;
}

static void
forget(struct helper *h, struct proc *p)
{
	struct proc **at = &h->procs;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

static void
next_signal(struct proc *p, int64_t now)
{
	kill(p->pid, hang_up[p->step++]);
	kill(p->pid, SIGCONT); /* a stopped one would not notice */
	p->next_at = p->step < STEPS ? now + STEP_MS : 0;
}

void
procs_hang_up(struct helper *h, struct proc *p, bool hup)
{
	int64_t now = now_mono_ms();

	if (p->ended) {
		if (p->chan == NULL)
			forget(h, p);
		return;
	}
	p->step = hup ? 0 : 1;
	p->next_at = now + STEP_MS;
	if (hup)
		next_signal(p, now);
}

/* Like sshd to all of its group: `sh -c 'sleep 9'` is two processes. */
void
procs_signal(struct proc *p, struct mux_str name)
{
	size_t i;

	if (p == NULL || p->ended)
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name.n == strlen(names[i].name) && memcmp(name.s, names[i].name, name.n) == 0)
			if (kill(-p->pid, names[i].number) < 0) /* no group yet */
				kill(p->pid, names[i].number);
}

void
procs_reap(struct helper *h)
{
	struct proc *p;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (p = h->procs; p != NULL && p->pid != pid;)
			p = p->next;
		if (p == NULL)
			continue; /* one that resolved a name */
		p->ended = true;
		p->ended_at = now_mono_ms();
		p->status = status;
		if (p->chan == NULL)
			forget(h, p);
	}
}

int64_t
procs_timers(struct helper *h, int64_t now)
{
	struct proc *p, *next;
	int64_t at = 0;

	for (p = h->procs; p != NULL; p = next) {
		next = p->next;
		if (!p->ended && due(p->next_at, now))
			next_signal(p, now);
		if (!p->ended)
			at = sooner(at, p->next_at);
		else if (p->chan != NULL)
			at = sooner(at, exec_finish(h, p->chan, now));
	}
	return at;
}
