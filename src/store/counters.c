/*
 * What has happened since the beginning, and what is so now, as numbers.  The
 * triggers count (migrations.c); the broker adds what comes to no row, and
 * jumpbox-metrics reads.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

/* ---- counters ---------------------------------------------------------- */

/* A row may have been made again by the end of something on a node that was deleted before. */
static const char each_sql[] =
    "SELECT node, what, result, value FROM counters c WHERE name = $1"
    " AND (node = '' OR EXISTS (SELECT 1 FROM nodes n WHERE n.name = c.node))"
    " ORDER BY node, what, result";
static const char failed_sql[] =
    "INSERT INTO counters (name, node, what, result, value)"
    " VALUES ('attach_failures', $1, $2, '', 1)"
    " ON CONFLICT (name, node, what, result) DO UPDATE SET value = counters.value + 1";

struct counter_walk {
	int (*fn)(const struct counter *, void *);
	void *arg;
};

static int
counter_row(sqlite3_stmt *q, void *arg)
{
	const struct counter_walk *w = arg;
	const struct counter c = {
		.node = col_text(q, 0),
		.what = col_text(q, 1),
		.result = col_text(q, 2),
		.value = col_int(q, 3),
	};

	return w->fn(&c, w->arg);
}

int
counter_each(
    struct store *st, const char *name, int (*fn)(const struct counter *, void *), void *arg)
{
	struct counter_walk w = { fn, arg };

	return sql_each(st, each_sql, PARAMS(P_TEXT(name)), counter_row, &w);
}

int
counter_attach_failed(struct store *st, const char *node, const char *reason)
{
	return sql_run(st, failed_sql, PARAMS(P_TEXT(node), P_TEXT(reason)));
}

/* ---- latency ----------------------------------------------------------- */

static const char latency_sql[] = "SELECT le_ms, n, sum_ms FROM attach_latency ORDER BY le_ms";

struct latency_walk {
	int (*fn)(const struct latency *, void *);
	void *arg;
};

static int
latency_row(sqlite3_stmt *q, void *arg)
{
	const struct latency_walk *w = arg;
	const struct latency l = { col_int(q, 0), col_int(q, 1), col_int(q, 2) };

	return w->fn(&l, w->arg);
}

int
latency_each(struct store *st, int (*fn)(const struct latency *, void *), void *arg)
{
	struct latency_walk w = { fn, arg };

	return sql_each(st, latency_sql, NO_PARAMS, latency_row, &w);
}

/* ---- what is so now ---------------------------------------------------- */

static const char states_sql[] = "SELECT name, state, enabled, last_seen FROM nodes ORDER BY name";
static const char live_sql[] =
    "SELECT count(*) FROM sessions WHERE ended = 0 AND host = $1 AND boot_id = $2";

struct state_walk {
	int (*fn)(const char *, const char *, bool, int64_t, void *);
	void *arg;
};

static int
state_row(sqlite3_stmt *q, void *arg)
{
	const struct state_walk *w = arg;

	return w->fn(col_text(q, 0), col_text(q, 1), col_int(q, 2) != 0, col_int(q, 3), w->arg);
}

int
node_each_state(struct store *st,
    int (*fn)(const char *name, const char *state, bool enabled, int64_t last_seen, void *),
    void *arg)
{
	struct state_walk w = { fn, arg };

	return sql_each(st, states_sql, NO_PARAMS, state_row, &w);
}

int
session_count(struct store *st, int64_t *live)
{
	return sql_value(st, live_sql, PARAMS(P_TEXT(host_name()), P_TEXT(boot_id())), live);
}
