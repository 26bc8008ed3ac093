/*
 * Users.  jumpboxctl changes them; the broker reads one at login, re-hashes,
 * and sets a user's own new password.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

static const char *const role_names[] = { [ROLE_USER] = "user", [ROLE_ADMIN] = "admin" };

static enum user_role
role_of(const char *s)
{
	if (strcmp(s, role_names[ROLE_USER]) == 0)
		return ROLE_USER;
	if (strcmp(s, role_names[ROLE_ADMIN]) == 0)
		return ROLE_ADMIN;
	return ROLE_NONE;
}

/* ---- reading ----------------------------------------------------------- */

#define USER_COLUMNS                                                                        \
	"id, name, hash, role, locked, expires, must_change, language, menu, max_sessions," \
	" created, last_login, totp_required,"                                              \
	" EXISTS (SELECT 1 FROM totp WHERE user_id = users.id),"                            \
	" (SELECT count(*) FROM totp_recovery WHERE user_id = users.id)"

static const char get_sql[] = "SELECT " USER_COLUMNS " FROM users WHERE name = $1";
static const char each_sql[] = "SELECT " USER_COLUMNS " FROM users ORDER BY name";
static const char id_sql[] = "SELECT id FROM users WHERE name = $1";

struct user_walk {
	int (*fn)(const struct user *, void *);
	void *arg;
};

static int
user_row(sqlite3_stmt *q, void *arg)
{
	const struct user_walk *w = arg;
	const struct user u = {
		.id = col_int(q, 0),
		.name = col_text(q, 1),
		.hash = col_text(q, 2),
		.standing = { role_of(col_text(q, 3)), col_int(q, 4) != 0, col_int(q, 5) },
		.must_change = col_int(q, 6) != 0,
		.language = col_text(q, 7),
		.menu = col_text(q, 8),
		.max_sessions = col_int(q, 9),
		.created = col_int(q, 10),
		.last_login = col_int(q, 11),
		.totp_required = col_int(q, 12) != 0,
		.totp = col_int(q, 13) != 0,
		.recovery_codes = col_int(q, 14),
	};

	return w->fn(&u, w->arg);
}

int
user_get(struct store *st, const char *name, int (*fn)(const struct user *, void *), void *arg)
{
	struct user_walk w = { fn, arg };

	return store_missing(
	    st, sql_one(st, get_sql, PARAMS(P_TEXT(name)), user_row, &w), "user", name);
}

int
user_each(struct store *st, int (*fn)(const struct user *, void *), void *arg)
{
	struct user_walk w = { fn, arg };

	return sql_each(st, each_sql, NO_PARAMS, user_row, &w);
}

int
user_id(struct store *st, const char *name, int64_t *id)
{
	return store_missing(st, sql_value(st, id_sql, PARAMS(P_TEXT(name)), id), "user", name);
}

/* ---- adding and removing ----------------------------------------------- */

static const char add_sql[] =
    "INSERT INTO users (name, hash, role, locked, must_change, expires, language, menu,"
    " max_sessions, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
static const char del_sql[] = "DELETE FROM users WHERE name = $1";

int
user_add(struct store *st, const struct actor *by, const struct user *u)
{
	const struct standing *in = &u->standing;
	char detail[128];
	int err = change_check_name(st, "user", u->name);

	if (err)
		return err;
	if (in->role != ROLE_USER && in->role != ROLE_ADMIN)
		return store_fail(st, JB_BAD_INPUT, "user %s needs a role: user or admin", u->name);
	snprintf(detail, sizeof(detail), "role=%s password=%s expires=%lld", role_names[in->role],
	    u->hash != NULL ? "yes" : "no", (long long)in->expires);
	return change_apply(st, by,
	    &(struct change){
		.sql = add_sql,
		.params = PARAMS(P_TEXT(u->name), P_TEXT(u->hash), P_TEXT(role_names[in->role]),
		    P_INT(in->locked), P_INT(u->must_change), P_INT(in->expires),
		    P_TEXT(u->language), P_TEXT(u->menu), P_INT(u->max_sessions),
		    P_INT(now_unix())),
		.noun = "user",
		.name = u->name,
		.event = "user.add",
		.user = u->name,
		.detail = detail,
	    });
}

