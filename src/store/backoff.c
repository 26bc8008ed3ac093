/*
 * Failed passwords and codes, and the waiting that they bring, by user and by source.
 * Broker; jumpboxctl lifts one, the watcher's maintenance forgets them.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

enum { FORGET_AFTER = 3600, LONGEST_WAIT = 300 };

static const char fail_sql[] =
    "INSERT INTO login_failures (what, failures, last) VALUES ($1, 1, $2)"
    " ON CONFLICT (what) DO UPDATE SET"
    " failures = CASE WHEN login_failures.last < $3 THEN 1 ELSE login_failures.failures + 1 END,"
    " last = excluded.last RETURNING failures";
static const char block_sql[] = "UPDATE login_failures SET blocked_until = $1 WHERE what = $2";
static const char until_sql[] = "SELECT blocked_until FROM login_failures WHERE what = $1";
static const char clear_sql[] = "DELETE FROM login_failures WHERE what = $1";
static const char forget_sql[] =
    "DELETE FROM login_failures WHERE what IN (SELECT what FROM login_failures"
    " WHERE last < $1 AND blocked_until < $2 ORDER BY what LIMIT $3)";

/* 1, 2, 4 ... seconds for the first failure that counts, the second, ... */
static int64_t
wait_for(int64_t failures, unsigned after)
{
	int64_t wait = 1;

	if (failures < after)
		return 0;
	for (int64_t i = failures - after; i > 0 && wait < LONGEST_WAIT; i--)
		wait *= 2;
	return wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}

/* As rows and audit name it: "user:alice", "source:192.0.2.1". */
struct key {
	char what[128];
};

static struct key
key_of(enum backoff_kind kind, const char *name)
{
	static const char *const kinds[] = {
		[BACKOFF_USER] = "user", [BACKOFF_SOURCE] = "source", [BACKOFF_CODE] = "code"
	};
	struct key k;

	snprintf(k.what, sizeof(k.what), "%s:%s", kinds[kind], name);
	return k;
}

static int
count(struct store *st, enum backoff_kind kind, const char *name, unsigned after)
{
	const struct key k = key_of(kind, name);
	int64_t now = now_unix(), failures = 0, wait;
	int err = sql_value(
	    st, fail_sql, PARAMS(P_TEXT(k.what), P_INT(now), P_INT(now - FORGET_AFTER)), &failures);

	if (err)
		return err;
	wait = wait_for(failures, after);
	/* The second that has begun is not one of them. */
	return sql_run(
	    st, block_sql, PARAMS(P_INT(wait != 0 ? now + 1 + wait : 0), P_TEXT(k.what)));
}

/* One transaction: it takes no longer for a user who exists. */
int
backoff_fail(
    struct store *st, enum backoff_kind kind, const char *user, const char *source, unsigned after)
{
	int err;

	if (after == 0)
		return 0;
	err = txn_begin(st, TXN_WRITE);
	if (!err && user != NULL)
		err = count(st, kind, user, after);
	if (!err)
		err = count(st, BACKOFF_SOURCE, source, after);
	return txn_end(st, err);
}

int
backoff_until(struct store *st, enum backoff_kind kind, const char *name, int64_t *until)
{
	const struct key k = key_of(kind, name);
	int64_t now = now_unix(), at = 0;
	int err = sql_value(st, until_sql, PARAMS(P_TEXT(k.what)), &at);

	if (err && err != JB_NOT_FOUND)
		return err;
	/* Further ahead than we ever write: the clock was set back. */
	*until = at > now && at <= now + 1 + LONGEST_WAIT ? at : 0;
	return 0;
}

int
backoff_clear(struct store *st, enum backoff_kind kind, const char *name)
{
	const struct key k = key_of(kind, name);
	int64_t at;
	int err = sql_value(st, until_sql, PARAMS(P_TEXT(k.what)), &at);

	/* Nearly always there is nothing, and a login need not take the write lock. */
	if (err == JB_NOT_FOUND)
		return 0;
	return err ? err : sql_run(st, clear_sql, PARAMS(P_TEXT(k.what)));
}

int
backoff_unlock(struct store *st, const struct actor *by, enum backoff_kind kind, const char *name)
{
	const struct key k = key_of(kind, name);

	return change_apply(st, by,
	    &(struct change){
		.sql = clear_sql,
		.params = PARAMS(P_TEXT(k.what)),
		.noun = "back-off",
		.name = k.what,
		.event = "backoff.unlock",
		.target = k.what,
	    });
}

int
backoff_forget(struct store *st, int64_t now, int64_t *n)
{
	return sql_count(
	    st, forget_sql, PARAMS(P_INT(now - FORGET_AFTER), P_INT(now), P_INT(STORE_BATCH)), n);
}
