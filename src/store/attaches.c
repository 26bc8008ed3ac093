/*
 * Attaches: one row per stream into a container, with its two audit rows.
 * Broker; the cleaner closes those that a broker left.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>

static const char live_sql[] = "SELECT conn FROM sessions WHERE id = $1 AND ended = 0";
static const char open_sql[] =
    "INSERT INTO attaches (session_id, conn, request, marker, node_id, node, container_id,"
    " container, run_as, exec_id, kind, command, tty, opened, recording)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id";

static int
open_put(struct store *st, const struct attach *a, int64_t *id)
{
	int64_t conn;
	int err = sql_value(st, live_sql, PARAMS(P_INT(a->session_id)), &conn);

	if (err)
		return store_missing_id(st, err, "live session", a->session_id);
	return sql_value(st, open_sql,
	    PARAMS(P_INT(a->session_id), P_INT(a->conn), P_INT(a->request), P_TEXT(a->marker),
		P_INT(a->node_id), P_TEXT(a->node), P_TEXT(a->container_id), P_TEXT(a->container),
		P_TEXT(a->run_as), P_TEXT(a->exec_id), P_TEXT(a->kind), P_TEXT(a->command),
		P_INT(a->tty), P_INT(now_unix()), P_TEXT(a->recording)),
	    id);
}

/* The command comes last, as it is: nothing in it can be taken for another field. */
static int
open_audit(struct store *st, const struct actor *by, const struct attach *a, int64_t id)
{
	char *target = xasprintf("%s/%s", a->node, a->container);
	char *detail = xasprintf(
	    "attach=%lld session=%lld container=%.12s kind=%s tty=%s as=%s recording=%s%s%s",
	    (long long)id, (long long)a->session_id, a->container_id, a->kind,
	    a->tty ? "yes" : "no", a->run_as != NULL ? a->run_as : "-",
	    a->recording != NULL ? a->recording : "-", a->command != NULL ? " command=" : "",
	    a->command != NULL ? a->command : "");
	int err = audit_put(st, by, "attach.open", by->name, target, detail);

	free(target);
	free(detail);
	return err;
}

int
attach_open(struct store *st, const struct actor *by, const struct attach *a, int64_t *id)
{
	int64_t made = 0;
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = open_put(st, a, &made);
	if (!err)
		err = open_audit(st, by, a, made);
	err = txn_end(st, err);
	if (!err)
		*id = made;
	return err;
}

/* ---- the exec's id, once the engine has named it ------------------------ */

static const char exec_sql[] = "UPDATE attaches SET exec_id = $1 WHERE id = $2 AND closed = 0";

int
attach_set_exec(struct store *st, int64_t id, const char *exec_id)
{
	return store_missing_id(
	    st, sql_change(st, exec_sql, PARAMS(P_TEXT(exec_id), P_INT(id))), "open attach", id);
}

static const char opened_sql[] = "UPDATE attaches SET open_ms = $1 WHERE id = $2";

int
attach_set_opened(struct store *st, int64_t id, int64_t ms)
{
	return sql_run(st, opened_sql, PARAMS(P_INT(ms), P_INT(id)));
}

/* ---- what it says of files ----------------------------------------------- */

static const char note_sql[] = "SELECT node || '/' || container FROM attaches WHERE id = $1";

struct note {
	struct store *st;
	const struct actor *by;
	const char *detail;
};

static int
noted_row(sqlite3_stmt *q, void *arg)
{
	const struct note *n = arg;

	return audit_put(n->st, n->by, "file.note", n->by->name, col_text(q, 0), n->detail);
}

int
attach_note(struct store *st, const struct actor *by, int64_t id, const char *who, const char *line)
{
	char *detail = xasprintf("attach=%lld %s: %s", (long long)id, who, line);
	struct note n = { st, by, detail };
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = sql_one(st, note_sql, PARAMS(P_INT(id)), noted_row, &n);
	err = txn_end(st, store_missing_id(st, err, "attach", id));
	free(detail);
	return err;
}

