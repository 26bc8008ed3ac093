/*
 * Who may reach what: the decision itself.  Pure.  Run by the broker for
 * the menu and again at every attach; by jumpboxctl for its --user lists.
 *
 * Everything starts at "nothing", and only a rule that is understood adds to
 * it: a role, the owner's label, a grant.
 */
#include "access.h"

#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

const struct flaw *
standing_flaw(const struct standing *s, int64_t now)
{
	static const struct flaw locked = { "locked", W_ACCOUNT_LOCKED };
	static const struct flaw expired = { "expired", W_ACCOUNT_EXPIRED };
	static const struct flaw roleless = { "without a role", W_ACCOUNT_ROLELESS };

	if (s->locked)
		return &locked;
	if (s->expires != 0 && s->expires <= now)
		return &expired;
	if (s->role != ROLE_USER && s->role != ROLE_ADMIN)
		return &roleless;
	return NULL;
}

int
standing_check(const struct standing *s, int64_t now, struct errtext *e)
{
	const struct flaw *flaw = standing_flaw(s, now);

	if (flaw == NULL)
		return 0;
	return err_set(e, JB_DENIED, "the account is %s", flaw->name);
}

static void
until_min(struct verdict *v, int64_t until)
{
	if (until != 0 && (v->until == 0 || until < v->until))
		v->until = until;
}

/* What a grant that is in force gives for this container; 0: nothing. */
static uint32_t
grant_gives(
    const struct subject_grant *g, const struct facts *f, int64_t now, struct labels *labels)
{
	uint32_t mask;

	if (g->until != 0 && g->until <= now)
		return 0;
	if (!selector_match(g->selector, f, labels) ||
	    allow_parse(g->allow, &mask, NULL, NULL) != 0)
		return 0;
	return mask;
}

void
policy_decide(
    const struct subject *s, const struct facts *f, uint32_t want, int64_t now, struct verdict *v)
{
	struct labels labels = { 0 };
	int64_t by = 0; /* the grant that run_as is from */
	uint32_t mask;

	*v = (struct verdict){ 0 };
	if (standing_flaw(&s->standing, now) != NULL)
		return;
	until_min(v, s->standing.expires);
	if (s->standing.role == ROLE_ADMIN || (f->owner && strcmp(f->owner, s->name) == 0))
		v->perms = PERM_ALL;
	for (size_t i = 0; i < s->ngrants; i++) {
		const struct subject_grant *g = &s->grants[i];

		if ((mask = grant_gives(g, f, now, &labels)) == 0)
			continue;
		v->perms |= mask;
		until_min(v, g->until);
		if (!policy_gives(mask, want))
			continue;
		if (by == 0 || g->id < by) {
			by = g->id;
			v->run_as = g->run_as;
		}
		if (g->record != NULL && (v->record == NULL || strcmp(g->record, "on") == 0))
			v->record = g->record;
	}
	labels_release(&labels);
}

static bool
among(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

size_t
policy_run_as(const struct subject *s, const struct facts *f, uint32_t want, int64_t now,
    const char **choice, size_t max)
{
	struct labels labels = { 0 };
	size_t n = 0;

	if (standing_flaw(&s->standing, now) != NULL)
		return 0;
	if (s->standing.role == ROLE_ADMIN && n < max)
		choice[n++] = RUN_AS_ANY;
	for (size_t i = 0; i < s->ngrants && n < max; i++) {
		const struct subject_grant *g = &s->grants[i];

		if (g->run_as != NULL && policy_gives(grant_gives(g, f, now, &labels), want) &&
		    !among(choice, n, g->run_as))
			choice[n++] = g->run_as;
	}
	labels_release(&labels);
	return n;
}

bool
policy_run_as_ok(
    const struct subject *s, const struct facts *f, uint32_t want, int64_t now, const char *run_as)
{
	const char *choice[RUN_AS_CHOICES];
	size_t n = policy_run_as(s, f, want, now, choice, RUN_AS_CHOICES);

	if (run_as_check(run_as, NULL) != 0)
		return false;
	return among(choice, n, RUN_AS_ANY) || among(choice, n, run_as);
}

static bool
same_user(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* The forward items of every grant that is in force and says that user. */
static char *
items_as(const struct subject *s, const struct facts *f, const char *run_as, int64_t now)
{
	struct labels labels = { 0 };
	char *items = xstrdup(""), *longer;

	for (size_t i = 0; i < s->ngrants; i++) {
		const struct subject_grant *g = &s->grants[i];

		if (!(grant_gives(g, f, now, &labels) & PERM_FORWARD_SOME) ||
		    !same_user(g->run_as, run_as))
			continue;
		longer = allow_forwards(g->allow, items);
		free(items);
		items = longer;
	}
	labels_release(&labels);
	return items;
}

uint32_t
policy_as(
    const struct subject *s, const struct facts *f, const char *run_as, int64_t now, char **items)
{
	static const uint32_t all[] = { PERM_SHELL, PERM_EXEC, PERM_FILES, PERM_FILES_RO,
		PERM_FORWARD, PERM_FORWARD_SOME };
	uint32_t perms = 0;
	struct verdict v;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		policy_decide(s, f, all[i], now, &v);
		if (policy_gives(v.perms, all[i]) && same_user(v.run_as, run_as))
			perms |= all[i];
	}
	*items = items_as(s, f, run_as, now);
	return perms;
}
