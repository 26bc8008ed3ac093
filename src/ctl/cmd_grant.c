/*
 * grant ...: who may reach what.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <string.h>

static int
record_check(struct ctl *c, const char *record)
{
	if (record == NULL || strcmp(record, "off") == 0 || strcmp(record, "on") == 0)
		return 0;
	return ctl_fail(c, JB_BAD_INPUT, "--record: on or off, not \"%.60s\"", record);
}

static int
add_prepare(struct ctl *c)
{
	const char *as = args_opt(c, "--as"), *until = args_opt(c, "--until");
	int r;

	if ((r = selector_check(c->arg[1], &c->e)) < 0)
		return r;
	if (as != NULL && (r = run_as_check(as, &c->e)) < 0)
		return r;
	if (until != NULL && (r = input_until(c, until, &c->when)) < 0)
		return r;
	return record_check(c, args_opt(c, "--record"));
}

static int
add_exec(struct ctl *c)
{
	const char *allow = args_opt(c, "--allow"), *who = c->arg[0];
	char items[ALLOW_TEXT];
	struct grant g = {
		.user = who[0] != '@' ? who : NULL,
		.group = who[0] == '@' ? who + 1 : NULL,
		.selector = c->arg[1],
		.allow = items,
		.run_as = args_opt(c, "--as"),
		.until = c->when,
		.record = args_opt(c, "--record"),
	};
	uint32_t mask;
	int64_t id;
	int r;

	if (allow == NULL)
		allow_print(PERM_DEFAULT, items);
	else if ((r = allow_parse(allow, &mask, items, &c->e)) < 0)
		return r;
	if ((r = ctl_stored(c, grant_add(c->st, &c->by, &g, &id))) == 0)
		out_made_number(c, "id", id);
	return r;
}

/* ---- list -------------------------------------------------------------- */

static const struct column grant_columns[] = {
	/* clang-format off */
	{ "id",       CELL_NUM,  false },
	{ "user",     CELL_TEXT, false },
	{ "group",    CELL_TEXT, false },
	{ "selector", CELL_TEXT, false },
	{ "allow",    CELL_TEXT, false },
	{ "run_as",   CELL_TEXT, false },
	{ "until",    CELL_TIME, false },
	{ "record",   CELL_TEXT, true },
	{ "created",  CELL_TIME, true },
	/* clang-format on */
};
enum { NGRANT = sizeof grant_columns / sizeof grant_columns[0] };

static int
list_grant(const struct grant *g, void *arg)
{
	list_row(arg,
	    (struct cell[NGRANT]){
		C_NUM(g->id),
		C_TEXT(g->user),
		C_TEXT(g->group),
		C_TEXT(g->selector),
		C_TEXT(g->allow),
		C_TEXT(g->run_as),
		C_NUM(g->until),
		C_TEXT(g->record),
		C_NUM(g->created),
	    });
	return 0;
}

static int
list_exec(struct ctl *c)
{
	const char *user = args_opt(c, "--user");
	struct list l;
	int r;

	list_begin(&l, c, grant_columns, NGRANT);
	if (user != NULL)
		r = grant_each_of(c->st, user, list_grant, &l);
	else
		r = grant_each(c->st, list_grant, &l);
	return ctl_stored(c, list_end(&l, r));
}

/* ---- del --------------------------------------------------------------- */

static int
del_exec(struct ctl *c)
{
	int64_t id;
	int r;

	if ((r = input_number(c, c->arg[0], 1, "a grant's number", &id)) < 0)
		return r;
	return ctl_done(c, grant_del(c->st, &c->by, id));
}

static const struct ctl_opt add_opts[] = {
	{ "--allow", "LIST",
	    "of: shell exec files files:ro forward forward:HOST:PORT logs power "
	    "(default: all but power)",
	    false },
	{ "--as", "USER[:GROUP]", "run as this user of the container", false },
	{ "--until", "WHEN", "the grant ends then", false },
	{ "--record", "on|off", "record terminals or not, whatever node and configuration say",
	    false },
	{ NULL, NULL, NULL, false },
};
static const struct ctl_opt list_opts[] = {
	{ "--user", "NAME", "only those of this user and of the user's groups", false },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd grant_cmds[] = {
	/* clang-format off */
	{ "grant add", "USER|@GROUP SELECTOR", "let a user or a group reach what SELECTOR matches",
	  2, 2, DB_OPEN, add_opts, add_prepare, add_exec },
	{ "grant list", NULL, "list the grants",
	  0, 0, DB_OPEN, list_opts, NULL, list_exec },
	{ "grant del", "ID", "delete a grant",
	  1, 1, DB_OPEN, NULL, NULL, del_exec },
	{ .name = NULL },
	/* clang-format on */
};
