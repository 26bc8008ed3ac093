/*
 * What the files of src/store share: statements, transactions and the audit
 * row that goes with an administrator's change.  Whoever opened the store
 * runs it: broker, watcher or jumpboxctl.
 *
 * SQL stands as `static const char NAME_sql[]` next to its use, in the subset
 * that SQLite and PostgreSQL share: $1 $2 ... in the order of their numbers,
 * upsert, RETURNING.  A statement is known by the address of its text.
 */
#ifndef JUMPBOX_STORE_INTERNAL_H
#define JUMPBOX_STORE_INTERNAL_H

#include "jumpbox/store.h"

#include <sqlite3.h>
#include <stddef.h>

enum {
	STORE_BUSY_MS = 5000,	  /* how long a call waits for another process's transaction */
	STORE_BATCH = 1000,	  /* rows that one call of store_maintain removes at most */
	GONE_KEPT = 3600,	  /* seconds for which it is known which containers went */
	AUDIT_HASH = 32,	  /* SHA-256 */
	STORE_APP_ID = 0x4a425831 /* "JBX1" in the file's header */
};

struct statement {
	const char *text;
	sqlite3_stmt *q;
	bool used; /* between sql_open and sql_done */
};

struct store {
	sqlite3 *db;
	char *path;
	int busy_ms;
	int64_t busy_deadline;
	bool by_turns, tired; /* see store_turn() */
	bool hasty;	      /* see store_hasty() */
	bool durable;	      /* synchronous=FULL from here on, see txn_begin */
	struct statement *stmt;
	size_t nstmt;
	struct errtext err;
	bool failed; /* err is the database's own trouble */
};

/* ---- migrations.c ----------------------------------------------------- */

int schema_latest(void);
/* Runs the steps above version `from`, inside the caller's transaction. SQLite's code. */
int schema_apply(sqlite3 *db, int from);

/* ---- sql.c: errors ---------------------------------------------------- */

