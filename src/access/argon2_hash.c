/*
 * argon2id: made and verified.  Broker and jumpboxctl.
 *
 *	hash            $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH
 *
 * A hash comes from the database, so what it asks for in memory and time is
 * bounded before the library sees it.
 */
#include "access.h"
#include "jumpbox/password.h"
#include "jumpbox/util.h"

#include <argon2.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX "$argon2id$v=19$"

enum {
	SALT_LEN = 16,
	HASH_LEN = 32,
};

bool
argon2_is(const char *hash)
{
	return strncmp(hash, "$argon2id$", 10) == 0;
}

int
argon2_cost_of(const char *hash, struct argon2_cost *c, struct errtext *e)
{
	static const char b64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct argon2_cost got;
	const char *p = NULL;
	size_t salt, sum;
	int rc;

	if (strncmp(hash, PREFIX, sizeof(PREFIX) - 1) == 0)
		p = argon2_cost_parse(hash + sizeof(PREFIX) - 1, '$', &got);
	if (!p)
		return err_set(e, JB_BAD_INPUT, "the argon2id hash is malformed");
	if ((rc = argon2_cost_check(&got, e)) != 0)
		return rc;
	salt = strspn(++p, b64);
	sum = p[salt] == '$' ? strspn(p + salt + 1, b64) : 0;
	if (salt < 11 || salt > 86 || sum < 22 || sum > 86 || p[salt + 1 + sum] != '\0')
		return err_set(e, JB_BAD_INPUT, "the argon2id hash is malformed or cut short");
	*c = got;
	return 0;
}

int
argon2_make(
    const struct argon2_cost *c, const char *password, char *out, size_t size, struct errtext *e)
{
	uint8_t salt[SALT_LEN];
	int rc;

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return err_set(e, JB_INTERNAL, "cannot hash the password: no random bytes");
	rc = argon2id_hash_encoded(
	    c->t, c->m, c->p, password, strlen(password), salt, sizeof(salt), HASH_LEN, out, size);
	if (rc != ARGON2_OK)
		return err_set(e,
		    rc == ARGON2_MEMORY_ALLOCATION_ERROR ? JB_UNAVAILABLE : JB_INTERNAL,
		    "cannot hash the password: %s", argon2_error_message(rc));
	return 0;
}

bool
argon2_matches(const char *hash, const char *password)
{
	struct argon2_cost c;

	return argon2_cost_of(hash, &c, NULL) == 0 &&
	    argon2id_verify(hash, password, strlen(password)) == ARGON2_OK;
}

void
argon2_spend(const struct argon2_cost *c, const char *password)
{
	uint8_t salt[SALT_LEN] = { 0 }, sum[HASH_LEN];

	(void)argon2id_hash_raw(
	    c->t, c->m, c->p, password, strlen(password), salt, sizeof(salt), sum, sizeof(sum));
	wipe(sum, sizeof(sum));
}
