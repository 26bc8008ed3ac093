/*
 * Whether the file itself is sound: its pages, its references, its schema.
 * jumpboxctl.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

static const char pages_sql[] = "PRAGMA integrity_check(1)";
static const char references_sql[] = "PRAGMA foreign_key_check";
static const char objects_sql[] =
    "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name";

static int
pages_row(sqlite3_stmt *q, void *arg)
{
	const char *s = col_text(q, 0);

	if (s != NULL && strcmp(s, "ok") == 0)
		return 0;
	return store_fail(arg, JB_UNAVAILABLE,
	    "the database is damaged (%.100s): stop jumpboxd and `jumpboxctl restore FILE` a "
	    "backup",
	    s != NULL ? s : "unknown");
}

static int
references_row(sqlite3_stmt *q, void *arg)
{
	return store_fail(arg, JB_UNAVAILABLE,
	    "row %lld of table %.40s refers to a row of %.40s that is not there: "
	    "stop jumpboxd and `jumpboxctl restore FILE` a backup",
	    (long long)col_int(q, 1), col_text(q, 0), col_text(q, 2));
}

/* ---- the schema as the migrations make it ------------------------------ */

struct objects {
	char **text; /* "trigger audit_no_update", its SQL: pairs */
	size_t n;
};

static int
object_row(sqlite3_stmt *q, void *arg)
{
	struct objects *o = arg;
	const char *sql = col_text(q, 2);

	o->text = xreallocarray(o->text, o->n + 2, sizeof(*o->text));
	o->text[o->n++] = xasprintf("%s %s", col_text(q, 0), col_text(q, 1));
	o->text[o->n++] = xstrdup(sql != NULL ? sql : "");
	return 0;
}

static void
objects_release(struct objects *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->text[i]);
	free(o->text);
}

static int
compare_objects(struct store *st, const struct objects *have, const struct objects *want)
{
	for (size_t i = 0; i < want->n; i += 2) {
		size_t k = 0;

		while (k < have->n && strcmp(have->text[k], want->text[i]) != 0)
			k += 2;
		if (k >= have->n)
			return store_fail(st, JB_UNAVAILABLE,
			    "the database has lost its %s: somebody changed its schema, "
			    "`jumpboxctl restore FILE` a backup",
			    want->text[i]);
		if (strcmp(have->text[k + 1], want->text[i + 1]) != 0)
			return store_fail(st, JB_UNAVAILABLE,
			    "the database's %s is not what jumpbox made: somebody changed it, "
			    "`jumpboxctl restore FILE` a backup",
			    want->text[i]);
	}
	return 0;
}

/* A guard that was dropped guards nothing: triggers and tables must be as they were made. */
static int
check_schema(struct store *st)
{
	struct store fresh = { .path = st->path };
	struct objects have = { 0 }, want = { 0 };
	int rc = sqlite3_open_v2(
	    ":memory:", &fresh.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	int err;

	if (rc == SQLITE_OK)
		rc = schema_apply(fresh.db, 0);
	err = rc == SQLITE_OK ? 0 : sql_fail(st, rc);
	if (!err)
		err = sql_each(&fresh, objects_sql, NO_PARAMS, object_row, &want);
	if (!err)
		err = sql_each(st, objects_sql, NO_PARAMS, object_row, &have);
	if (!err)
		err = compare_objects(st, &have, &want);
	for (size_t i = 0; i < fresh.nstmt; i++)
		sqlite3_finalize(fresh.stmt[i].q);
	free(fresh.stmt);
	sqlite3_close(fresh.db);
	objects_release(&have);
	objects_release(&want);
	return err;
}

int
store_integrity(struct store *st, struct errtext *e)
{
	int err = sql_each(st, pages_sql, NO_PARAMS, pages_row, st);

	if (!err)
		err = sql_each(st, references_sql, NO_PARAMS, references_row, st);
	if (!err)
		err = check_schema(st);
	if (err)
		err_set(e, err, "%s", st->err.s);
	return err;
}
