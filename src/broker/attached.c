/*
 * The list of a connection's attaches, and how each comes to its end.
 * Broker.
 */
#include "attached.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the list ------------------------------------------------------------- */

struct attached *
attached_new(struct broker *b, uint32_t id)
{
	struct attached *a = xcalloc(1, sizeof(*a));

	a->id = id;
	a->asked = now_mono_ms();
	a->exit_code = -1;
	a->stream = a->recording = -1;
	*b->attached_tail = a;
	b->attached_tail = &a->next;
	b->nattached++;
	return a;
}

struct attached *
attached_find(const struct broker *b, uint32_t id)
{
	struct attached *a;

	for (a = b->attached; a != NULL && a->id != id; a = a->next)
		;
	return a;
}

static void
unlink_from(struct broker *b, struct attached *a)
{
	struct attached **p = &b->attached;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	if (*p == NULL)
		b->attached_tail = p;
	b->nattached--;
}

void
attached_slim(struct attached *a)
{
	size_t i;

	for (i = 0; a->env != NULL && a->env[i] != NULL; i++)
		free_secret(a->env[i]);
	free(a->env);
	a->env = NULL;
	free_secret(a->command);
	a->command = NULL;
}

bool
attached_runs(const struct attached *a)
{
	return a->started && !a->exited;
}

/* Whoever still holds the stream, it is dead: what the user started may not be to be found. */
static void
hang_up(struct attached *a)
{
	if (a->stream < 0)
		return;
	shutdown(a->stream, SHUT_RDWR);
	close(a->stream);
	a->stream = -1;
}

void
attached_forget(struct broker *b, struct attached *a)
{
	hang_up(a);
	recording_drop(b, a);
	if (a->row != 0 && attached_runs(a))
		closing_leave(b, a);
	else if (a->row != 0)
		closing_attach(b, a);
	child_stop(a->opener);
	child_stop(a->resizer);
	child_stop(a->signaller);
	child_stop(a->inspector);
	child_stop(a->ender);
	unlink_from(b, a);
	held_node_put(b, a->exec.node);
	attached_slim(a);
	free(a->exec.run_as);
	free(a->wanted_run_as);
	free(a->shell);
	free(a->items);
	free(a->known_as);
	free(a->name);
	free(a->image);
	free(a->labels);
	free(a->owner);
	free(a);
}

/* ---- ending what runs ------------------------------------------------------ */

static void
end_message(struct broker *b, void *owner, struct msg *m)
{
	struct attached *a = owner;
	uint32_t running = msg_get_u32(m), code = msg_get_u32(m);

	(void)b;
	if (m->type == CHILD_STATUS && msg_end(m) && !running) {
		a->exited = true;
		a->exit_code = (int)code;
	}
}

static void
end_ended(struct broker *b, void *owner, bool late)
{
	struct attached *a = owner;

	if (late)
		log_warn("attach.not_ended", F_NUM("attach", a->row),
		    F_STR("reason", "no answer in time"));
	else
		a->started = false; /* whatever can be done has been done */
	a->ender = NULL;
	attached_settle(b, a);
}

/* The signals take 4 s, finding the process and asking how it ended more on a busy node. */
enum { END_EXEC_LIMIT_MS = 20000 };

static const struct child_kind ender_kind = { END_EXEC_LIMIT_MS, run_end, end_message, end_ended };

void
attached_settle(struct broker *b, struct attached *a)
{
	if (!a->detached)
		return;
	hang_up(a);
	if (a->ender == NULL && !attached_runs(a))
		attached_forget(b, a);
}

void
attached_leave(struct broker *b, struct attached *a, const char *how)
{
	if (a->how[0] == '\0')
		snprintf(a->how, sizeof(a->how), "%s", how);
	if (a->phase != AT_OPEN) { /* an open one may have its relay there */
		child_stop(a->opener);
		a->opener = NULL;
	}
	if (a->kind == ATTACH_HELPER)
		hang_up(a); /* the end of its input is what it obeys */
	a->phase = AT_LEAVING;
	if (attached_runs(a) && a->ender == NULL)
		a->ender = child_start(b, &ender_kind, a);
}

void
attached_leave_all(struct broker *b, const char *how)
{
	struct attached *a, *next;

	for (a = b->attached; a != NULL; a = next) {
		next = a->next;
		a->detached = true;
		attached_leave(b, a, how);
		attached_settle(b, a);
	}
}

/* ---- a session that does not let go -------------------------------------------- */

int64_t
attached_deadline(const struct broker *b)
{
	const struct attached *a;
	int64_t first = 0;

	for (a = b->attached; a != NULL; a = a->next)
		if (!a->detached)
			first = sooner(first, a->detach_by);
	return first;
}

void
attached_tick(struct broker *b, int64_t now, bool quiet)
{
	struct attached *a, *holder;
	bool kept = false;

	for (a = b->attached; a != NULL; a = a->next) {
		if (a->detach_by != 0 && !a->detached && a->detach_by <= now) {
			holder = a->carried ? attached_find(b, a->carrier) : a;
			if (holder != NULL)
				hang_up(holder);
			kept = true;
		}
	}
	if (kept && quiet && b->pair >= 0)
		broker_protocol(b, EVT_DETACH, "a withdrawn stream that was not given up");
}
