/*
 * One-time codes: the secret that a user's device shares, which codes have
 * been used, and the recovery codes that are left.  Broker; jumpboxctl removes
 * them through `user set`.
 */
#include "store_internal.h"

#include "jumpbox/target.h"
#include "jumpbox/util.h"

#include <string.h>

static const char get_sql[] = "SELECT secret, last FROM totp WHERE user_id = $1";
static const char use_sql[] = "UPDATE totp SET last = $1 WHERE user_id = $2 AND last < $1";
static const char use_recovery_sql[] = "DELETE FROM totp_recovery WHERE user_id = $1 AND hash = $2";
static const char remove_sql[] = "DELETE FROM totp WHERE user_id = $1 AND secret = $2";
static const char add_sql[] =
    "INSERT INTO totp (user_id, secret, last, created) VALUES ($1, $2, $3, $4)";
static const char add_recovery_sql[] = "INSERT INTO totp_recovery (user_id, hash) VALUES ($1, $2)";
static const char name_sql[] = "SELECT name FROM users WHERE id = $1";

static const char set_off_sql[] = "UPDATE users SET totp_required = 0 WHERE name = $1";
static const char off_sql[] =
    "DELETE FROM totp WHERE user_id = (SELECT id FROM users WHERE name = $1)";

static int
totp_row(sqlite3_stmt *q, void *arg)
{
	struct totp *t = arg;

	if (sqlite3_column_bytes(q, 0) != TOTP_SECRET)
		return JB_UNAVAILABLE;
	memcpy(t->secret, sqlite3_column_blob(q, 0), TOTP_SECRET);
	t->last = col_int(q, 1);
	return 0;
}

int
totp_get(struct store *st, int64_t user_id, struct totp *t)
{
	return store_missing_id(
	    st, sql_one(st, get_sql, PARAMS(P_INT(user_id)), totp_row, t), "enrolment", user_id);
}

int
totp_use(struct store *st, int64_t user_id, int64_t counter)
{
	return sql_change(st, use_sql, PARAMS(P_INT(counter), P_INT(user_id)));
}

int
totp_use_recovery(struct store *st, int64_t user_id, const uint8_t hash[RECOVERY_HASH])
{
	return sql_change(
	    st, use_recovery_sql, PARAMS(P_INT(user_id), P_BLOB(hash, RECOVERY_HASH)));
}

static int
name_row(sqlite3_stmt *q, void *arg)
{
	return str_copy(arg, NAME_MAX_LEN + 1, col_text(q, 0));
}

static int
put(struct store *st, const struct actor *by, int64_t user_id, const struct totp *t,
    const struct totp *old)
{
	char name[NAME_MAX_LEN + 1] = "";
	int err = sql_one(st, name_sql, PARAMS(P_INT(user_id)), name_row, name);

	if (err)
		return store_missing_id(st, err, "user", user_id);
	if (old != NULL)
		err = sql_run(
		    st, remove_sql, PARAMS(P_INT(user_id), P_BLOB(old->secret, TOTP_SECRET)));
	if (err)
		return err;
	return change_put(st, by,
	    &(struct change){
		.sql = add_sql,
		.params = PARAMS(P_INT(user_id), P_BLOB(t->secret, TOTP_SECRET), P_INT(t->last),
		    P_INT(now_unix())),
		.noun = "second factor of",
		.name = name,
		.event = "totp.enrol",
		.user = name,
		.detail = old != NULL ? "renewed" : "enrolled",
	    });
}

int
totp_enrol(struct store *st, const struct actor *by, int64_t user_id, const struct totp *t,
    uint8_t recovery[RECOVERY_CODES][RECOVERY_HASH], const struct totp *old)
{
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = put(st, by, user_id, t, old);
	for (int i = 0; i < RECOVERY_CODES && !err; i++)
		err = sql_run(st, add_recovery_sql,
		    PARAMS(P_INT(user_id), P_BLOB(recovery[i], RECOVERY_HASH)));
	return txn_end(st, err);
}

int
totp_off(struct store *st, const struct actor *by, const char *user)
{
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = change_put(st, by,
		    &(struct change){
			.sql = set_off_sql,
			.params = PARAMS(P_TEXT(user)),
			.noun = "user",
			.name = user,
			.event = "user.set",
			.user = user,
			.detail = "totp=off",
		    });
	if (!err)
		err = sql_run(st, off_sql, PARAMS(P_TEXT(user)));
	return txn_end(st, err);
}
