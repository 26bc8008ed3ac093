/* Groups and their members.  jumpboxctl; grants to a group are read in grants.c. */
#include "store_internal.h"

static const char id_sql[] = "SELECT id FROM user_groups WHERE name = $1";
static const char add_sql[] = "INSERT INTO user_groups (name) VALUES ($1)";
static const char del_sql[] = "DELETE FROM user_groups WHERE name = $1";
static const char join_sql[] = "INSERT INTO group_members (group_id, user_id) VALUES ($1, $2)";
static const char leave_sql[] = "DELETE FROM group_members WHERE group_id = $1 AND user_id = $2";
static const char each_sql[] = "SELECT g.name, u.name FROM user_groups g"
			       " LEFT JOIN group_members m ON m.group_id = g.id"
			       " LEFT JOIN users u ON u.id = m.user_id ORDER BY g.name, u.name";

int
group_id(struct store *st, const char *name, int64_t *id)
{
	return store_missing(st, sql_value(st, id_sql, PARAMS(P_TEXT(name)), id), "group", name);
}

int
group_add(struct store *st, const struct actor *by, const char *name)
{
	int err = change_check_name(st, "group", name);

	if (err)
		return err;
	return change_apply(st, by,
	    &(struct change){
		.sql = add_sql,
		.params = PARAMS(P_TEXT(name)),
		.noun = "group",
		.name = name,
		.event = "group.add",
		.target = name,
	    });
}

int
group_del(struct store *st, const struct actor *by, const char *name)
{
	return change_apply(st, by,
	    &(struct change){
		.sql = del_sql,
		.params = PARAMS(P_TEXT(name)),
		.noun = "group",
		.name = name,
		.event = "group.del",
		.target = name,
	    });
}

static int
member_change(struct store *st, const struct actor *by, const char *sql, const char *event,
    const char *group, const char *user)
{
	int64_t gid = 0, uid = 0;
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = group_id(st, group, &gid);
	if (!err)
		err = user_id(st, user, &uid);
	if (!err)
		err = change_put(st, by,
		    &(struct change){
			.sql = sql,
			.params = PARAMS(P_INT(gid), P_INT(uid)),
			.noun = "member of that group called",
			.name = user,
			.event = event,
			.user = user,
			.target = group,
		    });
	return txn_end(st, err);
}

int
group_join(struct store *st, const struct actor *by, const char *group, const char *user)
{
	return member_change(st, by, join_sql, "group.join", group, user);
}

int
group_leave(struct store *st, const struct actor *by, const char *group, const char *user)
{
	return member_change(st, by, leave_sql, "group.leave", group, user);
}

struct group_walk {
	int (*fn)(const char *, const char *, void *);
	void *arg;
};

static int
group_row(sqlite3_stmt *q, void *arg)
{
	const struct group_walk *w = arg;

	return w->fn(col_text(q, 0), col_text(q, 1), w->arg);
}

int
group_each(struct store *st, int (*fn)(const char *group, const char *user, void *), void *arg)
{
	struct group_walk w = { fn, arg };

	return sql_each(st, each_sql, NO_PARAMS, group_row, &w);
}
