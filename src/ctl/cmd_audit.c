/*
 * audit ...: what was done, by whom and from where.  jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/util.h"

#include <stdio.h>

static const struct column audit_columns[] = {
	/* clang-format off */
	{ "id",     CELL_NUM,     true },
	{ "at",     CELL_TIME_MS, false },
	{ "event",  CELL_TEXT,    false },
	{ "actor",  CELL_TEXT,    false },
	{ "source", CELL_TEXT,    false },
	{ "conn",   CELL_CONN,    true },
	{ "user",   CELL_TEXT,    false },
	{ "target", CELL_TEXT,    false },
	{ "detail", CELL_TEXT,    false },
	/* clang-format on */
};
enum { NAUDIT = sizeof audit_columns / sizeof audit_columns[0] };

static void
audit_print(const struct audit_event *ev, void (*print)(const struct cell *, void *), void *arg)
{
	const struct cell cells[NAUDIT] = {
		C_NUM(ev->id),
		C_NUM(ev->at),
		C_TEXT(ev->event),
		C_TEXT(ev->actor),
		C_TEXT(ev->source),
		C_NUM(ev->conn),
		C_TEXT(ev->user),
		C_TEXT(ev->target),
		C_TEXT(ev->detail),
	};

	print(cells, arg);
}

/* ---- list -------------------------------------------------------------- */

static void
print_row(const struct cell *cells, void *arg)
{
	list_row(arg, cells);
}

static int
list_event(const struct audit_event *ev, void *arg)
{
	audit_print(ev, print_row, arg);
	return 0;
}

/* A WHEN that may also look back: -8h is eight hours ago. */
static int
parse_since(struct ctl *c, const char *s, int64_t *since)
{
	char ahead[32];
	int64_t span;

	if (s[0] != '-')
		return when_parse(s, now_unix(), since, &c->e);
	snprintf(ahead, sizeof ahead, "+%.30s", s + 1);
	if (when_parse(ahead, 0, &span, NULL) < 0)
		return ctl_fail(c, JB_BAD_INPUT,
		    "--since: \"%.60s\" is no time: say 2027-01-31, 2027-01-31T18:00 or -8h", s);
	*since = now_unix() - span;
	return 0;
}

static int
list_exec(struct ctl *c)
{
	const char *since = args_opt(c, "--since"), *limit = args_opt(c, "--limit");
	int64_t from = 0, max = 0;
	struct list l;
	int r;

	if (since != NULL && (r = parse_since(c, since, &from)) < 0)
		return r;
	if (limit != NULL && (r = input_number(c, limit, 1, "--limit", &max)) < 0)
		return r;
	list_begin(&l, c, audit_columns, NAUDIT);
	r = audit_each(c->st, from, args_opt(c, "--user"), max, list_event, &l);
	return ctl_stored(c, list_end(&l, r));
}

/* ---- export ------------------------------------------------------------ */

static void
print_line(const struct cell *cells, void *arg)
{
	(void)arg;
	out_json_line(audit_columns, NAUDIT, cells);
}

static int
export_event(const struct audit_event *ev, void *arg)
{
	audit_print(ev, print_line, arg);
	/* Nobody reads on: the rest need not be read either. */
	return ferror(stdout) ? JB_UNAVAILABLE : 0;
}

static int
export_exec(struct ctl *c)
{
	int r = audit_each(c->st, 0, NULL, 0, export_event, NULL);

	return ferror(stdout) ? 0 : ctl_stored(c, r);
}

static const struct ctl_opt list_opts[] = {
	{ "--user", "NAME", "only what this user did, or what was done to the user", false },
	{ "--since", "WHEN", "only from then on; -8h is eight hours ago", false },
	{ "--limit", "N", "only the newest N", false },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd audit_cmds[] = {
	/* clang-format off */
	{ "audit list", NULL, "list the audit, oldest first",
	  0, 0, DB_OPEN, list_opts, NULL, list_exec },
	{ "audit export", NULL, "print all of the audit, one JSON object a line",
	  0, 0, DB_OPEN, NULL, NULL, export_exec },
	{ .name = NULL },
	/* clang-format on */
};
