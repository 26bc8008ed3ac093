/*
 * Verifying the audit: every row from the checkpoint to the head, in order,
 * each hash over the one before.  Run by jumpboxctl check.
 *
 * What it proves: whoever changed a row did not also recompute the chain.
 * Someone who may write the file could; against that the newest hash must be
 * kept elsewhere.
 */
#include "store_internal.h"

#include <string.h>

/* ---- where the chain begins and ends ----------------------------------- */

static const char checkpoint_sql[] = "SELECT upto, hash FROM audit_checkpoint WHERE one = 1";
static const char head_sql[] = "SELECT id, hash FROM audit_head WHERE one = 1";

static int
point_row(sqlite3_stmt *q, void *arg)
{
	struct checkpoint *c = arg;

	c->upto = col_int(q, 0);
	if (sqlite3_column_bytes(q, 1) != AUDIT_HASH)
		return JB_BAD_INPUT;
	memcpy(c->hash, sqlite3_column_blob(q, 1), AUDIT_HASH);
	return 0;
}

static int
read_point(struct store *st, const char *sql, const char *what, struct checkpoint *c)
{
	int err = sql_one(st, sql, NO_PARAMS, point_row, c);

	if (err == JB_BAD_INPUT || err == JB_NOT_FOUND)
		return store_fail(st, JB_BAD_INPUT, "the audit's %s is missing or damaged", what);
	return err;
}

/* ---- the walk ---------------------------------------------------------- */

static const char rows_sql[] = "SELECT " AUDIT_COLUMNS ", hash FROM audit ORDER BY id";

struct verify {
	struct store *st;
	int64_t id; /* of the last good row */
	uint8_t hash[AUDIT_HASH];
	char checkpoint[CHECKPOINT_TEXT]; /* of the last checkpoint row */
	int64_t n;
};

static int
verify_row(sqlite3_stmt *q, void *arg)
{
	struct verify *v = arg;
	struct audit_event ev;
	uint8_t want[AUDIT_HASH];

	audit_row(q, &ev);
	if (ev.id <= v->id)
		return store_fail(v->st, JB_BAD_INPUT,
		    "audit row %lld should have been removed by retention", (long long)ev.id);
	if (ev.id != v->id + 1)
		return store_fail(v->st, JB_BAD_INPUT, "audit rows %lld to %lld are missing",
		    (long long)v->id + 1, (long long)ev.id - 1);
	audit_hash(v->hash, &ev, want);
	if (sqlite3_column_bytes(q, AUDIT_COLUMN_COUNT) != AUDIT_HASH ||
	    memcmp(sqlite3_column_blob(q, AUDIT_COLUMN_COUNT), want, AUDIT_HASH) != 0)
		return store_fail(v->st, JB_BAD_INPUT,
		    "audit row %lld was changed: its hash does not follow from row %lld",
		    (long long)ev.id, (long long)v->id);
	if (strcmp(ev.event, AUDIT_CHECKPOINT) == 0)
		snprintf(v->checkpoint, sizeof(v->checkpoint), "%s", ev.detail ? ev.detail : "");
	v->id = ev.id;
	memcpy(v->hash, want, sizeof(v->hash));
	v->n++;
	return 0;
}

/* The chain must end where the head says, and retention must have said in it what it removed. */
static int
verify_ends(struct verify *v, const struct checkpoint *from, const struct checkpoint *head)
{
	char want[CHECKPOINT_TEXT];

	if (v->id < head->upto)
		return store_fail(v->st, JB_BAD_INPUT,
		    "audit rows %lld to %lld are missing, the newest", (long long)v->id + 1,
		    (long long)head->upto);
	if (v->id > head->upto)
		return store_fail(v->st, JB_BAD_INPUT, "audit row %lld was slipped in at the end",
		    (long long)head->upto + 1);
	if (memcmp(v->hash, head->hash, AUDIT_HASH) != 0)
		return store_fail(v->st, JB_BAD_INPUT,
		    "the audit's head does not have the hash of row %lld", (long long)v->id);
	checkpoint_text(from, want);
	if (from->upto != 0 && strcmp(want, v->checkpoint) != 0)
		return store_fail(v->st, JB_BAD_INPUT,
		    "audit rows up to %lld were removed, and not by retention",
		    (long long)from->upto);
	return 0;
}

static int
verify(struct store *st, int64_t *n)
{
	struct verify v = { .st = st };
	struct checkpoint from, head;
	int err;

	if ((err = read_point(st, checkpoint_sql, "checkpoint", &from)) != 0 ||
	    (err = read_point(st, head_sql, "head", &head)) != 0)
		return err;
	v.id = from.upto;
	memcpy(v.hash, from.hash, sizeof(v.hash));
	err = sql_each(st, rows_sql, NO_PARAMS, verify_row, &v);
	if (!err)
		err = verify_ends(&v, &from, &head);
	*n = v.n;
	return err;
}

int
audit_verify(struct store *st, int64_t *n, struct errtext *e)
{
	int err = txn_begin(st, TXN_READ);

	*n = 0;
	if (!err)
		err = verify(st, n);
	err = txn_end(st, err);
	if (err)
		err_set(e, err, "%s", st->err.s);
	return err;
}
