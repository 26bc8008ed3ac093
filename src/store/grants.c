/*
 * Grants as rows; what they mean is the policy's affair.  jumpboxctl changes
 * them; the broker reads those of one user.
 */
#include "store_internal.h"

#include "jumpbox/util.h"

#include <stdlib.h>

#define GRANT_COLUMNS \
	"g.id, u.name, r.name, g.selector, g.allow, g.run_as, g.until, g.recording, g.created"
#define GRANT_TABLES                                           \
	" FROM grants g LEFT JOIN users u ON u.id = g.user_id" \
	" LEFT JOIN user_groups r ON r.id = g.group_id"

static const char add_sql[] =
    "INSERT INTO grants (user_id, group_id, selector, allow, run_as, until, recording, created)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
static const char each_sql[] = "SELECT " GRANT_COLUMNS GRANT_TABLES " ORDER BY g.id";
static const char each_of_sql[] =
    "SELECT " GRANT_COLUMNS GRANT_TABLES " WHERE g.user_id = $1"
    " OR g.group_id IN (SELECT group_id FROM group_members WHERE user_id = $1) ORDER BY g.id";
static const char del_sql[] =
    "DELETE FROM grants WHERE id = $1"
    " RETURNING id, (SELECT name FROM users WHERE id = grants.user_id),"
    " (SELECT name FROM user_groups WHERE id = grants.group_id), selector, allow, run_as, until,"
    " recording, created";

/* Looks up whom it is for and adds the row. */
static int
grant_insert(struct store *st, const struct grant *g, int64_t *id)
{
	const struct param none = P_TEXT(NULL);
	int64_t who;
	int err = g->user != NULL ? user_id(st, g->user, &who) : group_id(st, g->group, &who);

	if (err)
		return err;
	return sql_value(st, add_sql,
	    PARAMS(g->user != NULL ? P_INT(who) : none, g->user != NULL ? none : P_INT(who),
		P_TEXT(g->selector), P_TEXT(g->allow), P_TEXT(g->run_as), P_INT(g->until),
		P_TEXT(g->record), P_INT(now_unix())),
	    id);
}

/* The whole grant each time: the row is gone when somebody asks what it gave. */
static int
grant_audit(
    struct store *st, const struct actor *by, const char *event, const struct grant *g, int64_t id)
{
	char number[24];
	char *detail = xasprintf("to=%s%s selector=%s allow=%s as=%s until=%lld record=%s",
	    g->user != NULL ? "" : "@", g->user != NULL ? g->user : g->group, g->selector, g->allow,
	    g->run_as != NULL ? g->run_as : "-", (long long)g->until,
	    g->record != NULL ? g->record : "-");
	int err;

	snprintf(number, sizeof(number), "%lld", (long long)id);
	err = audit_put(st, by, event, g->user, number, detail);
	free(detail);
	return err;
}

int
grant_add(struct store *st, const struct actor *by, const struct grant *g, int64_t *id)
{
	int64_t made = 0;
	int err;

	if ((g->user == NULL) == (g->group == NULL))
		return store_fail(st, JB_BAD_INPUT, "a grant is for a user or for a @group");
	err = txn_begin(st, TXN_DURABLE);
	if (!err)
		err = grant_insert(st, g, &made);
	if (!err)
		err = grant_audit(st, by, "grant.add", g, made);
	err = txn_end(st, err);
	if (!err && id != NULL)
		*id = made;
	return err;
}

struct grant_walk {
	int (*fn)(const struct grant *, void *);
	void *arg;
};

static int
grant_row(sqlite3_stmt *q, void *arg)
{
	const struct grant_walk *w = arg;
	const struct grant g = {
		.id = col_int(q, 0),
		.user = col_text(q, 1),
		.group = col_text(q, 2),
		.selector = col_text(q, 3),
		.allow = col_text(q, 4),
		.run_as = col_text(q, 5),
		.until = col_int(q, 6),
		.record = col_text(q, 7),
		.created = col_int(q, 8),
	};

	return w->fn(&g, w->arg);
}

int
grant_each(struct store *st, int (*fn)(const struct grant *, void *), void *arg)
{
	struct grant_walk w = { fn, arg };

	return sql_each(st, each_sql, NO_PARAMS, grant_row, &w);
}

int
grant_each_of(
    struct store *st, const char *user, int (*fn)(const struct grant *, void *), void *arg)
{
	struct grant_walk w = { fn, arg };
	int64_t id;
	int err = user_id(st, user, &id);

	if (err)
		return err;
	return sql_each(st, each_of_sql, PARAMS(P_INT(id)), grant_row, &w);
}

struct deleting {
	struct store *st;
	const struct actor *by;
};

static int
deleted(const struct grant *g, void *arg)
{
	const struct deleting *d = arg;

	return grant_audit(d->st, d->by, "grant.del", g, g->id);
}

int
grant_del(struct store *st, const struct actor *by, int64_t id)
{
	struct deleting d = { st, by };
	struct grant_walk w = { deleted, &d };
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = sql_one(st, del_sql, PARAMS(P_INT(id)), grant_row, &w);
	return txn_end(st, store_missing_id(st, err, "grant", id));
}
