/*
 * A user's signature over an authentication request, checked where the
 * session cannot interfere.  Pure.  Broker.
 *
 *	string   session id
 *	byte     50 (SSH_MSG_USERAUTH_REQUEST)
 *	string   user
 *	string   "ssh-connection"
 *	string   "publickey"
 *	boolean  TRUE
 *	string   signature algorithm
 *	string   key
 */
#include "access.h"
#include "jumpbox/keys.h"
#include "jumpbox/proto.h"
#include "wire.h"

#include <string.h>

enum { USERAUTH_REQUEST = 50 };

/* clang-format off */
static const struct sig_algorithm {
	const char *name, *key_type, *digest;
} algorithms[] = {
	{ "ssh-ed25519",         "ssh-ed25519",         NULL     },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "SHA256" },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "SHA384" },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "SHA512" },
	{ "rsa-sha2-256",        "ssh-rsa",             "SHA256" },
	{ "rsa-sha2-512",        "ssh-rsa",             "SHA512" },
};
/* clang-format on */

int
auth_request_parse(const uint8_t *tbs, size_t n, struct auth_request *r)
{
	struct auth_request got = { 0 };
	struct wire w;

	if (n > MAX_TBS)
		return JB_BAD_INPUT;
	wire_init(&w, tbs, n);
	got.session_id = wire_bytes(&w, &got.session_id_len, MAX_SIGN_DATA);
	if (wire_u8(&w) != USERAUTH_REQUEST)
		return JB_BAD_INPUT;
	wire_text(&w, got.user, sizeof(got.user));
	wire_expect(&w, "ssh-connection");
	wire_expect(&w, "publickey");
	if (wire_u8(&w) != 1)
		return JB_BAD_INPUT;
	wire_text(&w, got.algorithm, sizeof(got.algorithm));
	got.blob = wire_bytes(&w, &got.blob_len, MAX_KEY_BLOB);
	if (!wire_end(&w) || got.session_id_len == 0 || got.blob_len == 0)
		return JB_BAD_INPUT;
	*r = got;
	return 0;
}

static const struct sig_algorithm *
algorithm_of(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcmp(name, algorithms[i].name) == 0)
			return &algorithms[i];
	return NULL;
}

int
auth_request_verify(
    const struct auth_request *r, const uint8_t *tbs, size_t n, const uint8_t *sig, size_t sig_len)
{
	const struct sig_algorithm *a = algorithm_of(r->algorithm);
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx = NULL;
	const char *why;
	int rc = JB_BAD_INPUT;

	if (!a || !(pkey = key_blob_decode(r->blob, r->blob_len, a->key_type, &why)))
		goto out;
	rc = JB_INTERNAL;
	if (!(ctx = EVP_MD_CTX_new()) ||
	    EVP_DigestVerifyInit_ex(ctx, NULL, a->digest, NULL, NULL, pkey, NULL) != 1)
		goto out;
	rc = EVP_DigestVerify(ctx, sig, sig_len, tbs, n) == 1 ? 0 : JB_DENIED;
out:
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return rc;
}
