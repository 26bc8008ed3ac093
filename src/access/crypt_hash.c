/*
 * Imported hashes, verified through libcrypt and never made here: bcrypt,
 * yescrypt and sha512-crypt.  Broker and jumpboxctl.
 *
 * crypt(3) would also take DES, MD5 and more, and costs of hours; only what
 * the table below describes, and below its bounds, reaches it.
 */
#include "access.h"
#include "jumpbox/password.h"
#include "jumpbox/util.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static const char itoa64[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum {
	BCRYPT_COST_MAX = 15, /* about 2 s */
	SHA512_ROUNDS_MAX = 2000000,
	YESCRYPT_MEMORY_LOG2_MAX = 30, /* 1 GiB */
};

static bool
all_itoa64(const char *s, size_t n)
{
	return strspn(s, itoa64) == n && s[n] == '\0';
}

/* after "$2b$": 2 digits of cost, '$', 22 of salt and 31 of hash */
static const char *
check_bcrypt(const char *s)
{
	unsigned cost;

	if (strspn(s, "0123456789") != 2 || s[2] != '$' || !all_itoa64(s + 3, 53))
		return "is malformed or cut short";
	cost = (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
	if (cost < 4 || cost > BCRYPT_COST_MAX)
		return "has a cost outside 4 to 15";
	return NULL;
}

/*
 * after "$y$": parameters, '$', salt, '$' and 43 of hash.  The parameters are
 * 'j' (the default flavour), log2 N minus 1, and r minus 1, a digit each, as
 * crypt_gensalt writes them; memory is 128 r N.
 */
static const char *
check_yescrypt(const char *s)
{
	const char *n = itoa64, *r = itoa64;
	const char *salt, *sum;
	unsigned log2;

	if (s[0] != 'j' || !s[1] || !s[2] || s[3] != '$')
		return "has parameters that are not supported";
	n = strchr(itoa64, s[1]);
	r = strchr(itoa64, s[2]);
	salt = s + 4;
	sum = strchr(salt, '$');
	if (!n || !r || !sum || sum == salt || strspn(salt, itoa64) != (size_t)(sum - salt) ||
	    !all_itoa64(sum + 1, 43))
		return "is malformed or cut short";
	log2 = 7 + (unsigned)(n - itoa64) + 1;
	for (size_t mem = (size_t)(r - itoa64) + 1; mem > 1; mem = (mem + 1) / 2)
		log2++;
	if (log2 > YESCRYPT_MEMORY_LOG2_MAX)
		return "needs more than 1 GiB of memory";
	return NULL;
}

/* after "$6$": perhaps "rounds=N$", up to 16 of salt, '$' and 86 of hash */
static const char *
check_sha512(const char *s)
{
	const char *sum;

	if (strncmp(s, "rounds=", 7) == 0) {
		char *end;
		unsigned long rounds = strtoul(s + 7, &end, 10);

		if (s[7] < '1' || s[7] > '9' || *end != '$')
			return "is malformed or cut short";
		if (rounds < 1000 || rounds > SHA512_ROUNDS_MAX)
			return "has rounds outside 1000 to 2000000";
		s = end + 1;
	}
	sum = strchr(s, '$');
	if (!sum || sum == s || sum - s > 16 || strpbrk(s, ":;*!\\ \n") || !all_itoa64(sum + 1, 86))
		return "is malformed or cut short";
	return NULL;
}

static const struct kind {
	const char *prefix, *name;
	const char *(*check)(const char *rest);
} kinds[] = {
	{ "$2a$", "bcrypt", check_bcrypt },
	{ "$2b$", "bcrypt", check_bcrypt },
	{ "$2y$", "bcrypt", check_bcrypt },
	{ "$y$", "yescrypt", check_yescrypt },
	{ "$6$", "sha512-crypt", check_sha512 },
};

int
crypt_hash_check(const char *hash, struct errtext *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];
		const char *why;

		if (strncmp(hash, k->prefix, strlen(k->prefix)) != 0)
			continue;
		if ((why = k->check(hash + strlen(k->prefix))))
			return err_set(e, JB_BAD_INPUT, "the %s hash %s", k->name, why);
		if (crypt_checksalt(hash) != CRYPT_SALT_OK)
			return err_set(
			    e, JB_BAD_INPUT, "the %s hash is not supported by libcrypt", k->name);
		return 0;
	}
	return err_set(e, JB_BAD_INPUT,
	    "unknown kind of password hash: known are argon2id ($argon2id$), bcrypt ($2b$), "
	    "yescrypt "
	    "($y$) and sha512-crypt ($6$)");
}

bool
crypt_hash_matches(const char *hash, const char *password)
{
	struct crypt_data *data;
	const char *got;
	bool good;

	if (crypt_hash_check(hash, NULL) != 0)
		return false;
	data = xcalloc(1, sizeof(*data));
	got = crypt_rn(password, hash, data, sizeof(*data));
	good = got && strlen(got) == strlen(hash) && CRYPTO_memcmp(got, hash, strlen(hash)) == 0;
	wipe(data, sizeof(*data));
	free(data);
	return good;
}
