/*
 * Sessions: one row per login, live until closed.  The broker opens and
 * closes its own; the cleaner closes those of brokers that died; jumpboxctl
 * lists them and asks for a kill.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------- */

#define SESSION_COLUMNS                                                                         \
	"s.id, s.conn, s.user_name, s.source, s.method, s.host, s.boot_id, s.pid, s.pid_start," \
	" s.started, s.ended, s.how, s.bytes_in, s.bytes_out,"                                  \
	" (SELECT a.node || '/' || a.container FROM attaches a"                                 \
	" WHERE a.session_id = s.id AND (a.closed = 0 OR s.ended <> 0)"                         \
	" ORDER BY a.id DESC LIMIT 1), s.kill_reason,"                                          \
	" (SELECT count(*) FROM attaches r WHERE r.session_id = s.id AND r.recording IS NOT NULL)"

static const char all_sql[] = "SELECT " SESSION_COLUMNS " FROM sessions s ORDER BY s.id";
static const char live_sql[] =
    "SELECT " SESSION_COLUMNS " FROM sessions s WHERE s.ended = 0 ORDER BY s.id";
static const char get_sql[] = "SELECT " SESSION_COLUMNS " FROM sessions s WHERE s.id = $1";

struct session_walk {
	int (*fn)(const struct session *, void *);
	void *arg;
};

static int
session_row(sqlite3_stmt *q, void *arg)
{
	const struct session_walk *w = arg;
	const struct session s = {
		.id = col_int(q, 0),
		.conn = (uint64_t)col_int(q, 1),
		.user = col_text(q, 2),
		.source = col_text(q, 3),
		.method = col_text(q, 4),
		.host = col_text(q, 5),
		.boot_id = col_text(q, 6),
		.pid = col_int(q, 7),
		.pid_start = (uint64_t)col_int(q, 8),
		.started = col_int(q, 9),
		.ended = col_int(q, 10),
		.how = col_text(q, 11),
		.bytes_in = col_int(q, 12),
		.bytes_out = col_int(q, 13),
		.container = col_text(q, 14),
		.kill_reason = col_text(q, 15),
		.recordings = col_int(q, 16),
	};

	return w->fn(&s, w->arg);
}

int
session_each(struct store *st, bool all, int (*fn)(const struct session *, void *), void *arg)
{
	struct session_walk w = { fn, arg };

	return sql_each(st, all ? all_sql : live_sql, NO_PARAMS, session_row, &w);
}

int
session_get(struct store *st, int64_t id, int (*fn)(const struct session *, void *), void *arg)
{
	struct session_walk w = { fn, arg };

	return store_missing_id(
	    st, sql_one(st, get_sql, PARAMS(P_INT(id)), session_row, &w), "session", id);
}

/* ---- closing ----------------------------------------------------------- */

static const char close_sql[] =
    "UPDATE sessions SET ended = $1, how = $2 WHERE id = $3 AND ended = 0"
    " RETURNING user_name, source, conn, bytes_in, bytes_out";

struct closing {
	struct store *st;
	int64_t id;
	const char *how;
};

static int
closed_row(sqlite3_stmt *q, void *arg)
{
	const struct closing *c = arg;
	const struct actor by = { col_text(q, 0), col_text(q, 1), (uint64_t)col_int(q, 2) };
	char number[24], detail[160];

	snprintf(number, sizeof(number), "%lld", (long long)c->id);
	snprintf(detail, sizeof(detail), "how=%.64s in=%lld out=%lld", c->how,
	    (long long)col_int(q, 3), (long long)col_int(q, 4));
	return audit_put(c->st, &by, "session.close", by.name, number, detail);
}

static int
close_put(struct store *st, int64_t id, const char *how)
{
	struct closing c = { st, id, how };
	int err = sql_one(
	    st, close_sql, PARAMS(P_INT(now_unix()), P_TEXT(how), P_INT(id)), closed_row, &c);

	return store_missing_id(st, err, "live session", id);
}

int
session_close(struct store *st, int64_t id, const char *how)
{
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = close_put(st, id, how);
	return txn_end(st, err);
}

/* ---- rows whose process is gone ---------------------------------------- */

bool
session_alive(const struct session *s)
{
	return strcmp(s->host, host_name()) == 0 && strcmp(s->boot_id, boot_id()) == 0 &&
	    proc_start_time(s->pid) == s->pid_start;
}

static const char here_sql[] =
    "SELECT " SESSION_COLUMNS " FROM sessions s WHERE s.ended = 0 AND s.host = $1";

struct lost {
	int64_t *id;
	size_t n, cap;
};

static int
take_lost(const struct session *s, void *arg)
{
	struct lost *l = arg;

	if (session_alive(s))
		return 0;
	if (l->n == l->cap) {
		l->cap = l->cap != 0 ? 2 * l->cap : 16;
		l->id = xreallocarray(l->id, l->cap, sizeof(*l->id));
	}
	l->id[l->n++] = s->id;
	return 0;
}

