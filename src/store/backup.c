/*
 * A copy of the database while it is in use.  jumpboxctl.
 */
#include "store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BACKUP_PAGES = 256 }; /* a step */

/* Pins the snapshot that is copied: without it a copy under steady writes starts over for ever. */
static const char pin_sql[] = "SELECT one FROM policy_epoch";

static int
copy_pages(struct store *st, sqlite3 *to, const char *file)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", st->db, "main");
	int rc, done;

	if (b == NULL)
		return store_fail(
		    st, JB_UNAVAILABLE, "cannot write %.120s: %s", file, sqlite3_errmsg(to));
	do {
		rc = sqlite3_backup_step(b, BACKUP_PAGES);
	} while (rc == SQLITE_OK);
	done = sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE && done == SQLITE_OK)
		return 0;
	if (rc == SQLITE_DONE)
		rc = done;
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
		return sql_fail(st, rc);
	return store_fail(st, JB_UNAVAILABLE, "cannot write %.120s: %s", file, sqlite3_errstr(rc));
}

static int
copy_to(struct store *st, const char *file)
{
	sqlite3 *to = NULL;
	int64_t one;
	int rc, err;

	rc = sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) /* it is nobody's yet, and removed if we fail: no journal beside it */
		rc = sqlite3_exec(to, "PRAGMA journal_mode = OFF", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		err = store_fail(
		    st, JB_UNAVAILABLE, "cannot write %.120s: %s", file, sqlite3_errmsg(to));
		sqlite3_close(to);
		return err;
	}
	err = txn_begin(st, TXN_READ);
	if (!err)
		err = sql_value(st, pin_sql, NO_PARAMS, &one);
	if (!err)
		err = copy_pages(st, to, file);
	err = txn_end(st, err);
	sqlite3_close(to);
	return err;
}

int
store_backup(struct store *st, const char *file)
{
	int err, fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return store_fail(st, JB_EXISTS,
		    "there is already a file %.160s: remove it or name another", file);
	if (fd < 0)
		return store_fail(
		    st, JB_UNAVAILABLE, "cannot make %.160s: %s", file, strerror(errno));
	err = copy_to(st, file);
	if (!err && fsync(fd) < 0)
		err = store_fail(
		    st, JB_UNAVAILABLE, "cannot write %.160s: %s", file, strerror(errno));
	close(fd);
	if (err)
		unlink(file);
	return err;
}
