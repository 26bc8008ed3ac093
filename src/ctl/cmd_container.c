/*
 * container list: what the inventory last saw, all of it or as one user may
 * reach it.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <string.h>

static const struct column container_columns[] = {
	/* clang-format off */
	{ "name",       CELL_TEXT, false },
	{ "node",       CELL_TEXT, false },
	{ "state",      CELL_TEXT, false },
	{ "status",     CELL_TEXT, false },
	{ "image",      CELL_TEXT, false },
	{ "owner",      CELL_TEXT, false },
	{ "service",    CELL_TEXT, false },
	{ "ports",      CELL_TEXT, true },
	{ "gpus",       CELL_TEXT, true },
	{ "health",     CELL_TEXT, true },
	{ "exit_code",  CELL_NUM,  true },
	{ "oom",        CELL_BOOL, true },
	{ "started",    CELL_TIME, true },
	{ "finished",   CELL_TIME, true },
	{ "node_state", CELL_TEXT, true },
	{ "id",         CELL_TEXT, true },
	{ "created",    CELL_TIME, true },
	{ "seen",       CELL_TIME, true },
	{ "labels",     CELL_TEXT, true },
	/* With --user only. */
	{ "allow",      CELL_TEXT, false },
	{ "run_as",     CELL_TEXT, false },
	/* clang-format on */
};
enum { NALL = sizeof container_columns / sizeof container_columns[0], NPLAIN = NALL - 2 };

struct container_walk {
	struct list list;
	const struct subject *user; /* NULL: everybody's */
	int64_t now;
};

/* "3 hours" */
static const char *
age(int64_t seconds, char dst[static 32])
{
	static const struct unit {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	const struct unit *u = units;
	long long n;

	while (u->seconds > 1 && seconds < u->seconds)
		u++;
	n = seconds > 0 ? (long long)(seconds / u->seconds) : 0;
	snprintf(dst, 32, "%lld %s%s", n, u->name, n == 1 ? "" : "s");
	return dst;
}

/* "Up 3 hours (healthy)", "Exited (137) 2 days ago": the state as a sentence. */
static const char *
status(const struct container *k, int64_t now, char *dst, size_t size)
{
	bool up = strcmp(k->state, "running") == 0, ended = strcmp(k->state, "exited") == 0;
	char since[32];

	dst[0] = '\0';
	if (up && k->started > 0)
		snprintf(dst, size, "Up %s%s%s%s", age(now - k->started, since),
		    k->health[0] != '\0' ? " (" : "", k->health, k->health[0] != '\0' ? ")" : "");
	else if (ended && k->finished > 0)
		snprintf(dst, size, "Exited (%d) %s ago%s", k->exit_code,
		    age(now - k->finished, since), k->oom ? " (out of memory)" : "");
	return dst;
}

/* What a container has none of is not set. */
static const char *
unless_empty(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

static int
list_container(const struct container *k, void *arg)
{
	struct container_walk *w = arg;
	const struct facts f = { k->node, k->name, k->image, k->labels, k->owner };
	struct verdict v = { .perms = 0 };
	char allow[ALLOW_TEXT], text[96];

	if (w->user != NULL) {
		policy_decide(w->user, &f, PERM_SHELL, w->now, &v);
		if (v.perms == 0)
			return 0;
		if (!(v.perms & PERM_SHELL)) /* then a command's account is the one to show */
			policy_decide(w->user, &f, PERM_EXEC, w->now, &v);
	}
	allow_print(v.perms, allow);
	list_row(&w->list,
	    (struct cell[NALL]){
		C_TEXT(k->name),
		C_TEXT(k->node),
		C_TEXT(k->state),
		C_TEXT(unless_empty(status(k, w->now, text, sizeof text))),
		C_TEXT(k->image),
		C_TEXT(k->owner),
		C_TEXT(unless_empty(k->service)),
		C_TEXT(unless_empty(k->ports)),
		C_TEXT(unless_empty(k->gpus)),
		C_TEXT(unless_empty(k->health)),
		C_NUM(k->exit_code),
		C_NUM(k->oom),
		C_NUM(k->started),
		C_NUM(k->finished),
		C_TEXT(k->node_state),
		C_TEXT(k->id),
		C_NUM(k->created),
		C_NUM(k->seen),
		C_TEXT(k->labels),
		C_TEXT(allow),
		C_TEXT(v.run_as),
	    });
	return 0;
}

static int
list_all(struct ctl *c, const struct subject *user)
{
	struct container_walk w = { .user = user, .now = now_unix() };

	list_begin(&w.list, c, container_columns, user != NULL ? NALL : NPLAIN);
	return ctl_stored(c, list_end(&w.list, container_each(c->st, list_container, &w)));
}

static int
list_exec(struct ctl *c)
{
	const char *name = args_opt(c, "--user");
	struct subject s = { .grants = NULL };
	struct errtext why;
	int r;

	if (name == NULL)
		return list_all(c, NULL);
	if ((r = ctl_stored(c, subject_load(c->st, name, &s))) < 0)
		return r;
	if (standing_check(&s.standing, now_unix(), &why) < 0)
		ctl_warn("%.32s reaches nothing now: %.200s", name, why.s);
	r = list_all(c, &s);
	subject_release(&s);
	return r;
}

static const struct ctl_opt list_opts[] = {
	{ "--user", "NAME", "only what this user may reach, and how", false },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd container_cmds[] = {
	/* clang-format off */
	{ "container list", NULL, "list the containers as last seen",
	  0, 0, DB_OPEN, list_opts, NULL, list_exec },
	{ .name = NULL },
	/* clang-format on */
};
