/*
 * The inventory: containers as last seen on each node.  Written by whoever
 * listed the node (a broker's refresh child, jumpboxctl), read by every menu.
 *
 * A listing of 10,000 containers mostly says what the rows say already, each
 * second.  So the rows are compared first, and only what differs is written;
 * `seen` is the node's time of the last listing, not a column of each row.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------- */

#define CONTAINER_COLUMNS                                                                        \
	"c.ref, c.node_id, n.name, n.state, c.container_id, c.name, c.image, c.state, c.status," \
	" c.labels, c.owner, c.created, n.last_seen"

/* CROSS JOIN: by the nodes' names first, so that two indexes give the order. */
static const char each_sql[] =
    "SELECT " CONTAINER_COLUMNS " FROM nodes n CROSS JOIN containers c"
    " WHERE c.node_id = n.id AND n.enabled = 1 ORDER BY n.name, c.name, c.ref";
static const char get_sql[] =
    "SELECT " CONTAINER_COLUMNS " FROM containers c JOIN nodes n ON n.id = c.node_id"
    " WHERE c.ref = $1 AND n.enabled = 1";

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
		.id = col_text(q, 4),
		.name = col_text(q, 5),
		.image = col_text(q, 6),
		.state = col_text(q, 7),
		.status = col_text(q, 8),
		.labels = col_text(q, 9),
		.owner = col_text(q, 10),
		.created = col_int(q, 11),
		.seen = col_int(q, 12),
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

/* ---- comparing a listing with the rows --------------------------------- */

struct listed {
	const struct container *c;
	int64_t ref; /* of its row; 0: it has none */
	bool same;   /* the row says the same */
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

static const char rows_sql[] =
    "SELECT ref, container_id, name, image, state, status, labels, owner, created"
    " FROM containers WHERE node_id = $1";

static int
compare_row(sqlite3_stmt *q, void *arg)
{
	struct listing *ls = arg;
	const struct container key = { .id = col_text(q, 1) }, *c;
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
	c = l->c;
	l->ref = col_int(q, 0);
	l->same = same_text(col_text(q, 2), or_empty(c->name)) &&
	    same_text(col_text(q, 3), or_empty(c->image)) &&
	    same_text(col_text(q, 4), or_empty(c->state)) &&
	    same_text(col_text(q, 5), or_empty(c->status)) &&
	    same_text(col_text(q, 6), or_empty(c->labels)) && same_text(col_text(q, 7), c->owner) &&
	    col_int(q, 8) == c->created;
	return 0;
}

/* ---- writing the differences ------------------------------------------- */

static const char insert_sql[] =
    "INSERT INTO containers (node_id, container_id, name, image, state, status, labels, owner,"
    " created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
static const char update_sql[] =
    "UPDATE containers SET name = $1, image = $2, state = $3, status = $4, labels = $5, owner = $6,"
    " created = $7 WHERE ref = $8";
static const char delete_sql[] = "DELETE FROM containers WHERE ref = $1";

static int
write_one(struct store *st, int64_t node_id, const struct listed *l)
{
	const struct container *c = l->c;

	if (l->same)
		return 0;
	if (l->ref == 0)
		return sql_run(st, insert_sql,
		    PARAMS(P_INT(node_id), P_TEXT(c->id), P_TEXT(or_empty(c->name)),
			P_TEXT(or_empty(c->image)), P_TEXT(or_empty(c->state)),
			P_TEXT(or_empty(c->status)), P_TEXT(or_empty(c->labels)), P_TEXT(c->owner),
			P_INT(c->created)));
	return sql_run(st, update_sql,
	    PARAMS(P_TEXT(or_empty(c->name)), P_TEXT(or_empty(c->image)),
		P_TEXT(or_empty(c->state)), P_TEXT(or_empty(c->status)),
		P_TEXT(or_empty(c->labels)), P_TEXT(c->owner), P_INT(c->created), P_INT(l->ref)));
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

int
container_replace(struct store *st, int64_t node_id, const struct container *c, size_t n)
{
	struct listing ls;
	int err;

	listing_init(&ls, c, n);
	err = txn_begin(st, TXN_WRITE);
	if (!err)
		err = node_set_connected(st, node_id);
	if (!err)
		err = sql_each(st, rows_sql, PARAMS(P_INT(node_id)), compare_row, &ls);
	if (!err)
		err = write_listing(st, node_id, &ls);
	err = txn_end(st, err);
	listing_release(&ls);
	return err;
}
