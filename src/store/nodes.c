/* Nodes: what jumpboxctl says of them, and how their engines last answered. */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------- */

#define NODE_COLUMNS                                                                      \
	"id, name, url, ca, cert, tls_key, insecure, enabled, region, state, last_seen, " \
	"last_error, state_since, revision, recording, helper"

static const char get_sql[] = "SELECT " NODE_COLUMNS " FROM nodes WHERE name = $1";
static const char get_id_sql[] = "SELECT " NODE_COLUMNS " FROM nodes WHERE id = $1";
static const char each_sql[] = "SELECT " NODE_COLUMNS " FROM nodes ORDER BY name";

struct node_walk {
	int (*fn)(const struct node *, void *);
	void *arg;
};

static int
node_row(sqlite3_stmt *q, void *arg)
{
	const struct node_walk *w = arg;
	const struct node n = {
		.id = col_int(q, 0),
		.name = col_text(q, 1),
		.url = col_text(q, 2),
		.ca = col_text(q, 3),
		.cert = col_text(q, 4),
		.key = col_text(q, 5),
		.insecure = col_int(q, 6) != 0,
		.enabled = col_int(q, 7) != 0,
		.region = col_text(q, 8),
		.state = col_text(q, 9),
		.last_seen = col_int(q, 10),
		.last_error = col_text(q, 11),
		.state_since = col_int(q, 12),
		.revision = col_int(q, 13),
		.record = col_text(q, 14),
		.helper = col_text(q, 15),
	};

	return w->fn(&n, w->arg);
}

int
node_get(struct store *st, const char *name, int (*fn)(const struct node *, void *), void *arg)
{
	struct node_walk w = { fn, arg };

	return store_missing(
	    st, sql_one(st, get_sql, PARAMS(P_TEXT(name)), node_row, &w), "node", name);
}

int
node_get_id(struct store *st, int64_t id, int (*fn)(const struct node *, void *), void *arg)
{
	struct node_walk w = { fn, arg };

	return store_missing_id(
	    st, sql_one(st, get_id_sql, PARAMS(P_INT(id)), node_row, &w), "node", id);
}

int
node_each(struct store *st, int (*fn)(const struct node *, void *), void *arg)
{
	struct node_walk w = { fn, arg };

	return sql_each(st, each_sql, NO_PARAMS, node_row, &w);
}

/* ---- keeping ----------------------------------------------------------- */

static const char *
dup_text(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

struct node *
node_dup(const struct node *n)
{
	struct node *copy = xcalloc(1, sizeof(*copy));

	*copy = *n;
	copy->name = dup_text(n->name);
	copy->url = dup_text(n->url);
	copy->ca = dup_text(n->ca);
	copy->cert = dup_text(n->cert);
	copy->key = dup_text(n->key);
	copy->region = dup_text(n->region);
	copy->state = dup_text(n->state);
	copy->last_error = dup_text(n->last_error);
	copy->record = dup_text(n->record);
	copy->helper = dup_text(n->helper);

	return copy;
}

void
node_free(struct node *n)
{
	if (n == NULL)
		return;
	free((char *)n->name);
	free((char *)n->url);
	free((char *)n->ca);
	free((char *)n->cert);
	free_secret((char *)n->key);
	free((char *)n->region);
	free((char *)n->state);
	free((char *)n->last_error);
	free((char *)n->record);
	free((char *)n->helper);
	free(n);
}

/* ---- adding and removing ----------------------------------------------- */

static const char count_sql[] = "SELECT count(*) FROM nodes";
static const char add_sql[] =
    "INSERT INTO nodes (name, url, ca, cert, tls_key, insecure, enabled, region)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char del_sql[] = "DELETE FROM nodes WHERE name = $1";
/*
 * Nobody looks at one that is disabled, and nobody has yet at one that is used again: not even a
 * watcher that did not live to see it disabled, which knows what it said before.
 */
static const char enable_sql[] =
    "UPDATE nodes SET enabled = $1, state = 'unknown', last_error = NULL, revision = revision + $1"
    " WHERE name = $2";

static int
node_insert(struct store *st, const struct actor *by, const struct node *n)
{
	char detail[200];
	int err = change_check_name(st, "node", n->name);

	if (err)
		return err;
	if (n->url == NULL || n->url[0] == '\0')
		return store_fail(st, JB_BAD_INPUT, "node %s needs a URL", n->name);
	snprintf(detail, sizeof(detail), "url=%.128s tls=%s insecure=%s", n->url,
	    n->cert != NULL ? "yes" : "no", n->insecure ? "yes" : "no");
	return change_put(st, by,
	    &(struct change){
		.sql = add_sql,
		.params = PARAMS(P_TEXT(n->name), P_TEXT(n->url), P_TEXT(n->ca), P_TEXT(n->cert),
		    P_TEXT(n->key), P_INT(n->insecure), P_INT(n->enabled), P_TEXT(n->region)),
		.noun = "node",
		.name = n->name,
		.event = "node.add",
		.target = n->name,
		.detail = detail,
	    });
}

int
node_add(struct store *st, const struct actor *by, const struct node *n)
{
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = node_insert(st, by, n);
	return txn_end(st, err);
}

int
node_add_first(struct store *st, const struct actor *by, const struct node *n)
{
	int64_t have = 0;
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = sql_value(st, count_sql, NO_PARAMS, &have);
	if (!err && have != 0)
		err = store_fail(st, JB_EXISTS, "there are nodes already");
	if (!err)
		err = node_insert(st, by, n);
	return txn_end(st, err);
}

int
node_del(struct store *st, const struct actor *by, const char *name)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = del_sql,
		.params = PARAMS(P_TEXT(name)),
		.noun = "node",
		.name = name,
		.event = "node.del",
		.target = name,
	    });
}