/* ---- closing ----------------------------------------------------------- */

static const char leave_sql[] =
    "UPDATE attaches SET bytes_in = bytes_in + $1, bytes_out = bytes_out + $2, how = $3"
    " WHERE id = $4 AND closed = 0 RETURNING session_id";
static const char close_sql[] =
    "UPDATE attaches SET closed = $1, bytes_in = bytes_in + $2, bytes_out = bytes_out + $3,"
    " exit_code = $4, how = ifnull(how, $5) WHERE id = $6 AND closed = 0"
    " RETURNING session_id, node || '/' || container, bytes_in, bytes_out, how";
static const char add_bytes_sql[] =
    "UPDATE sessions SET bytes_in = bytes_in + $1, bytes_out = bytes_out + $2 WHERE id = $3";

struct closing {
	struct store *st;
	const struct actor *by;
	int64_t id, bytes_in, bytes_out;
	int exit_code;
};

/* Only those that this change brings: its session has the others. */
static int
add_bytes(const struct closing *c, int64_t session)
{
	return sql_run(
	    c->st, add_bytes_sql, PARAMS(P_INT(c->bytes_in), P_INT(c->bytes_out), P_INT(session)));
}

static int
left_row(sqlite3_stmt *q, void *arg)
{
	return add_bytes(arg, col_int(q, 0));
}

static int
closed_row(sqlite3_stmt *q, void *arg)
{
	const struct closing *c = arg;
	char status[16] = "unknown", *detail;
	int err = add_bytes(c, col_int(q, 0));

	if (err)
		return err;
	if (c->exit_code >= 0)
		snprintf(status, sizeof(status), "%d", c->exit_code);
	detail = xasprintf("attach=%lld in=%lld out=%lld status=%s how=%s", (long long)c->id,
	    (long long)col_int(q, 2), (long long)col_int(q, 3), status, col_text(q, 4));
	err = audit_put(c->st, c->by, "attach.close", c->by->name, col_text(q, 1), detail);
	free(detail);
	return err;
}

int
attach_leave(struct store *st, int64_t id, int64_t bytes_in, int64_t bytes_out, const char *how)
{
	struct closing c = { st, NULL, id, bytes_in, bytes_out, -1 };
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = sql_one(st, leave_sql,
		    PARAMS(P_INT(bytes_in), P_INT(bytes_out), P_TEXT(how), P_INT(id)), left_row,
		    &c);
	return txn_end(st, store_missing_id(st, err, "open attach", id));
}

int
attach_close(struct store *st, const struct actor *by, int64_t id, int64_t bytes_in,
    int64_t bytes_out, int exit_code, const char *how)
{
	struct closing c = { st, by, id, bytes_in, bytes_out, exit_code };
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = sql_one(st, close_sql,
		    PARAMS(P_INT(now_unix()), P_INT(bytes_in), P_INT(bytes_out), P_INT(exit_code),
			P_TEXT(how), P_INT(id)),
		    closed_row, &c);
	return txn_end(st, store_missing_id(st, err, "open attach", id));
}

/* ---- what is open ------------------------------------------------------ */

#define ATTACH_COLUMNS                                                                           \
	"id, session_id, conn, request, marker, node_id, node, container_id, container, run_as," \
	" exec_id, kind, command, tty, recording, opened, closed"

static const char each_sql[] =
    "SELECT " ATTACH_COLUMNS " FROM attaches WHERE closed = 0 ORDER BY id";
static const char each_left_sql[] =
    "SELECT " ATTACH_COLUMNS " FROM attaches WHERE closed = 0 AND session_id IN"
    " (SELECT id FROM sessions WHERE ended <> 0 AND host = $1) ORDER BY id";
static const char each_of_sql[] =
    "SELECT " ATTACH_COLUMNS " FROM attaches WHERE session_id = $1 AND closed = 0 ORDER BY id";

struct attach_walk {
	int (*fn)(const struct attach *, void *);
	void *arg;
};

