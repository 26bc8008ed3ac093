/*
 * session ...: who is here.  jumpboxctl.
 */
#include "ctl.h"

#include "replay.h"

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
	{ "recordings",  CELL_NUM,  false },
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
		C_NUM(s->recordings),
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
	return ctl_done(c, session_kill(c->st, &c->by, id, reason));
}

static const struct ctl_opt list_opts[] = {
	{ "--all", NULL, "also those that have ended", false },
	{ NULL, NULL, NULL, false },
};
static const struct ctl_opt kill_opts[] = {
	{ "--reason", "TEXT", "what the user is told", false },
	{ NULL, NULL, NULL, false },
};
const struct ctl_cmd session_cmds[] = {
	/* clang-format off */
	{ "session list", NULL, "list the sessions that are live",
	  0, 0, DB_OPEN, list_opts, NULL, list_exec },
	{ "session kill", "ID", "end a session",
	  1, 1, DB_OPEN, kill_opts, NULL, kill_exec },
	{ "session replay", "ID [N]", "play what was recorded of a session's terminal",
	  1, 2, DB_OPEN, replay_opts, replay_prepare, replay_exec },
	{ "session watch", "ID [N]", "show a terminal that is being recorded as it goes on",
	  1, 2, DB_OPEN, NULL, watch_prepare, watch_exec },
	{ .name = NULL },
	/* clang-format on */
};
