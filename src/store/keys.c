/* Users' public keys.  jumpboxctl changes them; the broker reads them at login. */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>

static const char add_sql[] =
    "INSERT INTO user_keys (user_id, algorithm, blob, fingerprint, comment, from_cidr, until,"
    " created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char each_sql[] =
    "SELECT u.name, k.algorithm, k.blob, k.fingerprint, k.comment, k.from_cidr, k.until, k.created"
    " FROM users u JOIN user_keys k ON k.user_id = u.id WHERE u.name = $1 ORDER BY k.id";
static const char del_sql[] = "DELETE FROM user_keys WHERE fingerprint = $1"
			      " AND user_id = (SELECT id FROM users WHERE name = $2)";

int
key_add(struct store *st, const struct actor *by, const struct user_key *k)
{
	int64_t user;
	char *detail =
	    xasprintf("from=%s until=%lld", k->from != NULL ? k->from : "-", (long long)k->until);
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = user_id(st, k->user, &user);
	if (!err)
		err = change_put(st, by,
		    &(struct change){
			.sql = add_sql,
			.params = PARAMS(P_INT(user), P_TEXT(k->algorithm), P_TEXT(k->blob),
			    P_TEXT(k->fingerprint), P_TEXT(k->comment != NULL ? k->comment : ""),
			    P_TEXT(k->from), P_INT(k->until), P_INT(now_unix())),
			.noun = "key",
			.name = k->fingerprint,
			.event = "key.add",
			.user = k->user,
			.target = k->fingerprint,
			.detail = detail,
		    });
	free(detail);
	return txn_end(st, err);
}

struct key_walk {
	int (*fn)(const struct user_key *, void *);
	void *arg;
};

static int
key_row(sqlite3_stmt *q, void *arg)
{
	const struct key_walk *w = arg;
	const struct user_key k = {
		.user = col_text(q, 0),
		.algorithm = col_text(q, 1),
		.blob = col_text(q, 2),
		.fingerprint = col_text(q, 3),
		.comment = col_text(q, 4),
		.from = col_text(q, 5),
		.until = col_int(q, 6),
		.created = col_int(q, 7),
	};

	return w->fn(&k, w->arg);
}

int
key_each(struct store *st, const char *user, int (*fn)(const struct user_key *, void *), void *arg)
{
	struct key_walk w = { fn, arg };

	return sql_each(st, each_sql, PARAMS(P_TEXT(user)), key_row, &w);
}

int
key_del(struct store *st, const struct actor *by, const char *user, const char *fingerprint)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = del_sql,
		.params = PARAMS(P_TEXT(fingerprint), P_TEXT(user)),
		.noun = "key",
		.name = fingerprint,
		.event = "key.del",
		.user = user,
		.target = fingerprint,
	    });
}
