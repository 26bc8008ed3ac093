/*
 * What will end by time alone is announced: the account's expiry to the menu,
 * the end of what gives a shell to its terminal, a few minutes before.  Broker.
 *
 * A grant that ends is no end where another one, or the owner's label, gives
 * the same: it is decided again for each instant at which anything changes.
 */
#include "attached.h"

#include "jumpbox/util.h"

enum { NOTICE_S = 300 };

static void
tell(struct broker *b, uint32_t attach, int64_t when)
{
	struct msg m;

	msg_init(&m, EVT_NOTICE, 0);
	msg_put_u32(&m, attach);
	msg_put_u64(&m, (uint64_t)when);
	broker_send(b, &m);
}

void
notice_account(struct broker *b, int64_t expires)
{
	if (b->told_expires == expires)
		return;
	b->told_expires = expires;
	tell(b, 0, expires);
}

void
notice_learn(struct attached *a, const struct subject *s)
{
	struct verdict v;

	for (a->ends = now_unix(); attach_allowed(a, s, a->ends, &v); a->ends = v.until) {
		if (v.until == 0) {
			a->ends = 0;
			return;
		}
	}
}

void
notice_attach(struct broker *b, struct attached *a)
{
	if (!a->tty || a->ends == 0 || a->told_end == a->ends)
		return;
	if (a->ends - now_unix() > NOTICE_S) {
		recheck_until(b, a->ends - NOTICE_S);
		return;
	}
	a->told_end = a->ends;
	tell(b, a->id, a->ends);
}
