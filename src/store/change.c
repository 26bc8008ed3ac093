/*
 * One administrator's change and its audit row, together or not at all.
 * Runs in jumpboxctl, and in the broker for a user's own new password.
 */
#include "store_internal.h"

int
change_put(struct store *st, const struct actor *by, const struct change *c)
{
	int64_t changed = 0;
	int err = sql_run(st, c->sql, c->params, &changed);

	if (err == JB_EXISTS)
		return store_fail(st, err, "there is already a %s %.128s", c->noun, c->name);
	if (err)
		return err;
	if (changed == 0)
		return store_fail(st, JB_NOT_FOUND, "no such %s: %.128s", c->noun, c->name);
	return audit_put(st, by, c->event, c->user, c->target, c->detail);
}

int
change_apply(struct store *st, const struct actor *by, const struct change *c)
{
	int err = txn_begin(st, TXN_DURABLE);

	if (!err)
		err = change_put(st, by, c);
	return txn_end(st, err);
}
