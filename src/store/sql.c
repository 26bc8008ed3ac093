/*
 * Statements, transactions, and SQLite's errors as sentences.  Runs in
 * whichever process opened the store.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ------------------------------------------------------------ */

#define ASK_RESTORE \
	"stop jumpboxd and `jumpboxctl restore FILE` a backup (`jumpboxctl check` shows more)"
#define ASK_ACCESS "file and directory must be writable by the user that runs jumpbox"

static const struct failure {
	int rc;
	int code;
	const char *why;
} failures[] = {
	/* clang-format off */
	{ SQLITE_BUSY,                  JB_TRY_AGAIN,   "is busy, try again" },
	{ SQLITE_LOCKED,                JB_TRY_AGAIN,   "is busy, try again" },
	{ SQLITE_CORRUPT,               JB_UNAVAILABLE, "is damaged: " ASK_RESTORE },
	{ SQLITE_NOTADB,                JB_UNAVAILABLE, "is damaged or not a database: " ASK_RESTORE },
	{ SQLITE_FULL,                  JB_UNAVAILABLE, "cannot grow, the disk is full: make room, then try again" },
	{ SQLITE_READONLY,              JB_UNAVAILABLE, "cannot be written: " ASK_ACCESS },
	{ SQLITE_PERM,                  JB_UNAVAILABLE, "cannot be opened: " ASK_ACCESS },
	{ SQLITE_CANTOPEN,              JB_UNAVAILABLE, "cannot be opened: " ASK_ACCESS },
	{ SQLITE_IOERR,                 JB_UNAVAILABLE, "cannot be read or written (input/output error): check the disk" },
	{ SQLITE_NOMEM,                 JB_INTERNAL,    "needs more memory than there is" },
	{ SQLITE_TOOBIG,                JB_BAD_INPUT,   "refuses a value: too long" },
	{ SQLITE_CONSTRAINT_UNIQUE,     JB_EXISTS,      "has that entry already" },
	{ SQLITE_CONSTRAINT_PRIMARYKEY, JB_EXISTS,      "has that entry already" },
	{ SQLITE_CONSTRAINT,            JB_BAD_INPUT,   "refuses a value" },
	/* clang-format on */
};

int
store_fail(struct store *st, int code, const char *fmt, ...)
{
	char s[sizeof(st->err.s)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	st->failed = false;
	return err_set(&st->err, code, "%s", s);
}

int
store_refuse(struct store *st, int code, enum word w, const char *a1, const char *a2)
{
	st->failed = false;
	return err_words(&st->err, code, w, a1, a2, NULL);
}

static const struct failure *
failure_find(int rc)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].rc == rc)
			return &failures[i];
	return NULL;
}

int
sql_fail(struct store *st, int rc)
{
	const struct failure *f;
	int err, sys = sqlite3_system_errno(st->db);

	/* A full disk shows as an I/O error where SQLite did not expect to grow. */
	if ((rc & 0xff) == SQLITE_IOERR && (sys == ENOSPC || sys == EDQUOT))
		rc = SQLITE_FULL;
	f = failure_find(rc);
	if (f == NULL)
		f = failure_find(rc & 0xff);
	if (f == NULL)
		err = store_fail(
		    st, JB_INTERNAL, "database %.80s: %s", st->path, sqlite3_errmsg(st->db));
	else
		err = store_fail(st, f->code, "database %.80s %s%s%.60s%s", st->path, f->why,
		    f->code == JB_BAD_INPUT ? " (" : "",
		    f->code == JB_BAD_INPUT ? sqlite3_errmsg(st->db) : "",
		    f->code == JB_BAD_INPUT ? ")" : "");
	st->failed = err == JB_TRY_AGAIN || err == JB_UNAVAILABLE || err == JB_INTERNAL;
	return err;
}