/* Looks without a lock, then closes what it found. */
int
session_close_lost(struct store *st, size_t *n)
{
	struct lost l = { 0 };
	struct session_walk w = { take_lost, &l };
	int err = sql_each(st, here_sql, PARAMS(P_TEXT(host_name())), session_row, &w);

	*n = 0;
	if (err || l.n == 0)
		goto out;
	err = txn_begin(st, TXN_WRITE);
	for (size_t i = 0; i < l.n && !err; i++) {
		err = close_put(st, l.id[i], "lost");
		if (err == JB_NOT_FOUND) /* somebody else was first */
			err = 0;
	}
	err = txn_end(st, err);
	*n = err ? 0 : l.n;
out:
	free(l.id);
	return err;
}

/* ---- opening ----------------------------------------------------------- */

static const char count_sql[] =
    "SELECT count(*), sum(CASE WHEN user_name = $1 THEN 1 ELSE 0 END) FROM sessions"
    " WHERE ended = 0 AND host = $2 AND boot_id = $3";
static const char open_sql[] =
    "INSERT INTO sessions (conn, user_name, source, method, host, boot_id, pid, pid_start, started)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id";
static const char login_sql[] = "UPDATE users SET last_login = $1 WHERE name = $2";

struct live {
	int64_t total, user;
};

static int
live_row(sqlite3_stmt *q, void *arg)
{
	*(struct live *)arg = (struct live){ col_int(q, 0), col_int(q, 1) };
	return 0;
}

static int
check_limits(
    struct store *st, const struct session *s, unsigned max_total, unsigned max_user, bool *full)
{
	struct live live = { 0, 0 };
	char number[16];
	int err = sql_each(st, count_sql,
	    PARAMS(P_TEXT(s->user), P_TEXT(s->host), P_TEXT(s->boot_id)), live_row, &live);

	if (err)
		return err;
	*full = true;
	if (max_total != 0 && live.total >= max_total) {
		snprintf(number, sizeof(number), "%u", max_total);
		return store_refuse(st, JB_TRY_AGAIN, W_SESSIONS_ALL, number, NULL);
	}
	if (max_user != 0 && live.user >= max_user) {
		snprintf(number, sizeof(number), "%u", max_user);
		return store_refuse(st, JB_TRY_AGAIN, W_SESSIONS_USER, s->user, number);
	}
	*full = false;
	return 0;
}

static int
open_put(struct store *st, const struct session *s, int64_t *id)
{
	const struct actor by = { s->user, s->source, s->conn };
	int64_t now = now_unix();
	char number[24], how[128];
	int err = sql_change(st, login_sql, PARAMS(P_INT(now), P_TEXT(s->user)));

	err = store_missing(st, err, "user", s->user);
	if (!err)
		err = sql_value(st, open_sql,
		    PARAMS(P_INT(s->conn), P_TEXT(s->user), P_TEXT(s->source), P_TEXT(s->method),
			P_TEXT(s->host), P_TEXT(s->boot_id), P_INT(s->pid), P_INT(s->pid_start),
			P_INT(now)),
		    id);
	if (err)
		return err;
	snprintf(number, sizeof(number), "%lld", (long long)*id);
	snprintf(how, sizeof(how), "%s%s%s", s->method, s->key ? " " : "", s->key ? s->key : "");
	return audit_put(st, &by, "login.ok", s->user, number, how);
}

static int
open_once(struct store *st, const struct session *s, unsigned max_total, unsigned max_user,
    bool *full, int64_t *id)
{
	int err = txn_begin(st, TXN_WRITE);

	*full = false;
	if (!err)
		err = check_limits(st, s, max_total, max_user, full);
	if (!err)
		err = open_put(st, s, id);
	return txn_end(st, err);
}

int
session_open(
    struct store *st, const struct session *s, unsigned max_total, unsigned max_user, int64_t *id)
{
	int64_t made = 0;
	struct errtext why;
	size_t closed;
	bool full;
	int err = open_once(st, s, max_total, max_user, &full, &made);

	if (err && full) {
		why = st->err;
		if (session_close_lost(st, &closed) == 0 && closed != 0)
			err = open_once(st, s, max_total, max_user, &full, &made);
		else
			st->err = why;
	}
	if (!err)
		*id = made;
	return err;
}

/* ---- asking for the end ------------------------------------------------ */

static const char kill_sql[] =
    "UPDATE sessions SET kill_reason = $1 WHERE id = $2 AND ended = 0 RETURNING user_name";

struct killing {
	struct store *st;
	const struct actor *by;
	int64_t id;
	const char *reason;
};

static int
killed_row(sqlite3_stmt *q, void *arg)
{
	const struct killing *k = arg;
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)k->id);
	return audit_put(k->st, k->by, "session.kill", col_text(q, 0), number, k->reason);
}

int
session_kill(struct store *st, const struct actor *by, int64_t id, const char *reason)
{
	struct killing k = { st, by, id, reason };
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = sql_one(st, kill_sql, PARAMS(P_TEXT(reason != NULL ? reason : ""), P_INT(id)),
		    killed_row, &k);
	return txn_end(st, store_missing_id(st, err, "live session", id));
}
