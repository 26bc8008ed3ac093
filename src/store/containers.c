/*
 * The inventory: containers as last seen on each node.  Written by the
 * node's watcher (and jumpboxctl), read by every menu.
 *
 * A listing of 10,000 containers mostly says what the rows say already.  So
 * the rows are compared first, and only what differs is written; `seen` is the
 * node's time of the last answer, not a column of each row.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------- */

#define CONTAINER_COLUMNS                                                                        \
	"c.ref, c.node_id, n.name, n.state, n.enabled, n.last_seen, c.container_id, c.name,"     \
	" c.image, c.state, c.labels, c.owner, c.created, c.service, c.ports, c.health, c.gpus," \
	" c.started, c.finished, c.exit_code, c.oom, n.region"

/* CROSS JOIN: by the nodes' names first, so that two indexes give the order. */
static const char each_sql[] =
    "SELECT " CONTAINER_COLUMNS " FROM nodes n CROSS JOIN containers c"
    " WHERE c.node_id = n.id AND n.enabled = 1 ORDER BY n.name, c.name, c.ref";
static const char get_sql[] =
    "SELECT " CONTAINER_COLUMNS " FROM containers c JOIN nodes n ON n.id = c.node_id"
    " WHERE c.ref = $1 AND n.enabled = 1";
/* Rows that changed themselves, by their index; all of the nodes that did, which are few. */
static const char since_sql[] =
    "SELECT " CONTAINER_COLUMNS " FROM containers c CROSS JOIN nodes n"
    " WHERE c.mark > $1 AND n.id = c.node_id"
    " UNION ALL SELECT " CONTAINER_COLUMNS " FROM nodes n CROSS JOIN containers c"
    " WHERE n.mark > $1 AND c.node_id = n.id AND c.mark <= $1";

struct container_walk {
	int (*fn)(const struct container *, void *);
	void *arg;
};

static int
container_row(sqlite3_stmt *q, void *arg)
{
	const struct container_walk *w = arg;
	const struct container c = {
		.ref = col_int(q, 0),
		.node_id = col_int(q, 1),
		.node = col_text(q, 2),
		.node_state = col_text(q, 3),
		.node_enabled = col_int(q, 4) != 0,
		.seen = col_int(q, 5),
		.id = col_text(q, 6),
		.name = col_text(q, 7),
		.image = col_text(q, 8),
		.state = col_text(q, 9),
		.labels = col_text(q, 10),
		.owner = col_text(q, 11),
		.created = col_int(q, 12),
		.service = col_text(q, 13),
		.ports = col_text(q, 14),
		.health = col_text(q, 15),
		.gpus = col_text(q, 16),
		.started = col_int(q, 17),
		.finished = col_int(q, 18),
		.exit_code = (int)col_int(q, 19),
		.oom = col_int(q, 20) != 0,
		.region = col_text(q, 21),
	};

	return w->fn(&c, w->arg);
}

int
container_each(struct store *st, int (*fn)(const struct container *, void *), void *arg)
{
	struct container_walk w = { fn, arg };

	return sql_each(st, each_sql, NO_PARAMS, container_row, &w);
}

int
container_get(struct store *st, int64_t ref, int (*fn)(const struct container *, void *), void *arg)
{
	struct container_walk w = { fn, arg };

	return store_missing_id(
	    st, sql_one(st, get_sql, PARAMS(P_INT(ref)), container_row, &w), "container", ref);
}

int
container_each_since(
    struct store *st, int64_t mark, int (*fn)(const struct container *, void *), void *arg)
{
	struct container_walk w = { fn, arg };

	return sql_each(st, since_sql, PARAMS(P_INT(mark)), container_row, &w);
}

/* ---- the mark ---------------------------------------------------------- */

static const char mark_sql[] = "SELECT mark FROM inventory WHERE one = 1";
static const char forgotten_sql[] = "SELECT forgotten FROM inventory WHERE one = 1";
static const char gone_sql[] = "SELECT ref FROM containers_gone WHERE mark > $1 ORDER BY mark";

int
inventory_mark(struct store *st, int64_t *mark)
{
	return sql_value(st, mark_sql, NO_PARAMS, mark);
}

struct gone_walk {
	int (*fn)(int64_t ref, void *);
	void *arg;
};

static int
gone_row(sqlite3_stmt *q, void *arg)
{
	const struct gone_walk *w = arg;

	return w->fn(col_int(q, 0), w->arg);
}

int
container_each_gone(struct store *st, int64_t mark, int (*fn)(int64_t ref, void *), void *arg)
{
	struct gone_walk w = { fn, arg };
	int64_t forgotten = 0;
	int err = sql_each(st, gone_sql, PARAMS(P_INT(mark)), gone_row, &w);

	/* Asked afterwards: between the two, some may have been forgotten. */
	if (!err)
		err = sql_value(st, forgotten_sql, NO_PARAMS, &forgotten);
	if (!err && mark < forgotten)
		err = store_fail(st, JB_NOT_FOUND, "what is gone since then is not known");
	return err;
}

