/*
 * group ...: users that share grants.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

static int
add_prepare(struct ctl *c)
{
	return input_name(c, "group", c->arg[0]);
}

static int
add_exec(struct ctl *c)
{
	int r = ctl_stored(c, group_add(c->st, &c->by, c->arg[0]));

	if (r == 0)
		out_made(c, "name", c->arg[0]);
	return r;
}

static int
del_exec(struct ctl *c)
{
	return ctl_done(c, group_del(c->st, &c->by, c->arg[0]));
}

static int
join_exec(struct ctl *c)
{
	return ctl_done(c, group_join(c->st, &c->by, c->arg[0], c->arg[1]));
}

static int
leave_exec(struct ctl *c)
{
	return ctl_done(c, group_leave(c->st, &c->by, c->arg[0], c->arg[1]));
}

/* ---- list: rows of (group, member) become one row a group --------------- */

static const struct column group_columns[] = {
	{ "name", CELL_TEXT, false },
	{ "members", CELL_TEXT, false },
};

struct group_walk {
	struct list list;
	char *name, *members; /* of the group that is being read; NULL: none yet */
};

static void
walk_flush(struct group_walk *w)
{
	if (w->name != NULL)
		list_row(&w->list, (struct cell[]){ C_TEXT(w->name), C_TEXT(w->members) });
	free(w->name);
	free(w->members);
	w->name = w->members = NULL;
}

static int
list_member(const char *group, const char *user, void *arg)
{
	struct group_walk *w = arg;
	char *longer;

	if (w->name == NULL || strcmp(w->name, group) != 0) {
		walk_flush(w);
		w->name = xstrdup(group);
		w->members = xstrdup(user != NULL ? user : "");
		return 0;
	}
	longer = xasprintf("%s,%s", w->members, user);
	free(w->members);
	w->members = longer;
	return 0;
}

static int
list_exec(struct ctl *c)
{
	struct group_walk w = { .name = NULL };
	int r;

	list_begin(&w.list, c, group_columns, 2);
	r = group_each(c->st, list_member, &w);
	walk_flush(&w);
	return ctl_stored(c, list_end(&w.list, r));
}

const struct ctl_cmd group_cmds[] = {
	/* clang-format off */
	{ "group add", "NAME", "add a group",
	  1, 1, DB_CREATE, NULL, add_prepare, add_exec },
	{ "group del", "NAME", "delete a group and the grants to it",
	  1, 1, DB_OPEN, NULL, NULL, del_exec },
	{ "group join", "GROUP USER", "make a user a member",
	  2, 2, DB_OPEN, NULL, NULL, join_exec },
	{ "group leave", "GROUP USER", "end a membership",
	  2, 2, DB_OPEN, NULL, NULL, leave_exec },
	{ "group list", NULL, "list the groups and their members",
	  0, 0, DB_OPEN, NULL, NULL, list_exec },
	{ .name = NULL },
	/* clang-format on */
};
