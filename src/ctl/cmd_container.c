/*
 * container list: what the inventory last saw, all of it or as one user may
 * reach it.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

static const struct column container_columns[] = {
	/* clang-format off */
	{ "name",       CELL_TEXT, false },
	{ "node",       CELL_TEXT, false },
	{ "state",      CELL_TEXT, false },
	{ "status",     CELL_TEXT, false },
	{ "image",      CELL_TEXT, false },
	{ "owner",      CELL_TEXT, false },
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

static int
list_container(const struct container *k, void *arg)
{
	struct container_walk *w = arg;
	const struct facts f = { k->node, k->name, k->image, k->labels, k->owner };
	struct verdict v = { .perms = 0 };
	char allow[ALLOW_TEXT];

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
		C_TEXT(k->status),
		C_TEXT(k->image),
		C_TEXT(k->owner),
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
