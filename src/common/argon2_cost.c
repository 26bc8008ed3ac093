/*
 * What one run of argon2id costs, as text and within bounds.  Pure.  Every
 * process: the configuration has it; a hash in the database as well.
 *
 *	configuration   argon2id,m=19456,t=2,p=1
 *	hash            $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH
 */
#include "jumpbox/argon2_cost.h"

#include <stdio.h>
#include <string.h>

enum {
	M_MAX = 1024 * 1024, /* KiB: 1 GiB */
	T_MAX = 16,
	P_MAX = 4,
};

const char *
argon2_cost_parse(const char *s, char stop, struct argon2_cost *c)
{
	int used = 0;

	/* %u takes blanks and signs; the digits are checked first. */
	if (strspn(s, "mtp=,0123456789") < strlen(s) && s[strspn(s, "mtp=,0123456789")] != stop)
		return NULL;
	if (sscanf(s, "m=%7u,t=%2u,p=%2u%n", &c->m, &c->t, &c->p, &used) != 3 || s[used] != stop)
		return NULL;
	return s + used;
}

int
argon2_cost_check(const struct argon2_cost *c, struct errtext *e)
{
	if (c->t < 1 || c->t > T_MAX || c->p < 1 || c->p > P_MAX || c->m < 8 * c->p || c->m > M_MAX)
		return err_set(e, JB_BAD_INPUT,
		    "argon2id parameters out of range: m is 8*p to %d (KiB), t 1 to %d, p 1 to %d",
		    M_MAX, T_MAX, P_MAX);
	return 0;
}

int
argon2_params(const char *params, struct argon2_cost *c, struct errtext *e)
{
	struct argon2_cost got;
	int rc;

	if (strncmp(params, "argon2id,", 9) != 0 || !argon2_cost_parse(params + 9, '\0', &got))
		return err_set(e, JB_BAD_INPUT, "expected argon2id,m=KIB,t=PASSES,p=LANES");
	if ((rc = argon2_cost_check(&got, e)) != 0)
		return rc;
	*c = got;
	return 0;
}
