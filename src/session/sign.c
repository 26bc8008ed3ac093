/*
 * EVP_DigestSign and EVP_DigestVerify, as libssh calls them.  Session.
 *
 * libssh signs with the host key and verifies users' signatures through these
 * two functions of libcrypto.  The executable's own come first for the dynamic
 * linker, and ask the broker, which has the keys and remembers what it
 * verified.  In the zygote there is no broker yet: libcrypto's own functions
 * do the work for warmup.c, which counts the calls.
 */
#include "session.h"

#include "jumpbox/proto.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <string.h>

enum { CALL_MS = 30000 };

static struct sign_counts counts;
static bool refused;

struct sign_counts
sign_counts(void)
{
	return counts;
}

bool
sign_refused(void)
{
	bool was = refused;

	refused = false;
	return was;
}

/* The next object's function of that name, libcrypto's. */
static void *
next_function(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* What the context was initialised with; -1: nothing that a host key signs with. */
static int
digest_of(EVP_MD_CTX *ctx)
{
	const EVP_MD *md = EVP_MD_CTX_get0_md(ctx);

	if (md == NULL)
		return DIGEST_NONE;
	if (EVP_MD_is_a(md, "SHA256"))
		return DIGEST_SHA256;
	return EVP_MD_is_a(md, "SHA512") ? DIGEST_SHA512 : -1;
}

/* The broker's signature into sig[*len]. */
static int
broker_sign(int key, int digest, uint8_t *sig, size_t *len, const uint8_t *data, size_t n)
{
	struct msg request, reply;
	const uint8_t *p;
	size_t got;
	int ok = 0;

	msg_init(&request, REQ_SIGN, link_id());
	msg_put_u32(&request, (uint32_t)key);
	msg_put_u32(&request, (uint32_t)digest);
	msg_put_bytes(&request, data, n);
	link_call(&request, &reply, CALL_MS);
	p = msg_get_bytes(&reply, &got, *len);
	if (reply.type == REP_SIGN && msg_end(&reply) && got > 0) {
		memcpy(sig, p, got);
		*len = got;
		ok = 1;
	}
	msg_release(&reply);
	return ok;
}

static int
broker_verify(const uint8_t *sig, size_t len, const uint8_t *tbs, size_t n)
{
	struct msg request, reply;
	uint32_t good;
	int ok;

	msg_init(&request, REQ_VERIFY, link_id());
	msg_put_bytes(&request, sig, len);
	msg_put_bytes(&request, tbs, n);
	link_call(&request, &reply, CALL_MS);
	good = msg_get_u32(&reply);
	ok = reply.type == REP_VERIFY && msg_end(&reply) && good == 1;
	msg_release(&reply);
	return ok;
}

int
EVP_DigestSign(
    EVP_MD_CTX *ctx, unsigned char *sigret, size_t *siglen, const unsigned char *tbs, size_t tbslen)
{
	int (*real)(EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
	EVP_PKEY *pkey;
	int key, digest;

	if (link_fd() < 0) {
		*(void **)&real = next_function("EVP_DigestSign");
		counts.sign++;
		return real == NULL ? 0 : real(ctx, sigret, siglen, tbs, tbslen);
	}
	pkey = EVP_PKEY_CTX_get0_pkey(EVP_MD_CTX_get_pkey_ctx(ctx));
	if (pkey == NULL)
		return 0;
	if (sigret == NULL) {
		*siglen = (size_t)EVP_PKEY_get_size(pkey);
		return 1;
	}
	key = host_keys_index(EVP_PKEY_get_base_id(pkey));
	digest = digest_of(ctx);
	if (key < 0 || digest < 0 || tbslen > MAX_SIGN_DATA)
		return 0;
	return broker_sign(key, digest, sigret, siglen, tbs, tbslen);
}

/* The lengths are the client's: what the broker would call malformed is not sent. */
int
EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sigret, size_t siglen,
    const unsigned char *tbs, size_t tbslen)
{
	int (*real)(EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);

	if (link_fd() < 0) {
		*(void **)&real = next_function("EVP_DigestVerify");
		counts.verify++;
		return real == NULL ? 0 : real(ctx, sigret, siglen, tbs, tbslen);
	}
	if (siglen <= MAX_KEY_BLOB && tbslen <= MAX_TBS &&
	    broker_verify(sigret, siglen, tbs, tbslen))
		return 1;
	refused = true;
	return 0;
}
