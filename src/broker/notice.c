/*
 * What will end by time alone is announced: the account's expiry to the menu,
 * the end of what gives a shell to its terminal, the first end of access to what
 * is listed to the menu, a few minutes before.  Broker.
 *
 * A grant that ends is no end where another one, or the owner's label, gives
 * the same: it is decided again for each instant at which anything changes.
 */
#include "attached.h"

#include "jumpbox/util.h"

#include <stdio.h>

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
notice_consider(struct first_end *e, const struct subject *s, const struct facts *f, int64_t until)
{
	struct verdict v = { .until = until };
	int64_t when;

	do {
		when = v.until;
		policy_decide(s, f, PERM_SHELL, when, &v);
	} while (v.perms != 0 && v.until != 0);
	if (v.perms != 0 || (e->when != 0 && e->when < when))
		return;
	e->more = e->when == when ? e->more + 1 : 0;
	if (e->when != when)
		snprintf(e->name, sizeof(e->name), "%.200s", f->name);
	e->when = when;
}

void
notice_access(struct broker *b, const struct first_end *e)
{
	int64_t when = e->when;
	struct msg m;

	if (when - now_unix() > NOTICE_S) {
		recheck_until(b, when - NOTICE_S);
		when = 0;
	}
	if (b->told_access == when)
		return;
	b->told_access = when;
	msg_init(&m, EVT_ENDING, 0);
	msg_put_u64(&m, (uint64_t)when);
	msg_put_str(&m, e->name);
	msg_put_u32(&m, e->more);
	broker_send(b, &m);
}

void
notice_learn(struct attached *a, const struct subject *s)
{
	struct verdict v;

	if (!a->tty) /* nobody else is told */
		return;
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
