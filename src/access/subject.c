/*
 * A user and the grants that apply, taken out of the store once, so that
 * every decision after that is pure.  Broker; jumpboxctl for its --user lists.
 */
#include "jumpbox/policy.h"
#include "jumpbox/util.h"

#include <stdlib.h>

static int
take_user(const struct user *u, void *arg)
{
	struct subject *s = arg;

	s->id = u->id;
	s->standing = u->standing;
	return str_copy(s->name, sizeof(s->name), u->name);
}

static int
take_grant(const struct grant *g, void *arg)
{
	struct subject *s = arg;

	s->grants = xreallocarray(s->grants, s->ngrants + 1, sizeof(*s->grants));
	s->grants[s->ngrants++] = (struct subject_grant){
		.selector = xstrdup(g->selector),
		.allow = xstrdup(g->allow),
		.run_as = g->run_as ? xstrdup(g->run_as) : NULL,
		.record = g->record ? xstrdup(g->record) : NULL,
		.id = g->id,
		.until = g->until,
	};
	return 0;
}

int
subject_load(struct store *st, const char *user, struct subject *s)
{
	struct subject fresh = { 0 };
	int rc;

	rc = user_get(st, user, take_user, &fresh);
	if (rc == 0)
		rc = grant_each_of(st, user, take_grant, &fresh);
	if (rc != 0) {
		subject_release(&fresh);
		return rc;
	}
	subject_release(s);
	*s = fresh;
	return 0;
}

void
subject_release(struct subject *s)
{
	for (size_t i = 0; i < s->ngrants; i++) {
		free(s->grants[i].selector);
		free(s->grants[i].allow);
		free(s->grants[i].run_as);
		free(s->grants[i].record);
	}
	free(s->grants);
	*s = (struct subject){ 0 };
}
