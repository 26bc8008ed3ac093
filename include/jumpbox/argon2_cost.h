/* What one run of argon2id costs, as text and within bounds. */
#ifndef JUMPBOX_ARGON2_COST_H
#define JUMPBOX_ARGON2_COST_H

#include "jumpbox/errors.h"

struct argon2_cost {
	unsigned m, t, p; /* KiB, passes, lanes */
};
#define ARGON2_DEFAULT ((struct argon2_cost){ 19456, 2, 1 })

/* "argon2id,m=19456,t=2,p=1", as the configuration has it; JB_BAD_INPUT and why. */
int argon2_params(const char *params, struct argon2_cost *c, struct errtext *e);

/* "m=19456,t=2,p=1" and then `stop`: where that stands, or NULL. The bounds are another question. */
const char *argon2_cost_parse(const char *s, char stop, struct argon2_cost *c);
int argon2_cost_check(const struct argon2_cost *c, struct errtext *e);

#endif