int
node_enable(struct store *st, const struct actor *by, const char *name, bool enabled)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = enable_sql,
		.params = PARAMS(P_INT(enabled), P_TEXT(name)),
		.noun = "node",
		.name = name,
		.event = enabled ? "node.enable" : "node.disable",
		.target = name,
	    });
}

/* ---- settings ---------------------------------------------------------- */

/* Another address or another key is another engine until it has answered. */
#define ANEW ", state = 'unknown', last_error = NULL WHERE name = $2"

static const char set_url_sql[] = "UPDATE nodes SET url = $1" ANEW;
static const char set_insecure_sql[] = "UPDATE nodes SET insecure = $1" ANEW;
static const char set_ca_sql[] = "UPDATE nodes SET ca = $1" ANEW;
static const char set_cert_sql[] = "UPDATE nodes SET cert = $1" ANEW;
static const char set_key_sql[] = "UPDATE nodes SET tls_key = $1" ANEW;
static const char set_region_sql[] = "UPDATE nodes SET region = $1 WHERE name = $2";
static const char set_record_sql[] = "UPDATE nodes SET recording = $1 WHERE name = $2";
static const char set_helper_sql[] = "UPDATE nodes SET helper = $1 WHERE name = $2";

static const struct setting settings[] = {
	/* clang-format off */
	/* key        statement         value           optional secret choices */
	{ "url",      set_url_sql,      setting_text,   false, false, { NULL } },
	{ "region",   set_region_sql,   setting_text,   true,  false, { NULL } },
	{ "insecure", set_insecure_sql, setting_yes_no, false, false, { NULL } },
	{ "ca",       set_ca_sql,       setting_text,   true,  true,  { NULL } },
	{ "cert",     set_cert_sql,     setting_text,   true,  true,  { NULL } },
	{ "key",      set_key_sql,      setting_text,   true,  true,  { NULL } },
	{ "record",   set_record_sql,   setting_choice, true,  false, { "on", "off" } },
	{ "helper",   set_helper_sql,   setting_choice, true,  false, { "on", "off" } },
	{ .key = NULL },
	/* clang-format on */
};

int
node_set(
    struct store *st, const struct actor *by, const char *name, const char *key, const char *value)
{
	return setting_apply(st, by, settings, key, value,
	    (struct change){
		.noun = "node",
		.name = name,
		.event = "node.set",
		.target = name,
	    });
}

/* ---- what was seen of it ------------------------------------------------ */

/* A busy node's rows are written several times a second: its own row says so only now and then. */
enum { SEEN_AGAIN = 5 };
static const char seen_sql[] = "SELECT id FROM nodes WHERE id = $1 AND state = 'connected'"
			       " AND last_error IS NULL AND last_seen > $2 AND last_seen <= $3";
static const char connected_sql[] =
    "UPDATE nodes SET state = 'connected', last_error = NULL, last_seen = $1 WHERE id = $2";
static const char failed_sql[] = "UPDATE nodes SET state = 'failed', last_error = $1 WHERE id = $2";

int
node_set_connected(struct store *st, int64_t id)
{
	int64_t now = now_unix(), same;
	int err =
	    sql_value(st, seen_sql, PARAMS(P_INT(id), P_INT(now - SEEN_AGAIN), P_INT(now)), &same);

	if (err == JB_NOT_FOUND)
		err = sql_change(st, connected_sql, PARAMS(P_INT(now), P_INT(id)));
	return store_missing_id(st, err, "node", id);
}

int
node_set_failed(struct store *st, int64_t id, const char *error)
{
	int err = sql_change(st, failed_sql, PARAMS(P_TEXT(error), P_INT(id)));

	return store_missing_id(st, err, "node", id);
}

static const char current_sql[] =
    "SELECT id FROM nodes WHERE id = $1 AND revision = $2 AND enabled = 1";
static const char unseen_sql[] =
    "SELECT count(*) FROM nodes WHERE enabled = 1 AND state = 'unknown' AND last_seen = 0";

int
node_current(struct store *st, const struct node *n)
{
	int64_t id;
	int err = sql_value(st, current_sql, PARAMS(P_INT(n->id), P_INT(n->revision)), &id);

	return store_missing_id(st, err, "node", n->id);
}

int
node_count_unseen(struct store *st, int64_t *n)
{
	return sql_value(st, unseen_sql, NO_PARAMS, n);
}