/* By number and not by time, which may be set back. */
static const char forgotten_set_sql[] =
    "UPDATE inventory SET forgotten = (SELECT max(mark) FROM"
    " (SELECT mark FROM containers_gone WHERE at < $1 ORDER BY mark LIMIT $2))"
    " WHERE EXISTS (SELECT 1 FROM containers_gone WHERE at < $1)";
static const char forget_sql[] =
    "DELETE FROM containers_gone WHERE mark <= (SELECT forgotten FROM inventory WHERE one = 1)";

/* A menu asks every few seconds; who comes later than this gets the answer at greater cost. */
int
container_forget_gone(struct store *st, int64_t now)
{
	int err =
	    sql_run(st, forgotten_set_sql, PARAMS(P_INT(now - GONE_KEPT), P_INT(STORE_BATCH)));

	return err ? err : sql_run(st, forget_sql, NO_PARAMS);
}

/* ---- who was there ----------------------------------------------------- */

static const char used_sql[] = "SELECT at FROM container_uses"
			       " WHERE node_id = $1 AND container_id = $2 AND user_name = $3";

int
container_used(struct store *st, const char *user, const struct container *c, int64_t *at)
{
	int err;

	*at = 0;
	err = sql_value(st, used_sql, PARAMS(P_INT(c->node_id), P_TEXT(c->id), P_TEXT(user)), at);
	return err == JB_NOT_FOUND ? 0 : err;
}

/* ---- comparing a listing with the rows --------------------------------- */

struct listed {
	const struct container *c;
	int64_t ref; /* of its row; 0: it has none */
	/* the row says the same: of what is listed, and of what a look at it finds */
	bool same_listed, same_found;
};

struct listing {
	struct listed *l; /* by container id, each once */
	size_t n;
	int64_t *gone; /* refs of rows whose container was not listed */
	size_t ngone, cap;
};

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->c->id, ((const struct listed *)b)->c->id);
}

static void
listing_init(struct listing *ls, const struct container *c, size_t n)
{
	size_t kept = 0;

	*ls = (struct listing){ .l = xcalloc(n + 1, sizeof(*ls->l)) };
	for (size_t i = 0; i < n; i++)
		ls->l[i].c = &c[i];
	qsort(ls->l, n, sizeof(*ls->l), by_id);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || by_id(&ls->l[kept - 1], &ls->l[i]) != 0)
			ls->l[kept++] = ls->l[i];
	ls->n = kept;
}

