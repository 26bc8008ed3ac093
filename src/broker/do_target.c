/*
 * REQ_TARGET: which container the login name means.  Broker.
 *
 * Only what the user may reach is ever looked at, so that nobody learns what
 * else exists.  A name is said to be unknown only after a moment, for it may be
 * a container of this very second, which the inventory has not heard of yet.
 */
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum {
	BY_PREFIX = 1, /* of target_level() */
	/* What was made a moment ago is in the inventory a few tenths of a second later. */
	PREFIX_MS = 250, /* ... and its name may be the whole of what is the beginning of another */
	UNKNOWN_MS = 1000,
	UNSEEN_MS = 3000, /* while there are nodes that nobody has looked at yet */
};

struct match {
	uint64_t ref;
	char *name, *node;
};

struct resolving {
	const struct listing *listing;
	const struct target *t;
	const struct subject *s;
	int64_t now;
	unsigned level; /* the best so far */
	size_t total;	/* matches at that level, or all that is reachable while there is none */
	struct match match[MAX_CANDIDATES]; /* the first of them */
	size_t kept;
};

static void
forget(struct resolving *rs)
{
	while (rs->kept > 0) {
		free(rs->match[--rs->kept].name);
		free(rs->match[rs->kept].node);
	}
	rs->total = 0;
}

void
target_outdated(struct broker *b, const char *container, const char *name)
{
	struct listing *l = b->listing;

	snprintf(l->gone, sizeof(l->gone), "%s", container);
	snprintf(l->gone_name, sizeof(l->gone_name), "%s", name);
}

/* The table still says what an attach has found untrue. */
static bool
outdated(const struct listing *l, const struct container *c)
{
	return strcmp(c->id, l->gone) == 0 && strcmp(c->name, l->gone_name) == 0;
}

static int
consider(const struct container *c, void *arg)
{
	struct resolving *rs = arg;
	const struct target_candidate tc = { c->name, c->node, c->id };
	const struct facts f = { c->node, c->name, c->image, c->labels, c->owner };
	unsigned level = target_level(rs->t, &tc);
	struct verdict v;

	if (level < rs->level || outdated(rs->listing, c))
		return 0;
	policy_decide(rs->s, &f, PERM_SHELL, rs->now, &v);
	if (v.perms == 0)
		return 0;
	if (level > rs->level) {
		forget(rs);
		rs->level = level;
	}
	if (rs->total++ < MAX_CANDIDATES)
		rs->match[rs->kept++] =
		    (struct match){ (uint64_t)c->ref, xstrdup(c->name), xstrdup(c->node) };
	return 0;
}

static void
put_answer(
    struct broker *b, uint32_t id, int code, const struct errtext *why, const struct resolving *rs)
{
	char candidate[192];
	bool list = code == JB_USAGE || (code == JB_NOT_FOUND && rs->total <= MAX_CANDIDATES);
	struct msg m;
	size_t i;

	msg_init(&m, REP_TARGET, id);
	broker_put_why(&m, code, why);
	msg_put_u64(&m, code == 0 ? rs->match[0].ref : 0);
	msg_put_u32(&m, list ? (uint32_t)rs->kept : 0);
	for (i = 0; list && i < rs->kept; i++) { /* what may follow USER+ */
		snprintf(
		    candidate, sizeof(candidate), "%s+%s", rs->match[i].node, rs->match[i].name);
		msg_put_str(&m, candidate);
	}
	broker_send(b, &m);
}

static void
conclude(struct broker *b, uint32_t id, const struct resolving *rs)
{
	const struct target *t = rs->t;
	char name[sizeof(t->node) + sizeof(t->container)], count[24];
	struct errtext why;

	if (rs->level == 0) {
		snprintf(name, sizeof(name), "%s%s%s", t->node, t->node[0] != '\0' ? "+" : "",
		    t->container);
		err_words(&why, JB_NOT_FOUND, W_TARGET_UNKNOWN, name, b->user, NULL);
		put_answer(b, id, JB_NOT_FOUND, &why, rs);
	} else if (rs->total > 1) {
		snprintf(count, sizeof(count), "%zu", rs->total);
		err_words(&why, JB_USAGE, W_TARGET_AMBIGUOUS, t->container, count, NULL);
		put_answer(b, id, JB_USAGE, &why, rs);
	} else {
		list_learn(b, rs->match[0].ref);
		put_answer(b, id, 0, NULL, rs);
	}
}

/* What is found may still turn out to be less than what was meant. */
static bool
settled(struct broker *b, unsigned level, int64_t waited)
{
	int64_t unseen = 0;

	if (level > 0)
		return level > BY_PREFIX || waited >= PREFIX_MS;
	if (waited < UNKNOWN_MS)
		return false;
	return waited >= UNSEEN_MS || node_count_unseen(b->st, &unseen) != 0 || unseen == 0;
}

static bool
resolve(struct broker *b, struct pending *p, int64_t waited, const struct subject *s)
{
	struct resolving rs = { .listing = b->listing, .t = &p->target, .s = s, .now = now_unix() };
	struct errtext e;
	bool done = true;

	if (container_each(b->st, consider, &rs) != 0)
		put_answer(b, p->id, broker_no_database(&e), &e, &rs);
	else if ((done = settled(b, rs.level, waited)))
		conclude(b, p->id, &rs);
	p->level = rs.level;
	forget(&rs);
	return done;
}

/* All are walked again only when some have changed, or to conclude. */
bool
target_look(struct broker *b, struct pending *p, int64_t waited)
{
	const struct resolving none = { 0 };
	struct subject s = { 0 };
	struct errtext e;
	int64_t mark = 0;
	bool done = true;
	int r = broker_subject(b, &s, &e);

	if (r == 0 && inventory_mark(b->st, &mark) != 0)
		r = broker_no_database(&e);
	if (r != 0)
		put_answer(b, p->id, r, &e, &none);
	else if (mark == p->mark && !settled(b, p->level, waited))
		done = false;
	else
		done = resolve(b, p, waited, &s);
	p->mark = mark;
	subject_release(&s);
	return done;
}

const char *
do_target(struct broker *b, struct msg *m)
{
	char text[MAX_LOGIN + 1], login[MAX_LOGIN + NAME_MAX_LEN + 2];
	const struct resolving none = { 0 };
	struct target t = b->target;
	struct errtext why;

	msg_get_str(m, text, sizeof(text));
	if (!msg_end(m))
		return "malformed";
	if (b->listing->npending >= MAX_PENDING_LISTS)
		return "too many lists at once";
	if (text[0] != '\0') { /* as if it had stood behind the user's name */
		snprintf(login, sizeof(login), "%s+%s", b->user, text);
		if (target_parse(login, &t) != 0) {
			err_words(&why, JB_NOT_FOUND, W_TARGET_UNKNOWN, text, b->user, NULL);
			put_answer(b, m->id, JB_NOT_FOUND, &why, &none);
			return NULL;
		}
	}
	if (t.container[0] == '\0') {
		put_answer(b, m->id, -TARGET_NONE, NULL, &none);
		return NULL;
	}
	waiting_add(b, &(struct pending){ .type = m->type, .id = m->id, .target = t });
	return NULL;
}
