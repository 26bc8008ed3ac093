/*
 * What is asked of a container apart from an attach: the list of it, the
 * decision, and its end.  Broker.
 */
#include "action.h"
#include "listing.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- its end ------------------------------------------------------------------ */

static void
forget(struct broker *b, struct action *a)
{
	struct action **p = &b->actions;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	b->nactions--;
	child_stop(a->child);
	if (a->stream >= 0) {
		shutdown(a->stream, SHUT_RDWR);
		close(a->stream);
	}
	held_node_put(b, a->node);
	live_release(&a->live);
	free(a->known_as);
	free(a);
}

void
action_reply(const struct action *a, struct msg *m, int code, const struct errtext *why)
{
	msg_init(m, a->kind->reply, a->id);
	broker_put_why(m, code, why);
}

static void
tell_detach(struct broker *b, const struct action *a, int code, const struct errtext *why)
{
	struct msg m;

	msg_init(&m, EVT_DETACH, 0);
	msg_put_u32(&m, a->id);
	broker_put_why(&m, code, why);
	broker_send(b, &m);
}

static void
refuse(struct broker *b, const struct action *a, int code, const struct errtext *why)
{
	struct msg m;

	log_info("action.refused",
	    F_STR("target", a->live.name != NULL ? a->live.name : a->container),
	    F_NUM("code", -code), F_STR("reason", why->s));
	action_reply(a, &m, code, why);
	if (a->kind->empty != NULL)
		a->kind->empty(&m);
	broker_send(b, &m);
}

/* Over; what is wrong (code other than 0, and why) is said to whoever waits or looks. */
static void
end(struct broker *b, struct action *a, int code, const struct errtext *why)
{
	if (a->kind->over != NULL && a->decided)
		a->kind->over(b, a, code, why);
	if (code != 0 && !a->quiet) {
		if (a->answered)
			tell_detach(b, a, code, why);
		else
			refuse(b, a, code, why);
	}
	forget(b, a);
}

void
action_refuse(struct broker *b, struct action *a, int code, enum word w)
{
	struct errtext e;

	end(b, a, err_words(&e, code, w, NULL, NULL, NULL), &e);
}

void
action_goes_on(struct action *a)
{
	a->answered = true;
	child_no_limit(a->child);
}

/* ---- the decision --------------------------------------------------------------- */

static int
decide(const struct action *a, const struct subject *s, struct verdict *v, struct errtext *e)
{
	const struct live *l = &a->live;
	const struct facts f = { a->node->node->name, l->name, l->image, l->labels, l->owner };

	policy_decide(s, &f, a->kind->want, now_unix(), v);
	if (v->perms == 0)
		return err_words(e, JB_NOT_FOUND, W_NOT_YOURS, NULL, NULL, NULL);
	if ((v->perms & a->kind->want) != a->kind->want)
		return err_words(e, JB_DENIED, a->kind->denied, l->name, NULL, NULL);
	return 0;
}

static int
may_go(struct broker *b, struct action *a, struct errtext *e)
{
	struct subject s = { 0 };
	struct verdict v;
	int r;

	/* Another container may have that name by now, and be the one that was meant. */
	if (strcmp(a->live.name, a->known_as) != 0) {
		target_outdated(b, a->container, a->known_as);
		return err_words(e, JB_NOT_FOUND, W_ATTACH_RENAMED, NULL, NULL, NULL);
	}
	if ((r = broker_subject(b, &s, e)) != 0)
		return r;
	r = decide(a, &s, &v, e);
	if (r == 0 && a->kind->begin != NULL)
		r = a->kind->begin(b, a, e);
	if (r == 0)
		recheck_until(b, v.until);
	subject_release(&s);
	return r;
}

static void
on_facts(struct broker *b, struct action *a, struct msg *m)
{
	struct errtext e = { 0 };
	struct msg go;
	int r;

	r = live_take(m, &a->live)
	    ? may_go(b, a, &e)
	    : err_words(&e, JB_UNAVAILABLE, W_ATTACH_NONSENSE, NULL, NULL, NULL);
	if (r < 0) {
		end(b, a, r, &e);
		return;
	}
	a->decided = true;
	msg_init(&go, CHILD_GO, 0);
	msg_put_str(&go, "");
	child_tell(a->child, &go); /* if it is gone, its end says so */
	msg_release(&go);
}

/* ---- the child -------------------------------------------------------------------- */