/* Sets the sentence of st and returns code. */
int store_fail(struct store *st, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, for what a user is told. */
int store_refuse(struct store *st, int code, enum word w, const char *a1, const char *a2);
/* The same for SQLite's own code: locked, corrupt, full, a constraint, ... */
int sql_fail(struct store *st, int rc);
/* Gives JB_NOT_FOUND its sentence, "no such NOUN: NAME"; any other err is returned as it is. */
int store_missing(struct store *st, int err, const char *noun, const char *name);
int store_missing_id(struct store *st, int err, const char *noun, int64_t id);

/* ---- sql.c: statements ------------------------------------------------ */

struct param {
	enum { PARAM_END, PARAM_INT, PARAM_TEXT, PARAM_BLOB } type;
	int64_t num; /* the integer, or the blob's size */
	const void *ptr;
};

#define P_INT(v)     ((struct param){ PARAM_INT, (int64_t)(v), NULL })
#define P_TEXT(s)    ((struct param){ PARAM_TEXT, 0, (s) }) /* NULL is NULL */
#define P_BLOB(p, n) ((struct param){ PARAM_BLOB, (int64_t)(n), (p) })
#define P_END	     ((struct param){ PARAM_END, 0, NULL })
/* What the parameters point to must live until the statement is done. */
#define PARAMS(...) ((const struct param[]){ __VA_ARGS__, P_END })
#define NO_PARAMS   ((const struct param[]){ P_END })

int sql_run(struct store *st, const char *text, const struct param *params);
/* row() for each row; non-zero ends the walk and is returned. */
int sql_each(struct store *st, const char *text, const struct param *params,
    int (*row)(sqlite3_stmt *q, void *arg), void *arg);
/* *n += the rows that it changed. */
int sql_count(struct store *st, const char *text, const struct param *params, int64_t *n);
/* Where nothing is not enough: JB_NOT_FOUND then, and store_missing() gives it its sentence. */
int sql_change(struct store *st, const char *text, const struct param *params);
int sql_one(struct store *st, const char *text, const struct param *params,
    int (*row)(sqlite3_stmt *q, void *arg), void *arg);
/* The first column of the one row. */
int sql_value(struct store *st, const char *text, const struct param *params, int64_t *value);

const char *col_text(sqlite3_stmt *q, int i); /* NULL if it is; lives until the next step */
int64_t col_int(sqlite3_stmt *q, int i);

/* ---- sql.c: transactions ---------------------------------------------- */

enum txn_kind {
	TXN_READ,    /* one snapshot for several statements */
	TXN_WRITE,   /* takes the write lock at once */
	TXN_DURABLE, /* the same, and on the disk when it returns: administrators' changes */
};
int txn_begin(struct store *st, enum txn_kind kind);
/* Commits if err is 0, otherwise rolls back and keeps the sentence; returns how it ended. */
int txn_end(struct store *st, int err);

/* ---- change.c: one administrator's change ----------------------------- */

struct change {
	const char *sql; /* must change at least one row, else JB_NOT_FOUND */
	const struct param *params;
	const char *noun, *name; /* "no such NOUN: NAME", "there is already a NOUN NAME" */
	const char *event;
	const char *user, *target, *detail; /* of the audit row */
};
/* The change and its audit row, inside the caller's transaction, or in one of its own. */
int change_put(struct store *st, const struct actor *by, const struct change *c);
int change_apply(struct store *st, const struct actor *by, const struct change *c);

/* A name that is about to be made. */
int change_check_name(struct store *st, const char *noun, const char *name);

/* ---- setting.c: settings by name -------------------------------------- */

enum { SETTING_COUNT_MAX = 100000 };

/* A table of them ends with a row without a key. */
struct setting {
	const char *key;
	const char *sql; /* $1: the value, $2: the name of whose it is */
	int (*parse)(struct store *st, const struct setting *s, const char *value, struct param *p);
	bool optional;		/* "" is "not set" */
	bool secret;		/* the value does not stand in the audit */
	const char *choices[2]; /* of setting_choice */
};
/* What a row's value may be: JB_BAD_INPUT and a sentence for any other. */
int setting_text(struct store *st, const struct setting *s, const char *value, struct param *p);
int setting_choice(struct store *st, const struct setting *s, const char *value, struct param *p);
int setting_yes_no(struct store *st, const struct setting *s, const char *value, struct param *p);
int setting_count(struct store *st, const struct setting *s, const char *value, struct param *p);
int setting_time(struct store *st, const struct setting *s, const char *value, struct param *p);

/* Changes the setting; c says whose, and the event. */
int setting_apply(struct store *st, const struct actor *by, const struct setting *table,
    const char *key, const char *value, struct change c);

/* ---- users.c, groups.c ------------------------------------------------ */

/* Ids by name; JB_NOT_FOUND with a sentence. */
int user_id(struct store *st, const char *name, int64_t *id);
int group_id(struct store *st, const char *name, int64_t *id);

/* ---- totp.c ----------------------------------------------------------- */

/* `user set NAME totp off`: no enrolment, and none required. */
int totp_off(struct store *st, const struct actor *by, const char *user);

/* ---- backoff.c -------------------------------------------------------- */

/* A batch of those that no longer count. */
int backoff_forget(struct store *st, int64_t now, int64_t *n);

/* ---- containers.c ----------------------------------------------------- */

/* A batch of refs that are gone for so long that nobody asks. */
int container_forget_gone(struct store *st, int64_t now);

/* ---- audit.c ---------------------------------------------------------- */

/* Appends, inside the caller's transaction. */
int audit_put(struct store *st, const struct actor *by, const char *event, const char *user,
    const char *target, const char *detail);

/* The same for an event that is filled in but for its id, which it gets. */
int audit_append(struct store *st, struct audit_event *ev);

/* The hash of one row over the previous row's. */
void audit_hash(
    const uint8_t prev[AUDIT_HASH], const struct audit_event *ev, uint8_t out[AUDIT_HASH]);
/* Columns of an audit row, in the order that audit_row() reads. */
#define AUDIT_COLUMNS "id, at_ms, event, actor, source, conn, user_name, target, detail"
enum { AUDIT_COLUMN_COUNT = 9 };
void audit_row(sqlite3_stmt *q, struct audit_event *ev);

/* ---- maintain.c ------------------------------------------------------- */

#define AUDIT_CHECKPOINT "audit.checkpoint"
struct checkpoint {
	int64_t upto; /* id of the newest row removed, 0: none yet */
	uint8_t hash[AUDIT_HASH];
};
enum { CHECKPOINT_TEXT = 128 };
/* What the checkpoint's own audit row says; audit_verify expects it. */
void checkpoint_text(const struct checkpoint *c, char dst[static CHECKPOINT_TEXT]);

#endif