static int
attach_row(sqlite3_stmt *q, void *arg)
{
	const struct attach_walk *w = arg;
	const struct attach a = {
		.id = col_int(q, 0),
		.session_id = col_int(q, 1),
		.conn = (uint64_t)col_int(q, 2),
		.request = (uint32_t)col_int(q, 3),
		.marker = col_text(q, 4),
		.node_id = col_int(q, 5),
		.node = col_text(q, 6),
		.container_id = col_text(q, 7),
		.container = col_text(q, 8),
		.run_as = col_text(q, 9),
		.exec_id = col_text(q, 10),
		.kind = col_text(q, 11),
		.command = col_text(q, 12),
		.tty = col_int(q, 13) != 0,
		.recording = col_text(q, 14),
		.opened = col_int(q, 15),
		.closed = col_int(q, 16),
	};

	return w->fn(&a, w->arg);
}

int
attach_each_open(
    struct store *st, int64_t session_id, int (*fn)(const struct attach *, void *), void *arg)
{
	struct attach_walk w = { fn, arg };

	if (session_id == 0)
		return sql_each(st, each_sql, NO_PARAMS, attach_row, &w);
	return sql_each(st, each_of_sql, PARAMS(P_INT(session_id)), attach_row, &w);
}

int
attach_each_left(
    struct store *st, const char *host, int (*fn)(const struct attach *, void *), void *arg)
{
	struct attach_walk w = { fn, arg };

	return sql_each(st, each_left_sql, PARAMS(P_TEXT(host)), attach_row, &w);
}

/* ---- recordings ---------------------------------------------------------- */

static const char each_recorded_sql[] =
    "SELECT " ATTACH_COLUMNS
    " FROM attaches WHERE session_id = $1 AND recording IS NOT NULL ORDER BY id";
static const char unrecorded_sql[] = "UPDATE attaches SET recording = NULL WHERE id = $1";
static const char forget_sql[] = "UPDATE attaches SET recording = NULL WHERE recording = $1";

int
attach_each_recorded(
    struct store *st, int64_t session_id, int (*fn)(const struct attach *, void *), void *arg)
{
	struct attach_walk w = { fn, arg };

	return sql_each(st, each_recorded_sql, PARAMS(P_INT(session_id)), attach_row, &w);
}

static const char newest_sql[] =
    "SELECT a.session_id, (SELECT count(*) FROM attaches b WHERE b.session_id = a.session_id"
    " AND b.recording IS NOT NULL AND b.id <= a.id), s.user_name, a.node, a.container, a.opened,"
    " a.closed FROM attaches a JOIN sessions s ON s.id = a.session_id"
    " WHERE a.recording IS NOT NULL ORDER BY a.id DESC LIMIT $1";

struct recording_walk {
	int (*fn)(const struct recording_row *, void *);
	void *arg;
};

static int
recording_row(sqlite3_stmt *q, void *arg)
{
	const struct recording_walk *w = arg;
	const struct recording_row r = {
		.session = col_int(q, 0),
		.n = col_int(q, 1),
		.user = col_text(q, 2),
		.node = col_text(q, 3),
		.container = col_text(q, 4),
		.opened = col_int(q, 5),
		.closed = col_int(q, 6),
	};

	return w->fn(&r, w->arg);
}

int
recording_each(struct store *st, int (*fn)(const struct recording_row *, void *), void *arg)
{
	struct recording_walk w = { fn, arg };

	return sql_each(st, newest_sql, PARAMS(P_INT(RECORDINGS_SHOWN)), recording_row, &w);
}

int
attach_unrecorded(struct store *st, int64_t id)
{
	return store_missing_id(
	    st, sql_change(st, unrecorded_sql, PARAMS(P_INT(id))), "attach", id);
}

int
recording_forget(struct store *st, const struct actor *by, const char *name)
{
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = sql_run(st, forget_sql, PARAMS(P_TEXT(name)));
	if (!err)
		err = audit_put(st, by, "recording.del", NULL, name, NULL);
	return txn_end(st, err);
}
