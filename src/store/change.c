/*
 * One administrator's change and its audit row, together or not at all.
 * Runs in jumpboxctl, and in the broker for a user's own new password.
 */
#include "store_internal.h"

#include "jumpbox/target.h"

int
change_put(struct store *st, const struct actor *by, const struct change *c)
{
	int err = sql_change(st, c->sql, c->params);

	if (err == JB_EXISTS)
		return store_fail(st, err, "there is already a %s %.128s", c->noun, c->name);
	if (err)
		return store_missing(st, err, c->noun, c->name);
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

int
change_check_name(struct store *st, const char *noun, const char *name)
{
	if (name_valid(name))
		return 0;
	return store_fail(st, JB_BAD_INPUT,
	    "bad %s name: use up to 32 of a-z 0-9 . _ - and begin with a letter or digit", noun);
}
