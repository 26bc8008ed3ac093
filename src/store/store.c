/*
 * Opening and closing the database: the file itself, its settings, its
 * schema's version.  Runs in the broker (one handle a connection, so opening
 * must be cheap), the watcher and jumpboxctl.
 *
 * The handle is opened after the last fork that uses it.  Children forked
 * later leave it alone; its descriptors are CLOEXEC.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Runs for each handle.  A small cache: a broker reads a few rows and then
 * idles for hours.  The log is cut back after a large transaction, and nothing
 * is ever written to a temporary directory.
 */
static const char settings_sql[] = "PRAGMA synchronous = NORMAL;"
				   "PRAGMA cache_size = -256;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA journal_size_limit = 8388608;";

/* ---- waiting for other processes --------------------------------------- */

/* SQLite calls this while a lock is held elsewhere; non-zero: try again. */
static int
busy_wait(void *arg, int tries)
{
	struct store *st = arg;
	int64_t now = now_mono_ms();

	if (tries == 0)
		st->busy_deadline = now + (st->tired || st->hasty ? 0 : st->busy_ms);
	if (now >= st->busy_deadline) {
		st->tired |= st->by_turns && !st->hasty;
		return 0;
	}
	poll(NULL, 0, tries < 20 ? 1 : 5);
	return 1;
}

/* ---- the file ---------------------------------------------------------- */