static void
listing_release(struct listing *ls)
{
	free(ls->l);
	free(ls->gone);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

#define ROW_COLUMNS                                                                       \
	"ref, container_id, name, image, state, labels, owner, created, service, ports, " \
	"health, gpus, started, finished, exit_code, oom"
static const char rows_sql[] = "SELECT " ROW_COLUMNS " FROM containers WHERE node_id = $1";
static const char row_sql[] =
    "SELECT " ROW_COLUMNS " FROM containers WHERE node_id = $1 AND container_id = $2";

static bool
same_listed(sqlite3_stmt *q, const struct container *c)
{
	return same_text(col_text(q, 2), or_empty(c->name)) &&
	    same_text(col_text(q, 3), or_empty(c->image)) &&
	    same_text(col_text(q, 5), or_empty(c->labels)) && same_text(col_text(q, 6), c->owner) &&
	    col_int(q, 7) == c->created && same_text(col_text(q, 8), or_empty(c->service)) &&
	    same_text(col_text(q, 9), or_empty(c->ports));
}

static bool
same_found(sqlite3_stmt *q, const struct container *c)
{
	return same_text(col_text(q, 4), or_empty(c->state)) &&
	    (!c->inspected ||
		(same_text(col_text(q, 10), or_empty(c->health)) &&
		    same_text(col_text(q, 11), or_empty(c->gpus)) && col_int(q, 12) == c->started &&
		    col_int(q, 13) == c->finished && col_int(q, 14) == c->exit_code &&
		    (col_int(q, 15) != 0) == c->oom));
}

static int
compare_row(sqlite3_stmt *q, void *arg)
{
	struct listing *ls = arg;
	const struct container key = { .id = col_text(q, 1) };
	const struct listed want = { .c = &key };
	struct listed *l = bsearch(&want, ls->l, ls->n, sizeof(*ls->l), by_id);

	if (l == NULL) {
		if (ls->ngone == ls->cap) {
			ls->cap = ls->cap != 0 ? 2 * ls->cap : 16;
			ls->gone = xreallocarray(ls->gone, ls->cap, sizeof(*ls->gone));
		}
		ls->gone[ls->ngone++] = col_int(q, 0);
		return 0;
	}
	l->ref = col_int(q, 0);
	l->same_listed = same_listed(q, l->c);
	l->same_found = same_found(q, l->c);
	return 0;
}

/* ---- writing the differences ------------------------------------------- */

/*
 * What is found changes all the time, what is listed hardly ever: apart, because
 * an update writes each index of which it names a column, with that index's page.
 * `status` is a column of the first schema that nobody reads any more.
 */
static const char insert_sql[] =
    "INSERT INTO containers (node_id, container_id, name, image, state, status, labels, owner,"
    " created, service, ports) VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10) RETURNING ref";
static const char listed_sql[] =
    "UPDATE containers SET name = $1, image = $2, labels = $3, owner = $4,"
    " created = $5, service = $6, ports = $7 WHERE ref = $8";
static const char state_sql[] = "UPDATE containers SET state = $1 WHERE ref = $2";
static const char found_sql[] = "UPDATE containers SET state = $1, health = $2, gpus = $3,"
				" started = $4, finished = $5, exit_code = $6, oom = $7"
				" WHERE ref = $8";
static const char delete_sql[] = "DELETE FROM containers WHERE ref = $1";

static int
write_listed(struct store *st, int64_t node_id, const struct container *c, int64_t *ref)
{
	if (*ref == 0)
		return sql_value(st, insert_sql,
		    PARAMS(P_INT(node_id), P_TEXT(c->id), P_TEXT(or_empty(c->name)),
			P_TEXT(or_empty(c->image)), P_TEXT(or_empty(c->state)),
			P_TEXT(or_empty(c->labels)), P_TEXT(c->owner), P_INT(c->created),
			P_TEXT(or_empty(c->service)), P_TEXT(or_empty(c->ports))),
		    ref);
	return sql_run(st, listed_sql,
	    PARAMS(P_TEXT(or_empty(c->name)), P_TEXT(or_empty(c->image)),
		P_TEXT(or_empty(c->labels)), P_TEXT(c->owner), P_INT(c->created),
		P_TEXT(or_empty(c->service)), P_TEXT(or_empty(c->ports)), P_INT(*ref)));
}

static int
write_found(struct store *st, const struct container *c, int64_t ref)
{
	if (!c->inspected)
		return sql_run(st, state_sql, PARAMS(P_TEXT(or_empty(c->state)), P_INT(ref)));
	return sql_run(st, found_sql,
	    PARAMS(P_TEXT(or_empty(c->state)), P_TEXT(or_empty(c->health)),
		P_TEXT(or_empty(c->gpus)), P_INT(c->started), P_INT(c->finished),
		P_INT(c->exit_code), P_INT(c->oom), P_INT(ref)));
}

static int
write_one(struct store *st, int64_t node_id, const struct listed *l)
{
	int64_t ref = l->ref;
	bool said = l->same_found || (ref == 0 && !l->c->inspected); /* with its insertion */
	int err = 0;

	if (!l->same_listed)
		err = write_listed(st, node_id, l->c, &ref);
	if (!err && !said)
		err = write_found(st, l->c, ref);
	return err;
}

static int
write_listing(struct store *st, int64_t node_id, const struct listing *ls)
{
	int err = 0;

	for (size_t i = 0; i < ls->ngone && !err; i++)
		err = sql_run(st, delete_sql, PARAMS(P_INT(ls->gone[i])));
	for (size_t i = 0; i < ls->n && !err; i++)
		err = write_one(st, node_id, &ls->l[i]);
	return err;
}

static int
read_rows(struct store *st, int64_t node_id, const char *const *ids, size_t n, struct listing *ls)
{
	int err = 0;

	if (ids == NULL)
		return sql_each(st, rows_sql, PARAMS(P_INT(node_id)), compare_row, ls);
	for (size_t i = 0; i < n && !err; i++)
		err =
		    sql_each(st, row_sql, PARAMS(P_INT(node_id), P_TEXT(ids[i])), compare_row, ls);
	return err;
}

int
container_change(struct store *st, int64_t node_id, const char *const *ids, size_t nids,
    const struct container *c, size_t n)
{
	struct listing ls;
	int err;

	listing_init(&ls, c, n);
	err = txn_begin(st, TXN_WRITE);
	if (!err)
		err = node_set_connected(st, node_id);
	if (!err)
		err = read_rows(st, node_id, ids, nids, &ls);
	if (!err)
		err = write_listing(st, node_id, &ls);
	err = txn_end(st, err);
	listing_release(&ls);
	return err;
}

int
container_replace(struct store *st, int64_t node_id, const struct container *c, size_t n)
{
	return container_change(st, node_id, NULL, 0, c, n);
}
