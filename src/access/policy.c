/*
 * Who may reach what: the decision itself.  Pure.  Run by the broker for
 * the menu and again at every attach; by jumpboxctl for its --user lists.
 *
 * Everything starts at "nothing", and only a rule that is understood adds to
 * it: a role, the owner's label, a grant.
 */
#include "access.h"

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

/* A wider permission gives the narrower one of its kind. */
static bool
gives(uint32_t perms, uint32_t want)
{
	if (perms & PERM_FILES)
		perms |= PERM_FILES_RO;
	if (perms & PERM_FORWARD)
		perms |= PERM_FORWARD_SOME;
	return (perms & want) == want;
}

static void
until_min(struct verdict *v, int64_t until)
{
	if (until != 0 && (v->until == 0 || until < v->until))
		v->until = until;
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

		if (g->until != 0 && g->until <= now)
			continue;
		if (allow_parse(g->allow, &mask, NULL, NULL) != 0 ||
		    !selector_match(g->selector, f, &labels))
			continue;
		v->perms |= mask;
		until_min(v, g->until);
		if (gives(mask, want) && (by == 0 || g->id < by)) {
			by = g->id;
			v->run_as = g->run_as;
		}
	}
	labels_release(&labels);
}