void
action_message(struct broker *b, void *owner, struct msg *m)
{
	struct action *a = owner;
	struct errtext why;
	int code;

	if (m->type == CHILD_FACTS && !a->decided) {
		on_facts(b, a, m);
	} else if (m->type == CHILD_FAILED) {
		code = -(int)msg_get_u32(m);
		child_get_why(m, &why);
		if (code == JB_NOT_FOUND)
			target_outdated(b, a->container, a->known_as);
		end(b, a, code, &why);
	} else if (a->decided && !a->kind->heard(b, a, m)) {
		end(b, a, 0, NULL);
	}
}

void
action_ended(struct broker *b, void *owner, bool late)
{
	struct action *a = owner;

	a->child = NULL;
	if (a->answered && a->stream >= 0)
		return; /* it has passed the stream, or was its relay: that is seen at the stream's end */
	action_refuse(b, a, JB_TRY_AGAIN, late ? W_ATTACH_LATE : W_ACTION_BROKE);
}

/* ---- the request -------------------------------------------------------------------- */

static int
start(struct broker *b, struct action *a, uint64_t ref, struct errtext *e)
{
	int r;

	if (b->nactions > MAX_ACTIONS)
		return err_words(e, JB_TRY_AGAIN, W_ATTACH_MANY, NULL, NULL, NULL);
	if ((r = held_node_locate(b, ref, &a->node, a->container, &a->known_as, e)) < 0)
		return r;
	a->child = child_start(b, &a->kind->child, a);
	return a->child != NULL ? 0 : err_words(e, JB_TRY_AGAIN, W_NO_PROCESSES, NULL, NULL, NULL);
}

const char *
action_start(struct broker *b, struct msg *m, const struct action_kind *kind, uint64_t ref,
    const struct action *asked)
{
	struct errtext e = { 0 };
	struct action *a;
	int r;

	if (!list_knows(b, ref))
		return "a container that was never listed";
	a = xcalloc(1, sizeof(*a));
	*a = (struct action){ .id = m->id,
		.kind = kind,
		.what = asked->what,
		.tail = asked->tail,
		.follow = asked->follow,
		.stream = -1,
		.next = b->actions };
	b->actions = a;
	b->nactions++;
	b->last_action = m->id;
	if ((r = start(b, a, ref, &e)) < 0)
		end(b, a, r, &e);
	return NULL;
}

static struct action *
find(const struct broker *b, uint32_t id)
{
	struct action *a;

	for (a = b->actions; a != NULL && a->id != id; a = a->next)
		;
	return a;
}

bool
action_cancel(struct broker *b, uint32_t id)
{
	struct action *a = find(b, id);
	struct errtext e;

	if (a == NULL)
		return false;
	a->quiet = true;
	end(b, a, err_words(&e, JB_TRY_AGAIN, W_CANCELLED, NULL, NULL, NULL), &e);
	return true;
}

void
action_release_all(struct broker *b)
{
	while (b->actions != NULL)
		action_cancel(b, b->actions->id);
}

/* ---- what goes on may be taken back ---------------------------------------------------- */

/* The session has a moment to give the stream back by itself, with what came before. */
static void
withdraw(struct broker *b, struct action *a)
{
	struct errtext e;

	log_info("action.withdrawn", F_STR("container", a->live.name));
	err_words(&e, JB_DENIED, W_WITHDRAWN, a->live.name, NULL, NULL);
	if (a->stream < 0) {
		end(b, a, JB_DENIED, &e);
		return;
	}
	tell_detach(b, a, JB_DENIED, &e);
	a->quiet = true;
	a->end_by = now_mono_ms() + END_LIMIT_MS;
}

void
action_recheck(struct broker *b, const struct subject *s)
{
	struct action *a, *next;
	struct errtext e;
	struct verdict v;

	for (a = b->actions; a != NULL; a = next) {
		next = a->next;
		if (!a->decided || a->end_by != 0)
			continue;
		if (decide(a, s, &v, &e) != 0)
			withdraw(b, a);
		else
			recheck_until(b, v.until);
	}
}

int64_t
action_deadline(const struct broker *b)
{
	const struct action *a;
	int64_t first = 0;

	for (a = b->actions; a != NULL; a = a->next)
		first = sooner(first, a->end_by);
	return first;
}

void
action_tick(struct broker *b, int64_t now)
{
	struct action *a, *next;

	for (a = b->actions; a != NULL; a = next) {
		next = a->next;
		if (due(a->end_by, now))
			forget(b, a);
	}
}