/* Made here and not by SQLite, for the mode: -wal and -shm take theirs from it. */
static int
file_create(const char *path, struct errtext *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return err_set(e, JB_UNAVAILABLE,
		    "cannot create database %.120s: %s: make its directory writable by this user",
		    path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Password hashes and the nodes' keys are in it. */
static int
file_check(const char *path, struct errtext *e)
{
	struct stat sb;

	if (stat(path, &sb) < 0 && errno == ENOENT)
		return err_set(e, JB_UNAVAILABLE,
		    "there is no database %.120s: jumpboxd makes it when it starts", path);
	if (stat(path, &sb) < 0)
		return err_set(
		    e, JB_UNAVAILABLE, "cannot open database %.120s: %s", path, strerror(errno));
	if (!S_ISREG(sb.st_mode))
		return err_set(e, JB_UNAVAILABLE, "database %.120s is not a regular file", path);
	if (sb.st_mode & 077)
		return err_set(e, JB_UNAVAILABLE,
		    "database %.120s is open to other users: chmod 600 it", path);
	return 0;
}

/* ---- the schema's version ---------------------------------------------- */

static int
int_row(void *arg, int n, char **value, char **name)
{
	(void)n;
	(void)name;
	*(long *)arg = value[0] != NULL ? atol(value[0]) : 0;
	return 0;
}

static int
query_int(struct store *st, const char *sql, long *value)
{
	int rc = sqlite3_exec(st->db, sql, int_row, value, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(st, rc);
}

/* *version 0: an empty file. Anything that is not ours is refused before it is touched. */
static int
schema_version(struct store *st, long *version)
{
	long app = 0, objects = 0;
	int err;

	if ((err = query_int(st, "PRAGMA application_id", &app)) != 0 ||
	    (err = query_int(st, "PRAGMA user_version", version)) != 0)
		return err;
	if (app == STORE_APP_ID && *version > schema_latest())
		return store_fail(st, JB_UNAVAILABLE,
		    "database %.100s has schema %ld and this program knows up to %d: "
		    "install the newer jumpbox again",
		    st->path, *version, schema_latest());
	if (app == STORE_APP_ID)
		return 0;
	if ((err = query_int(st, "SELECT count(*) FROM sqlite_schema", &objects)) != 0)
		return err;
	if (app != 0 || *version != 0 || objects != 0)
		return store_fail(
		    st, JB_UNAVAILABLE, "%.120s is another program's database", st->path);
	return 0;
}

/*
 * Kept in the file, and each time made sure of: a file restored by other
 * means may have lost it.  A change does not always wait for other handles by
 * itself.
 */
static int
journal_wal(struct store *st)
{
	int64_t deadline = now_mono_ms() + st->busy_ms;
	int rc;

	for (;;) {
		rc = sqlite3_exec(st->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if ((rc & 0xff) != SQLITE_BUSY || now_mono_ms() >= deadline)
			break;
		poll(NULL, 0, 5);
	}
	return rc == SQLITE_OK ? 0 : sql_fail(st, rc);
}

static int
migrate_locked(struct store *st)
{
	char sql[96];
	long version = 0;
	int rc, err = schema_version(st, &version); /* again: another process may have been first */

	if (err || version == schema_latest())
		return err;
	rc = schema_apply(st->db, (int)version);
	if (rc == SQLITE_OK) {
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		    STORE_APP_ID, schema_latest());
		rc = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? 0 : sql_fail(st, rc);
}

static int
migrate(struct store *st)
{
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = migrate_locked(st);
	return txn_end(st, err);
}

/* ---- opening ----------------------------------------------------------- */

static int
handle_open(struct store *st)
{
	/* NOMUTEX: one thread. */
	int rc = sqlite3_open_v2(st->path, &st->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_handler(st->db, busy_wait, st);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(st->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, (int *)0);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(st->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
	return rc == SQLITE_OK ? 0 : sql_fail(st, rc);
}

/* In one snapshot: another process may be making the schema at this moment. */
static int
schema_look(struct store *st, long *version)
{
	int err = txn_begin(st, TXN_READ);

	if (!err)
		err = schema_version(st, version);
	return txn_end(st, err);
}

static int
handle_ready(struct store *st)
{
	long version = 0;
	int rc, err = handle_open(st);

	if (!err)
		err = schema_look(st, &version);
	if (err)
		return err;
	if (sqlite3_db_readonly(st->db, "main") == 1)
		return sql_fail(st, SQLITE_READONLY);
	rc = sqlite3_exec(st->db, settings_sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return sql_fail(st, rc);
	err = journal_wal(st);
	return err || version == schema_latest() ? err : migrate(st);
}

int
store_open_busy(
    const char *path, enum store_mode mode, int busy_ms, struct store **out, struct errtext *e)
{
	struct store *st;
	int err = 0;

	if (mode == STORE_CREATE)
		err = file_create(path, e);
	if (!err)
		err = file_check(path, e);
	if (err)
		return err;
	st = xcalloc(1, sizeof(*st));
	st->path = xstrdup(path);
	st->busy_ms = busy_ms;
	err = handle_ready(st);
	if (err) {
		err_set(e, err, "%s", st->err.s);
		store_close(st);
		return err;
	}
	*out = st;
	return 0;
}

int
store_open(const char *path, enum store_mode mode, struct store **st, struct errtext *e)
{
	return store_open_busy(path, mode, STORE_BUSY_MS, st, e);
}

void
store_turn(struct store *st)
{
	st->by_turns = true;
	st->tired = false;
}

void
store_hasty(struct store *st, bool hasty)
{
	st->hasty = hasty;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	for (size_t i = 0; i < st->nstmt; i++)
		sqlite3_finalize(st->stmt[i].q);
	sqlite3_close(st->db);
	free(st->stmt);
	free(st->path);
	free(st);
	malloc_trim(0); /* who closes is about to wait, by the hundred */
}

const char *
store_error(const struct store *st)
{
	return st->err.s;
}

const struct errtext *
store_why(const struct store *st)
{
	return &st->err;
}

bool
store_failed(const struct store *st)
{
	return st->failed;
}

static const char epoch_sql[] = "SELECT epoch FROM policy_epoch WHERE one = 1";

int
store_policy_epoch(struct store *st, int64_t *epoch)
{
	return sql_value(st, epoch_sql, NO_PARAMS, epoch);
}
