/*
 * What a host key is made of: the numbers of an RSA key, the public half as
 * SSH writes it.  Pure.  Broker and jumpboxctl.  All copies are wiped.
 */
#include "access.h"
#include "jumpbox/buf.h"
#include "jumpbox/errors.h"
#include "jumpbox/util.h"
#include "wire.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdlib.h>

bool
host_key_is_rsa(const EVP_PKEY *pkey)
{
	return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA;
}

/* ssh's mpint: big-endian, with a zero byte in front when the high bit is set */
int
wire_put_bignum(struct buf *b, const BIGNUM *n)
{
	int len = BN_num_bytes(n), pad = BN_num_bits(n) % 8 == 0 && len > 0;
	uint8_t *p;

	if (wire_put_u32(b, (uint32_t)(len + pad)) != 0 ||
	    !(p = buf_reserve(b, (size_t)(len + pad))))
		return JB_INTERNAL;
	BN_bn2binpad(n, p, len + pad);
	buf_commit(b, (size_t)(len + pad));
	return 0;
}

static const char *const part_names[RSA_PARTS] = {
	[RSA_N] = OSSL_PKEY_PARAM_RSA_N,
	[RSA_E] = OSSL_PKEY_PARAM_RSA_E,
	[RSA_D] = OSSL_PKEY_PARAM_RSA_D,
	[RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[RSA_IQMP] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	[RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
};

void
rsa_parts(const EVP_PKEY *pkey, BIGNUM *part[static RSA_PARTS])
{
	for (int i = 0; i < RSA_PARTS; i++) {
		part[i] = NULL;
		EVP_PKEY_get_bn_param(pkey, part_names[i], &part[i]);
	}
}

void
rsa_parts_free(BIGNUM *part[static RSA_PARTS])
{
	for (int i = 0; i < RSA_PARTS; i++) {
		BN_clear_free(part[i]);
		part[i] = NULL;
	}
}

/* x = a modulo p - 1 */
static bool
mod_less_one(BIGNUM *x, const BIGNUM *a, const BIGNUM *p, BN_CTX *ctx)
{
	BIGNUM *less = BN_CTX_get(ctx);

	return less && BN_copy(less, p) && BN_sub_word(less, 1) && !BN_is_zero(less) &&
	    BN_mod(x, a, less, ctx);
}

/* dp is d modulo p - 1, and there the inverse of e */
static bool
exponent_good(BIGNUM *const part[], int p, int dp, BN_CTX *ctx)
{
	BIGNUM *x = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);

	return y && mod_less_one(x, part[RSA_D], part[p], ctx) && BN_cmp(x, part[dp]) == 0 &&
	    BN_mul(y, x, part[RSA_E], ctx) && mod_less_one(x, y, part[p], ctx) && BN_is_one(x);
}

static bool
product_good(BIGNUM *const part[], BN_CTX *ctx)
{
	BIGNUM *x = BN_CTX_get(ctx);

	return x && BN_mul(x, part[RSA_P], part[RSA_Q], ctx) && BN_cmp(x, part[RSA_N]) == 0 &&
	    BN_mod_mul(x, part[RSA_IQMP], part[RSA_Q], part[RSA_P], ctx) && BN_is_one(x);
}

/*
 * Cheap, as every broker loads the keys: n = pq, and the exponents and iqmp
 * are the inverses they should be.  Any damaged number breaks one of these.
 */
bool
rsa_consistent(BIGNUM *const part[static RSA_PARTS])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	bool good = ctx != NULL;

	for (int i = 0; i < RSA_PARTS; i++)
		good = good && part[i] && !BN_is_zero(part[i]) && !BN_is_negative(part[i]);
	if (good) {
		BN_CTX_start(ctx);
		good = product_good(part, ctx) && exponent_good(part, RSA_P, RSA_DP, ctx) &&
		    exponent_good(part, RSA_Q, RSA_DQ, ctx);
		BN_CTX_end(ctx);
	}
	BN_CTX_free(ctx);
	return good;
}

/* The two exponents that OpenSSH's format leaves out. */
static bool
add_exponents(BIGNUM *part[static RSA_PARTS])
{
	BN_CTX *ctx = BN_CTX_secure_new();
	bool good = ctx != NULL;

	if (good) {
		BN_CTX_start(ctx);
		good = (part[RSA_DP] = BN_new()) && (part[RSA_DQ] = BN_new()) &&
		    mod_less_one(part[RSA_DP], part[RSA_D], part[RSA_P], ctx) &&
		    mod_less_one(part[RSA_DQ], part[RSA_D], part[RSA_Q], ctx);
		BN_CTX_end(ctx);
	}
	BN_CTX_free(ctx);
	return good;
}

EVP_PKEY *
rsa_assemble(BIGNUM *part[static RSA_PARTS])
{
	EVP_PKEY_CTX *kctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	bool good = kctx && bld && add_exponents(part) && rsa_consistent(part);

	for (int i = 0; i < RSA_PARTS; i++)
		good = good && OSSL_PARAM_BLD_push_BN(bld, part_names[i], part[i]);
	good = good && (params = OSSL_PARAM_BLD_to_param(bld)) && EVP_PKEY_fromdata_init(kctx) == 1;
	if (good && EVP_PKEY_fromdata(kctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	for (OSSL_PARAM *p = params; p && p->key; p++)
		wipe(p->data, p->data_size);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(kctx);
	return pkey;
}

int
host_key_blob(const EVP_PKEY *pkey, struct buf *b)
{
	BIGNUM *n = NULL, *e = NULL;
	uint8_t point[32];
	size_t len = sizeof(point);
	int rc = JB_INTERNAL;

	if (!host_key_is_rsa(pkey)) {
		if (EVP_PKEY_get_raw_public_key(pkey, point, &len) != 1)
			return JB_INTERNAL;
		rc = wire_put_text(b, "ssh-ed25519");
		return rc == 0 ? wire_put_bytes(b, point, len) : rc;
	}
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    wire_put_text(b, "ssh-rsa") == 0 && wire_put_bignum(b, e) == 0)
		rc = wire_put_bignum(b, n);
	BN_free(n);
	BN_free(e);
	return rc;
}
