/*
 * Password hashes: argon2id made and verified; bcrypt, yescrypt and
 * sha512-crypt verified only.  Runs are bounded machine-wide by byte-range
 * locks on RUN_DIRECTORY/hash.lock: as many at once as there are processors.
 * Whoever gets no turn within 10 s does without: the bound is never passed.
 * What a hash may cost is bounded too: argon2id by 1 GiB, 16 passes and 4
 * lanes, bcrypt by cost 15, sha512-crypt by 2,000,000 rounds, yescrypt by 1 GiB.
 */
#ifndef JUMPBOX_PASSWORD_H
#define JUMPBOX_PASSWORD_H

#include "jumpbox/errors.h"

#include <stdbool.h>

#include <stddef.h>

enum { PASSWORD_HASH_MAX = 256, PASSWORD_MIN = 8 };

/* The rule a person's new password must meet: JB_BAD_INPUT and why. */
int password_acceptable(const char *user, const char *password, struct errtext *e);

/*
 * params: "argon2id,m=19456,t=2,p=1".  run_dir may be NULL: no machine-wide
 * bound (jumpboxctl).  JB_TRY_AGAIN: no turn within 10 s.
 */
int password_hash(const char *params, const char *run_dir, const char *password, char *out,
    size_t size, struct errtext *e);

/* A hash that can be imported: its kind is known and its parameters are within bounds. */
int password_hash_check(const char *hash, struct errtext *e);

/*
 * 0 if it matches, JB_DENIED if not.  hash NULL (unknown user, no password)
 * spends the time of a default argon2id run and does not.  JB_TRY_AGAIN,
 * JB_UNAVAILABLE: there was no turn, so nobody knows; "password.unchecked" in
 * the log says why.
 */
int password_verify(const char *hash, const char *run_dir, const char *password);

/* The hash is not what params would make today: re-hash at the next good login. */
bool password_stale(const char *hash, const char *params);

#endif