int
store_missing(struct store *st, int err, const char *noun, const char *name)
{
	if (err != JB_NOT_FOUND)
		return err;
	return store_fail(st, err, "no such %s: %.128s", noun, name);
}

int
store_missing_id(struct store *st, int err, const char *noun, int64_t id)
{
	char number[24];

	if (err != JB_NOT_FOUND)
		return err;
	snprintf(number, sizeof(number), "%lld", (long long)id);
	return store_missing(st, err, noun, number);
}

/* ---- statements -------------------------------------------------------- */

/* Parameters are bound by position, which SQLite gives by first appearance. */
static int
params_in_order(sqlite3_stmt *q)
{
	char want[16];
	int n = sqlite3_bind_parameter_count(q);

	for (int i = 1; i <= n; i++) {
		const char *name = sqlite3_bind_parameter_name(q, i);

		snprintf(want, sizeof(want), "$%d", i);
		if (name == NULL || strcmp(name, want) != 0)
			return 0;
	}
	return 1;
}

static struct statement *
statement_free_slot(struct store *st, const char *text)
{
	for (size_t i = 0; i < st->nstmt; i++)
		if (st->stmt[i].text == text && !st->stmt[i].used)
			return &st->stmt[i];
	return NULL;
}

/* NULL and *err when it cannot be prepared. */
static struct statement *
statement_get(struct store *st, const char *text, int *err)
{
	struct statement *s = statement_free_slot(st, text);
	sqlite3_stmt *q;
	int rc;

	if (s != NULL)
		return s;
	rc = sqlite3_prepare_v3(st->db, text, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL);
	if (rc != SQLITE_OK) {
		*err = sql_fail(st, rc);
		return NULL;
	}
	if (!params_in_order(q)) {
		*err = store_fail(st, JB_INTERNAL, "parameters out of order: %.80s", text);
		sqlite3_finalize(q);
		return NULL;
	}
	st->stmt = xreallocarray(st->stmt, st->nstmt + 1, sizeof(*st->stmt));
	s = &st->stmt[st->nstmt++];
	*s = (struct statement){ text, q, false };
	return s;
}

static int
bind_one(sqlite3_stmt *q, int i, const struct param *p)
{
	switch (p->type) {
	case PARAM_INT:
		return sqlite3_bind_int64(q, i, p->num);
	case PARAM_TEXT:
		return p->ptr == NULL ? sqlite3_bind_null(q, i)
				      : sqlite3_bind_text(q, i, p->ptr, -1, SQLITE_STATIC);
	case PARAM_BLOB:
		return sqlite3_bind_blob64(q, i, p->ptr, (sqlite3_uint64)p->num, SQLITE_STATIC);
	case PARAM_END:
		break;
	}
	return SQLITE_MISUSE;
}

/* A second one of the same text while the first is in use. */
static int
sql_open(struct store *st, const char *text, const struct param *params, sqlite3_stmt **q)
{
	int n = 0, rc = SQLITE_OK, err = 0;
	struct statement *s = statement_get(st, text, &err);

	if (s == NULL)
		return err;
	for (; params[n].type != PARAM_END && rc == SQLITE_OK; n++)
		rc = bind_one(s->q, n + 1, &params[n]);
	if (rc == SQLITE_OK && n != sqlite3_bind_parameter_count(s->q))
		rc = SQLITE_RANGE;
	if (rc != SQLITE_OK) {
		sqlite3_clear_bindings(s->q);
		return sql_fail(st, rc);
	}
	s->used = true;
	*q = s->q;
	return 0;
}

/* 1: there is a row; 0: the end; or an error. */
static int
sql_step(struct store *st, sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : sql_fail(st, rc);
}

static void
sql_done(struct store *st, sqlite3_stmt *q)
{
	if (q == NULL)
		return;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	for (size_t i = 0; i < st->nstmt; i++)
		if (st->stmt[i].q == q)
			st->stmt[i].used = false;
}

