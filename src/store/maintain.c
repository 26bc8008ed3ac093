/*
 * Retention: the one path that removes audit rows.  Run by the watcher of
 * the database, a bounded batch a call, so that nobody waits for it long.
 *
 * The triggers let rows go only up to the id in audit_maintenance, which is
 * not empty but inside this transaction.  What was removed is said in the
 * audit_checkpoint row and in an audit row of its own, so that the chain
 * begins where retention, and nobody else, left it.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <string.h>

/* ---- audit rows -------------------------------------------------------- */

static const char oldest_sql[] = "SELECT id, at_ms, hash FROM audit ORDER BY id LIMIT $1";
static const char mark_sql[] = "INSERT INTO audit_maintenance (upto) VALUES ($1)";
static const char remove_sql[] = "DELETE FROM audit WHERE id <= $1";
static const char checkpoint_sql[] =
    "UPDATE audit_checkpoint SET upto = $1, hash = $2 WHERE one = 1";
static const char unmark_sql[] = "DELETE FROM audit_maintenance";

struct stretch {
	int64_t before_ms;
	struct checkpoint end;
	int64_t n;
	bool whole; /* a row that stays was met */
};

/* The oldest rows without a gap: a row out of time order keeps those behind it. */
static int
stretch_row(sqlite3_stmt *q, void *arg)
{
	struct stretch *s = arg;

	s->whole =
	    s->whole || col_int(q, 1) >= s->before_ms || sqlite3_column_bytes(q, 2) != AUDIT_HASH;
	if (s->whole)
		return 0;
	s->end.upto = col_int(q, 0);
	memcpy(s->end.hash, sqlite3_column_blob(q, 2), AUDIT_HASH);
	s->n++;
	return 0;
}

void
checkpoint_text(const struct checkpoint *c, char dst[static CHECKPOINT_TEXT])
{
	char hex[2 * AUDIT_HASH + 1];

	for (size_t i = 0; i < AUDIT_HASH; i++)
		snprintf(hex + 2 * i, 3, "%02x", c->hash[i]);
	snprintf(dst, CHECKPOINT_TEXT, "upto=%lld hash=%s", (long long)c->upto, hex);
}

static int
remove_stretch(struct store *st, const struct stretch *s)
{
	const struct actor by = { "retention", "local", 0 };
	char number[24], text[CHECKPOINT_TEXT];
	int err = sql_run(st, mark_sql, PARAMS(P_INT(s->end.upto)));

	if (!err)
		err = sql_run(st, remove_sql, PARAMS(P_INT(s->end.upto)));
	if (!err)
		err = sql_run(st, checkpoint_sql,
		    PARAMS(P_INT(s->end.upto), P_BLOB(s->end.hash, AUDIT_HASH)));
	if (!err)
		err = sql_run(st, unmark_sql, NO_PARAMS);
	if (err)
		return err;
	snprintf(number, sizeof(number), "%lld", (long long)s->n);
	checkpoint_text(&s->end, text);
	return audit_put(st, &by, AUDIT_CHECKPOINT, NULL, number, text);
}

/* ---- the rest ---------------------------------------------------------- */

/* Without its session nobody would find a recording that is kept. */
static const char sessions_sql[] =
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions s WHERE ended <> 0 AND ended < $1"
    " AND NOT EXISTS (SELECT 1 FROM attaches a WHERE a.session_id = s.id AND a.recording IS NOT "
    "NULL)"
    " ORDER BY id LIMIT $2)";

int
store_maintain(struct store *st, int64_t before, int64_t *removed)
{
	int64_t now = now_unix(), n = 0;
	/* Never the checkpoint row that this call itself writes. */
	struct stretch s = { .before_ms = (before < now ? before : now) * 1000 };
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = sql_each(st, oldest_sql, PARAMS(P_INT(STORE_BATCH)), stretch_row, &s);
	if (!err && s.n > 0)
		err = remove_stretch(st, &s);
	if (!err)
		err = sql_count(st, sessions_sql, PARAMS(P_INT(before), P_INT(STORE_BATCH)), &n);
	if (!err)
		err = backoff_forget(st, now, &n);
	if (!err)
		err = container_forget_gone(st, now);
	err = txn_end(st, err);
	if (!err)
		*removed = s.n + n;
	return err;
}
