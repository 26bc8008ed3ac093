/*
 * SSH public keys as bytes ("string type, ..."), turned into libcrypto's.
 * Pure.  Broker and jumpboxctl.  The table is the list of what is allowed.
 */
#include "access.h"
#include "jumpbox/util.h"
#include "wire.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

enum { MPINT_MAX = RSA_BITS_MAX / 8 + 1, POINT_MAX = 133 };

struct key_type {
	const char *name;
	EVP_PKEY *(*decode)(struct wire *w, const struct key_type *t, const char **why);
	const char *curve, *group; /* ecdsa: as SSH and as libcrypto calls it */
	size_t point;		   /* bytes of an uncompressed point */
};

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* string point (32 bytes) */
static EVP_PKEY *
decode_ed25519(struct wire *w, const struct key_type *t, const char **why)
{
	size_t n;
	const uint8_t *p = wire_bytes(w, &n, 32);

	(void)t, (void)why;
	if (!wire_end(w) || n != 32)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, n);
}

/* string curve, string point (uncompressed); libcrypto checks that it is on the curve */
static EVP_PKEY *
decode_ecdsa(struct wire *w, const struct key_type *t, const char **why)
{
	OSSL_PARAM params[3];
	const uint8_t *p;
	uint8_t point[POINT_MAX];
	char group[16];
	size_t n;

	(void)why;
	wire_expect(w, t->curve);
	p = wire_bytes(w, &n, sizeof(point));
	if (!wire_end(w) || n != t->point || p[0] != 4)
		return NULL;
	memcpy(point, p, n); /* the parameters are not const */
	str_copy(group, sizeof(group), t->group);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, n);
	params[2] = OSSL_PARAM_construct_end();
	return from_params("EC", params);
}

/* mpint e, mpint n */
static EVP_PKEY *
decode_rsa(struct wire *w, const struct key_type *t, const char **why)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	BIGNUM *e = NULL, *n = NULL;
	const uint8_t *ep, *np;
	size_t elen, nlen;
	int bits;

	(void)t;
	ep = wire_bytes(w, &elen, 8);
	np = wire_bytes(w, &nlen, MPINT_MAX);
	/* mpints are signed: a set high bit would be a negative number */
	if (!bld || !wire_end(w) || elen == 0 || nlen == 0 || (ep[0] & 0x80) || (np[0] & 0x80))
		goto out;
	e = BN_bin2bn(ep, (int)elen, NULL);
	n = BN_bin2bn(np, (int)nlen, NULL);
	if (!e || !n || !BN_is_odd(e) || BN_is_one(e) || !BN_is_odd(n))
		goto out;
	bits = BN_num_bits(n);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
		*why = "the RSA key has fewer than 2048 (or more than 16384) bits";
		goto out;
	}
	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) &&
	    (params = OSSL_PARAM_BLD_to_param(bld)))
		pkey = from_params("RSA", params);
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(e);
	BN_free(n);
	return pkey;
}

/* clang-format off */
static const struct key_type types[] = {
	{ "ssh-ed25519",         decode_ed25519, NULL,       NULL,        0 },
	{ "ecdsa-sha2-nistp256", decode_ecdsa,   "nistp256", "prime256v1", 65 },
	{ "ecdsa-sha2-nistp384", decode_ecdsa,   "nistp384", "secp384r1",  97 },
	{ "ecdsa-sha2-nistp521", decode_ecdsa,   "nistp521", "secp521r1",  POINT_MAX },
	{ "ssh-rsa",             decode_rsa,     NULL,       NULL,        0 },
};
/* clang-format on */

static const struct key_type *
type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(name, types[i].name) == 0)
			return &types[i];
	return NULL;
}

bool
key_type_known(const char *name)
{
	return type_of(name) != NULL;
}

EVP_PKEY *
key_blob_decode(const uint8_t *blob, size_t n, const char *name, const char **why)
{
	const struct key_type *t = type_of(name);
	struct wire w;

	*why = "keys of this type are not accepted";
	if (!t)
		return NULL;
	*why = "the key is damaged or cut short";
	wire_init(&w, blob, n);
	wire_expect(&w, name);
	return w.bad ? NULL : t->decode(&w, t, why);
}
