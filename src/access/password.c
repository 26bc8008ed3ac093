/*
 * Passwords: the rule for new ones, and which kind of hash a text is.
 * Broker (login) and jumpboxctl (administration).
 */
#include "jumpbox/password.h"
#include "access.h"
#include "jumpbox/log.h"
#include "jumpbox/proto.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Characters, not bytes: continuation bytes of UTF-8 do not count. */
static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static int
refuse(struct errtext *e, enum word w, int limit)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", limit);
	return err_words(e, JB_BAD_INPUT, w, number, NULL, NULL);
}

int
password_acceptable(const char *user, const char *password, struct errtext *e)
{
	if (characters(password) < PASSWORD_MIN)
		return refuse(e, W_PASSWORD_SHORT, PASSWORD_MIN);
	if (strlen(password) > MAX_PASSWORD)
		return refuse(e, W_PASSWORD_LONG, MAX_PASSWORD);
	if (strcasecmp(user, password) == 0)
		return err_words(e, JB_BAD_INPUT, W_PASSWORD_NAME, NULL, NULL, NULL);
	return 0;
}

int
password_hash(const char *params, const char *run_dir, const char *password, char *out, size_t size,
    struct errtext *e)
{
	struct argon2_cost c;
	int slot, rc;

	if ((rc = argon2_params(params, &c, e)) != 0)
		return rc;
	if ((rc = hash_slot_take(run_dir, &slot, e)) != 0)
		return rc;
	rc = argon2_make(&c, password, out, size, e);
	hash_slot_give(slot);
	return rc;
}

int
password_hash_check(const char *hash, struct errtext *e)
{
	struct argon2_cost c;

	if (strlen(hash) >= PASSWORD_HASH_MAX)
		return err_set(
		    e, JB_BAD_INPUT, "a password hash has at most %d bytes", PASSWORD_HASH_MAX - 1);
	return argon2_is(hash) ? argon2_cost_of(hash, &c, e) : crypt_hash_check(hash, e);
}

int
password_verify(const char *hash, const char *run_dir, const char *password)
{
	struct errtext e;
	bool good = false;
	int slot, rc = hash_slot_take(run_dir, &slot, &e);

	if (rc != 0) {
		log_error("password.unchecked", F_STR("reason", e.s));
		return rc;
	}
	if (!hash || password_hash_check(hash, NULL) != 0)
		argon2_spend(&ARGON2_DEFAULT, password);
	else if (argon2_is(hash))
		good = argon2_matches(hash, password);
	else
		good = crypt_hash_matches(hash, password);
	hash_slot_give(slot);
	return good ? 0 : JB_DENIED;
}

bool
password_stale(const char *hash, const char *params)
{
	struct argon2_cost want, have;

	if (!hash || argon2_params(params, &want, NULL) != 0)
		return false;
	if (!argon2_is(hash) || argon2_cost_of(hash, &have, NULL) != 0)
		return true;
	return have.m != want.m || have.t != want.t || have.p != want.p;
}
