/*
 * REQ_TARGET: which container the login name means.  Broker.
 *
 * Only what the user may reach is ever looked at, so that nobody learns what
 * else exists.  A name is said to be unknown only after all nodes were asked
 * again, for it may be a container of this very second.
 */
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TRIES = 4 };

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

/* Every node has said so, or there was time enough. */
static bool
surely_unknown(const struct broker *b, const struct pending *p)
{
	if (p->fresh && (p->tries > 0 || b->listing->refreshing == 0))
		return true;
	return p->tries == MAX_TRIES;
}

void
target_answer(struct broker *b, const struct pending *p)
{
	struct subject s = { 0 };
	struct resolving rs = {
		.listing = b->listing, .t = &p->target, .s = &s, .now = now_unix()
	};
	struct errtext e;
	int r = broker_subject(b, &s);

	if (r == 0)
		r = container_each(b->st, consider, &rs);
	if (r != 0) {
		put_answer(b, p->id, broker_no_database(&e), &e, &rs);
	} else if (rs.level == 0 && !surely_unknown(b, p)) {
		list_ask(b,
		    &(struct pending){
			.type = p->type, .id = p->id, .target = p->target, .tries = p->tries + 1 });
	} else {
		conclude(b, p->id, &rs);
	}
	forget(&rs);
	subject_release(&s);
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
	list_ask(b, &(struct pending){ .type = m->type, .id = m->id, .target = t });
	return NULL;
}
