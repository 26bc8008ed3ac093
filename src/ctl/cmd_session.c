/*
 * session ..., unlock: who is here, and who is kept out for a while.
 * jumpboxctl.
 */
#include "ctl.h"

#include "jumpbox/cidr.h"

#include <string.h>

/* ---- list -------------------------------------------------------------- */

static const struct column session_columns[] = {
	/* clang-format off */
	{ "id",          CELL_NUM,  false },
	{ "user",        CELL_TEXT, false },
	{ "source",      CELL_TEXT, false },
	{ "method",      CELL_TEXT, false },
	{ "container",   CELL_TEXT, false },
	{ "started",     CELL_TIME, false },
	{ "ended",       CELL_TIME, false },
	{ "how",         CELL_TEXT, false },
	{ "bytes_in",    CELL_NUM,  false },
	{ "bytes_out",   CELL_NUM,  false },
	{ "conn",        CELL_CONN, true },
	{ "host",        CELL_TEXT, true },
	{ "pid",         CELL_NUM,  true },
	{ "kill_reason", CELL_TEXT, true },
	/* clang-format on */
};
enum { NSESSION = sizeof session_columns / sizeof session_columns[0] };

static int
list_session(const struct session *s, void *arg)
{
	list_row(arg,
	    (struct cell[NSESSION]){
		C_NUM(s->id),
		C_TEXT(s->user),
		C_TEXT(s->source),
		C_TEXT(s->method),
		C_TEXT(s->container),
		C_NUM(s->started),
		C_NUM(s->ended),
		C_TEXT(s->how),
		C_NUM(s->bytes_in),
		C_NUM(s->bytes_out),
		C_NUM(s->conn),
		C_TEXT(s->host),
		C_NUM(s->pid),
		C_TEXT(s->kill_reason),
	    });
	return 0;
}

static int
list_exec(struct ctl *c)
{
	bool all = args_opt(c, "--all") != NULL;
	struct list l;

	list_begin(&l, c, session_columns, NSESSION);
	return ctl_stored(c, list_end(&l, session_each(c->st, all, list_session, &l)));
}

/* ---- kill -------------------------------------------------------------- */

enum { REASON_MAX = 200 };

static int
kill_exec(struct ctl *c)
{
	const char *reason = args_opt(c, "--reason");
	int64_t id;
	int r;

	if ((r = input_number(c, c->arg[0], 1, "a session's number", &id)) < 0)
		return r;
	if (reason != NULL && strlen(reason) > REASON_MAX)
		return ctl_fail(c, JB_BAD_INPUT, "--reason: at most %d bytes", REASON_MAX);
	if ((r = ctl_stored(c, session_kill(c->st, &c->by, id, reason))) == 0)
		out_done(c);
	return r;
}

/* ---- unlock ------------------------------------------------------------ */

static int
unlock_exec(struct ctl *c)
{
	const char *source = args_opt(c, "--source");
	char address[64];
	int r;

	if (address_normal(source, address, sizeof address) < 0)
		return ctl_fail(c, JB_BAD_INPUT,
		    "--source: \"%.60s\" is not an address: say 192.0.2.1 or 2001:db8::1", source);
	r = backoff_unlock(c->st, &c->by, BACKOFF_SOURCE, address);
	if (r == JB_NOT_FOUND)
		return ctl_fail(c, r, "%s is not kept out", address);
	if (r == 0)
		out_done(c);
	return ctl_stored(c, r);
}

static const struct ctl_opt list_opts[] = {
	{ "--all", NULL, "also those that have ended", false },
	{ NULL, NULL, NULL, false },
};
static const struct ctl_opt kill_opts[] = {
	{ "--reason", "TEXT", "what the user is told", false },
	{ NULL, NULL, NULL, false },
};
static const struct ctl_opt unlock_opts[] = {
	{ "--source", "ADDR", "the client's address", true },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd session_cmds[] = {
	/* clang-format off */
	{ "session list", NULL, "list the sessions that are live",
	  0, 0, DB_OPEN, list_opts, NULL, list_exec },
	{ "session kill", "ID", "end a session",
	  1, 1, DB_OPEN, kill_opts, NULL, kill_exec },
	{ "unlock", NULL, "end the back-off of an address after wrong passwords",
	  0, 0, DB_OPEN, unlock_opts, NULL, unlock_exec },
	{ .name = NULL },
	/* clang-format on */
};
