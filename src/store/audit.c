/*
 * The audit: appended to, never changed.  Each row's hash covers the hash
 * before it, so a row that is edited, removed or slipped in shows.  The newest
 * row's id and hash stand in audit_head, which also gives out the ids: the
 * first statement of an append takes the lock.  Broker, watcher, jumpboxctl.
 */
#include "store_internal.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <openssl/evp.h>
#include <string.h>

/* ---- the hash ---------------------------------------------------------- */

/*
 *	hash = SHA-256( previous hash, fields )      in the order of AUDIT_COLUMNS
 *
 *	a number   'i'  8 bytes, big-endian
 *	a text     's'  8 bytes length, the bytes
 *	NULL       'n'
 *
 * Every field says its kind and its length, so no two rows have one encoding.
 */
static void
hash_number(EVP_MD_CTX *md, uint8_t tag, uint64_t v)
{
	uint8_t b[9] = { tag };

	for (int i = 0; i < 8; i++)
		b[1 + i] = (uint8_t)(v >> (56 - 8 * i));
	EVP_DigestUpdate(md, b, sizeof(b));
}

static void
hash_text(EVP_MD_CTX *md, const char *s)
{
	if (s == NULL) {
		EVP_DigestUpdate(md, "n", 1);
		return;
	}
	hash_number(md, 's', strlen(s));
	EVP_DigestUpdate(md, s, strlen(s));
}

void
audit_hash(const uint8_t prev[AUDIT_HASH], const struct audit_event *ev, uint8_t out[AUDIT_HASH])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		fatal(JB_INTERNAL, "libcrypto has no SHA-256");
	EVP_DigestUpdate(md, prev, AUDIT_HASH);
	hash_number(md, 'i', (uint64_t)ev->id);
	hash_number(md, 'i', (uint64_t)ev->at);
	hash_text(md, ev->event);
	hash_text(md, ev->actor);
	hash_text(md, ev->source);
	hash_number(md, 'i', ev->conn);
	hash_text(md, ev->user);
	hash_text(md, ev->target);
	hash_text(md, ev->detail);
	EVP_DigestFinal_ex(md, out, NULL);
	EVP_MD_CTX_free(md);
}

/* ---- appending --------------------------------------------------------- */

static const char next_sql[] = "UPDATE audit_head SET id = id + 1 WHERE one = 1 RETURNING id, hash";
static const char insert_sql[] = "INSERT INTO audit (" AUDIT_COLUMNS ", hash)"
				 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
static const char head_sql[] = "UPDATE audit_head SET hash = $1 WHERE one = 1";

struct head {
	int64_t id;
	uint8_t hash[AUDIT_HASH];
};

static int
head_row(sqlite3_stmt *q, void *arg)
{
	struct head *h = arg;

	h->id = col_int(q, 0);
	if (sqlite3_column_bytes(q, 1) == AUDIT_HASH)
		memcpy(h->hash, sqlite3_column_blob(q, 1), AUDIT_HASH);
	return 0;
}

int
audit_append(struct store *st, struct audit_event *ev)
{
	struct head head = { 0 };
	uint8_t hash[AUDIT_HASH];
	int err = sql_each(st, next_sql, NO_PARAMS, head_row, &head);

	if (!err && head.id == 0)
		return store_fail(st, JB_UNAVAILABLE,
		    "database %.80s has lost the head of its audit: `jumpboxctl restore FILE`",
		    st->path);
	if (err)
		return err;
	ev->id = head.id;
	audit_hash(head.hash, ev, hash);
	err = sql_run(st, insert_sql,
	    PARAMS(P_INT(ev->id), P_INT(ev->at), P_TEXT(ev->event), P_TEXT(ev->actor),
		P_TEXT(ev->source), P_INT(ev->conn), P_TEXT(ev->user), P_TEXT(ev->target),
		P_TEXT(ev->detail), P_BLOB(hash, sizeof(hash))));
	if (!err)
		err = sql_run(st, head_sql, PARAMS(P_BLOB(hash, sizeof(hash))));
	return err;
}

int
audit_put(struct store *st, const struct actor *by, const char *event, const char *user,
    const char *target, const char *detail)
{
	struct audit_event ev = {
		.at = now_unix_ms(),
		.event = event,
		.actor = by->name,
		.source = by->source,
		.conn = by->conn,
		.user = user,
		.target = target,
		.detail = detail,
	};

	return audit_append(st, &ev);
}

int
audit_add(struct store *st, const struct actor *by, const char *event, const char *user,
    const char *target, const char *detail)
{
	int err = txn_begin(st, TXN_WRITE);

	if (!err)
		err = audit_put(st, by, event, user, target, detail);
	return txn_end(st, err);
}

/* ---- reading ----------------------------------------------------------- */

#define AUDIT_WHERE " FROM audit WHERE at_ms >= $1 AND ($2 IS NULL OR actor = $2 OR user_name = $2)"

static const char each_sql[] = "SELECT " AUDIT_COLUMNS AUDIT_WHERE " ORDER BY id";
static const char newest_sql[] = "SELECT " AUDIT_COLUMNS " FROM (SELECT " AUDIT_COLUMNS AUDIT_WHERE
				 " ORDER BY id DESC LIMIT $3) newest ORDER BY id";

void
audit_row(sqlite3_stmt *q, struct audit_event *ev)
{
	*ev = (struct audit_event){
		.id = col_int(q, 0),
		.at = col_int(q, 1),
		.event = col_text(q, 2),
		.actor = col_text(q, 3),
		.source = col_text(q, 4),
		.conn = (uint64_t)col_int(q, 5),
		.user = col_text(q, 6),
		.target = col_text(q, 7),
		.detail = col_text(q, 8),
	};
}

struct audit_walk {
	int (*fn)(const struct audit_event *, void *);
	void *arg;
};

static int
walk_row(sqlite3_stmt *q, void *arg)
{
	const struct audit_walk *w = arg;
	struct audit_event ev;

	audit_row(q, &ev);
	return w->fn(&ev, w->arg);
}

int
audit_each(struct store *st, int64_t since, const char *user, int64_t limit,
    int (*fn)(const struct audit_event *, void *), void *arg)
{
	struct audit_walk w = { fn, arg };

	if (limit == 0)
		return sql_each(
		    st, each_sql, PARAMS(P_INT(since * 1000), P_TEXT(user)), walk_row, &w);
	return sql_each(
	    st, newest_sql, PARAMS(P_INT(since * 1000), P_TEXT(user), P_INT(limit)), walk_row, &w);
}