static int
walk(struct store *st, const char *text, const struct param *params,
    int (*row)(sqlite3_stmt *, void *), void *arg, bool *any)
{
	sqlite3_stmt *q = NULL;
	int err = sql_open(st, text, params, &q);

	*any = false;
	while (!err) {
		err = sql_step(st, q);
		if (err != 1)
			break;
		*any = true;
		err = row != NULL ? row(q, arg) : 0;
	}
	sql_done(st, q);
	return err;
}

int
sql_each(struct store *st, const char *text, const struct param *params,
    int (*row)(sqlite3_stmt *, void *), void *arg)
{
	bool any;

	return walk(st, text, params, row, arg, &any);
}

int
sql_one(struct store *st, const char *text, const struct param *params,
    int (*row)(sqlite3_stmt *, void *), void *arg)
{
	bool any;
	int err = walk(st, text, params, row, arg, &any);

	return !err && !any ? JB_NOT_FOUND : err;
}

int
sql_run(struct store *st, const char *text, const struct param *params)
{
	return sql_each(st, text, params, NULL, NULL);
}

int
sql_count(struct store *st, const char *text, const struct param *params, int64_t *n)
{
	int err = sql_run(st, text, params);

	if (!err)
		*n += sqlite3_changes64(st->db);
	return err;
}

int
sql_change(struct store *st, const char *text, const struct param *params)
{
	int64_t n = 0;
	int err = sql_count(st, text, params, &n);

	return !err && n == 0 ? JB_NOT_FOUND : err;
}

static int
value_row(sqlite3_stmt *q, void *arg)
{
	*(int64_t *)arg = col_int(q, 0);
	return 0;
}

int
sql_value(struct store *st, const char *text, const struct param *params, int64_t *value)
{
	int64_t v = 0;
	int err = sql_one(st, text, params, value_row, &v);

	if (!err)
		*value = v;
	return err;
}

const char *
col_text(sqlite3_stmt *q, int i)
{
	return (const char *)sqlite3_column_text(q, i);
}

int64_t
col_int(sqlite3_stmt *q, int i)
{
	return sqlite3_column_int64(q, i);
}

/* ---- transactions ------------------------------------------------------ */

static const char begin_read_sql[] = "BEGIN";
static const char begin_write_sql[] = "BEGIN IMMEDIATE";
static const char commit_sql[] = "COMMIT";
static const char rollback_sql[] = "ROLLBACK";

/*
 * With synchronous=NORMAL a commit is in the write-ahead log, in the kernel's
 * hands, when it returns: the death of any process, ours included, loses
 * nothing, and a login does not wait for the disk.  A power failure may lose
 * the last moments, always as a whole, chain and all, with the very sessions
 * they were about.  What an administrator decided must not come undone that
 * way (a revoked grant would be back), so a process that makes such a change
 * waits for the disk from then on.
 */
int
txn_begin(struct store *st, enum txn_kind kind)
{
	int rc;

	if (kind == TXN_DURABLE && !st->durable) {
		rc = sqlite3_exec(st->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			return sql_fail(st, rc);
		st->durable = true;
	}
	return sql_run(st, kind == TXN_READ ? begin_read_sql : begin_write_sql, NO_PARAMS);
}

int
txn_end(struct store *st, int err)
{
	struct errtext why;
	bool failed;

	if (!err)
		err = sql_run(st, commit_sql, NO_PARAMS);
	if (err && !sqlite3_get_autocommit(st->db)) {
		why = st->err;
		failed = st->failed;
		sql_run(st, rollback_sql, NO_PARAMS);
		st->err = why;
		st->failed = failed;
	}
	return err;
}

int
store_read_begin(struct store *st)
{
	return txn_begin(st, TXN_READ);
}

void
store_read_end(struct store *st)
{
	struct errtext why = st->err;
	bool failed = st->failed;

	txn_end(st, 0);
	st->err = why;
	st->failed = failed;
}