int
user_del(struct store *st, const struct actor *by, const char *name)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = del_sql,
		.params = PARAMS(P_TEXT(name)),
		.noun = "user",
		.name = name,
		.event = "user.del",
		.user = name,
	    });
}

/* ---- the password ------------------------------------------------------ */

static const char hash_sql[] = "UPDATE users SET hash = $1, must_change = $2 WHERE name = $3";
static const char own_hash_sql[] =
    "UPDATE users SET hash = $1, must_change = 0 WHERE name = $2 AND hash IS $3";
static const char rehash_sql[] = "UPDATE users SET hash = $1 WHERE name = $2 AND hash = $3";

int
user_set_hash(
    struct store *st, const struct actor *by, const char *name, const char *hash, bool must_change)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = hash_sql,
		.params = PARAMS(P_TEXT(hash), P_INT(must_change), P_TEXT(name)),
		.noun = "user",
		.name = name,
		.event = "user.passwd",
		.user = name,
		.detail = must_change ? "must-change=yes" : NULL,
	    });
}

int
user_change_hash(
    struct store *st, const struct actor *by, const char *name, const char *old, const char *hash)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = own_hash_sql,
		.params = PARAMS(P_TEXT(hash), P_TEXT(name), P_TEXT(old)),
		.noun = "user",
		.name = name,
		.event = "user.passwd",
		.user = name,
	    });
}

int
user_rehash(struct store *st, const char *name, const char *old, const char *hash)
{
	int err = sql_change(st, rehash_sql, PARAMS(P_TEXT(hash), P_TEXT(name), P_TEXT(old)));

	return store_missing(st, err, "user", name);
}

/* ---- locking ----------------------------------------------------------- */

static const char lock_sql[] = "UPDATE users SET locked = $1 WHERE name = $2";

int
user_set_locked(struct store *st, const struct actor *by, const char *name, bool locked)
{
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = change_put(st, by,
		    &(struct change){
			.sql = lock_sql,
			.params = PARAMS(P_INT(locked), P_TEXT(name)),
			.noun = "user",
			.name = name,
			.event = locked ? "user.lock" : "user.unlock",
			.user = name,
		    });
	if (!err && !locked)
		err = backoff_clear(st, BACKOFF_USER, name);
	if (!err && !locked)
		err = backoff_clear(st, BACKOFF_CODE, name);
	return txn_end(st, err);
}

/* ---- settings ---------------------------------------------------------- */

static const char set_role_sql[] = "UPDATE users SET role = $1 WHERE name = $2";
static const char set_language_sql[] = "UPDATE users SET language = $1 WHERE name = $2";
static const char set_menu_sql[] = "UPDATE users SET menu = $1 WHERE name = $2";
static const char set_sessions_sql[] = "UPDATE users SET max_sessions = $1 WHERE name = $2";
static const char set_totp_sql[] =
    "UPDATE users SET totp_required = CASE WHEN $1 = 'required' THEN 1 ELSE 0 END"
    " WHERE name = $2";
static const char set_expires_sql[] = "UPDATE users SET expires = $1 WHERE name = $2";

static const struct setting settings[] = {
	/* clang-format off */
	/* key            statement         value           optional secret choices */
	{ "role",         set_role_sql,     setting_choice, false, false, { "user", "admin" } },
	{ "language",     set_language_sql, setting_choice, true,  false, { "en", "zh" } },
	{ "menu",         set_menu_sql,     setting_choice, true,  false, { "full", "plain" } },
	{ "max-sessions", set_sessions_sql, setting_count,  false, false, { NULL } },
	{ "expires",      set_expires_sql,  setting_time,   true,  false, { NULL } },
	{ "totp",         set_totp_sql,     setting_choice, true,  false, { "required", "off" } },
	{ .key = NULL },
	/* clang-format on */
};

int
user_set(
    struct store *st, const struct actor *by, const char *name, const char *key, const char *value)
{
	if (strcmp(key, "totp") == 0 && strcmp(value, "off") == 0) /* more than one row's setting */
		return totp_off(st, by, name);
	return setting_apply(st, by, settings, key, value,
	    (struct change){
		.noun = "user",
		.name = name,
		.event = "user.set",
		.user = name,
	    });
}
