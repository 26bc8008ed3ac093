/* Signed requests: signatures made by libcrypto over requests put together here. */
#include "keys_fixture.h"

#include "jumpbox/proto.h"

struct bytes {
	uint8_t p[MAX_TBS + 100];
	size_t n;
};

static void
put(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->n + n <= sizeof(b->p));
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void
put_string(struct bytes *b, const void *p, size_t n)
{
	const uint8_t len[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	put(b, len, 4);
	put(b, p, n);
}

static const char session_id[] = "0123456789abcdef0123456789abcdef";

static void
request(struct bytes *b, const char *user, const char *service, const char *method, int has_sig,
    const char *algorithm, const struct pubkey *k)
{
	const uint8_t code = 50, flag = (uint8_t)has_sig;

	b->n = 0;
	put_string(b, session_id, 32);
	put(b, &code, 1);
	put_string(b, user, strlen(user));
	put_string(b, service, strlen(service));
	put_string(b, method, strlen(method));
	put(b, &flag, 1);
	put_string(b, algorithm, strlen(algorithm));
	put_string(b, k->blob, k->blob_len);
}

static void
sign(EVP_PKEY *pkey, const char *digest, const struct bytes *tbs, struct bytes *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	sig->n = sizeof(sig->p);
	assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, pkey, NULL), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig->p, &sig->n, tbs->p, tbs->n), 1);
	EVP_MD_CTX_free(ctx);
}

static int
verify(const struct bytes *tbs, const struct bytes *sig)
{
	struct auth_request r;
	int rc = auth_request_parse(tbs->p, tbs->n, &r);

	return rc != 0 ? rc : auth_request_verify(&r, tbs->p, tbs->n, sig->p, sig->n);
}

/* A fresh ed25519 pair: the SSH line is put together here, the signing key is libcrypto's. */
static EVP_PKEY *
ed25519_pair(struct pubkey *k)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct bytes blob = { .n = 0 };
	struct errtext e;
	char b64[200], *line;
	uint8_t raw[32];
	size_t n = 32;

	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, raw, &n), 1);
	put_string(&blob, "ssh-ed25519", 11);
	put_string(&blob, raw, 32);
	EVP_EncodeBlock((unsigned char *)b64, blob.p, (int)blob.n);
	line = xasprintf("ssh-ed25519 %s", b64);
	assert_int_equal(pubkey_parse(line, k, &e), 0);
	free(line);
	return pkey;
}

static void
good_signatures_are_good_and_others_are_not(void **state)
{
	static const struct {
		const char *file, *algorithm, *digest;
	} t[] = {
		{ NULL, "ssh-ed25519", NULL },
		{ "p256", "ecdsa-sha2-nistp256", "SHA256" },
		{ "p384", "ecdsa-sha2-nistp384", "SHA384" },
		{ "p521", "ecdsa-sha2-nistp521", "SHA512" },
		{ "rsa", "rsa-sha2-256", "SHA256" },
		{ "rsa", "rsa-sha2-512", "SHA512" },
	};
	static struct bytes tbs, sig;
	struct auth_request r;
	struct errtext e;
	struct pubkey k;
	EVP_PKEY *pkey;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		if (t[i].file) {
			char name[32], *line;

			snprintf(name, sizeof(name), "%s.pub", t[i].file);
			line = slurp(name);
			assert_int_equal(pubkey_parse(line, &k, &e), 0);
			free(line);
			pkey = private_of(t[i].file);
		} else {
			pkey = ed25519_pair(&k);
		}
		request(&tbs, "alice+web", "ssh-connection", "publickey", 1, t[i].algorithm, &k);
		sign(pkey, t[i].digest, &tbs, &sig);
		assert_int_equal(verify(&tbs, &sig), 0);
		assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), 0);
		assert_string_equal(r.user, "alice+web");
		assert_string_equal(r.algorithm, t[i].algorithm);
		assert_int_equal(r.session_id_len, 32);
		assert_memory_equal(r.session_id, session_id, 32);
		assert_int_equal(r.blob_len, k.blob_len);
		assert_memory_equal(r.blob, k.blob, k.blob_len);

		/* another session, another user, a bit of the signature, none at all */
		tbs.p[4] ^= 1;
		assert_int_equal(verify(&tbs, &sig), JB_DENIED);
		tbs.p[4] ^= 1;
		tbs.p[4 + 32 + 1 + 4] ^= 1;
		assert_int_equal(verify(&tbs, &sig), JB_DENIED);
		tbs.p[4 + 32 + 1 + 4] ^= 1;
		sig.p[sig.n / 2] ^= 1;
		assert_int_equal(verify(&tbs, &sig), JB_DENIED);
		sig.p[sig.n / 2] ^= 1;
		sig.n--;
		assert_int_equal(verify(&tbs, &sig), JB_DENIED);
		sig.n = 0;
		assert_int_equal(verify(&tbs, &sig), JB_DENIED);
		EVP_PKEY_free(pkey);
		pubkey_release(&k);
	}
}

static void
another_key_or_algorithm_is_refused(void **state)
{
	static const char *const algorithms[] = { "ssh-rsa", "rsa-sha2-256", "ssh-dss", "",
		"ecdsa-sha2-nistp256", "ssh-ed25519-cert-v01@openssh.com",
		"sk-ssh-ed25519@openssh.com", "ssh-ed25519 " };
	static struct bytes tbs, sig;
	EVP_PKEY *mine, *rsa = private_of("rsa");
	struct pubkey k, other, rsa_k;
	struct errtext e;
	char *line = slurp("rsa.pub");

	(void)state;
	mine = ed25519_pair(&k);
	EVP_PKEY_free(ed25519_pair(&other));
	request(&tbs, "alice", "ssh-connection", "publickey", 1, "ssh-ed25519", &other);
	sign(mine, NULL, &tbs, &sig); /* signed by mine, claims the other */
	assert_int_equal(verify(&tbs, &sig), JB_DENIED);
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		request(&tbs, "alice", "ssh-connection", "publickey", 1, algorithms[i], &k);
		sign(mine, NULL, &tbs, &sig);
		assert_int_equal(verify(&tbs, &sig), JB_BAD_INPUT);
	}
	/* SHA-1, by its name and behind an allowed one */
	assert_int_equal(pubkey_parse(line, &rsa_k, &e), 0);
	request(&tbs, "alice", "ssh-connection", "publickey", 1, "ssh-rsa", &rsa_k);
	sign(rsa, "SHA1", &tbs, &sig);
	assert_int_equal(verify(&tbs, &sig), JB_BAD_INPUT);
	request(&tbs, "alice", "ssh-connection", "publickey", 1, "rsa-sha2-256", &rsa_k);
	sign(rsa, "SHA1", &tbs, &sig);
	assert_int_equal(verify(&tbs, &sig), JB_DENIED);
	sign(rsa, "SHA512", &tbs, &sig);
	assert_int_equal(verify(&tbs, &sig), JB_DENIED);
	EVP_PKEY_free(mine);
	EVP_PKEY_free(rsa);
	pubkey_release(&k);
	pubkey_release(&other);
	pubkey_release(&rsa_k);
	free(line);
}

static void
only_one_layout_is_a_request(void **state)
{
	static struct bytes tbs, cut;
	struct auth_request r = { .algorithm = "untouched" };
	struct pubkey k;
	char user[300];

	(void)state;
	EVP_PKEY_free(ed25519_pair(&k));
	request(&tbs, "alice", "ssh-connection", "publickey", 1, "ssh-ed25519", &k);
	for (size_t n = 0; n < tbs.n; n++) {
		uint8_t *exact = xcalloc(n + !n, 1); /* so that a sanitizer sees an over-read */

		memcpy(exact, tbs.p, n);
		assert_int_equal(auth_request_parse(exact, n, &r), JB_BAD_INPUT);
		free(exact);
	}
	cut = tbs;
	put(&cut, "", 1);
	assert_int_equal(auth_request_parse(cut.p, cut.n, &r), JB_BAD_INPUT);
	request(&tbs, "alice", "ssh-userauth", "publickey", 1, "ssh-ed25519", &k);
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), JB_BAD_INPUT);
	request(&tbs, "alice", "ssh-connection", "hostbased", 1, "ssh-ed25519", &k);
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), JB_BAD_INPUT);
	request(&tbs, "alice", "ssh-connection", "publickey", 0, "ssh-ed25519", &k);
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), JB_BAD_INPUT);
	request(&tbs, "alice", "ssh-connection", "publickey", 2, "ssh-ed25519", &k);
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), JB_BAD_INPUT);
	memset(user, 'a', sizeof(user));
	user[257] = '\0';
	request(&tbs, user, "ssh-connection", "publickey", 1, "ssh-ed25519", &k);
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), JB_BAD_INPUT);
	assert_string_equal(r.algorithm, "untouched");
	user[256] = '\0';
	request(&tbs, user, "ssh-connection", "publickey", 1, "ssh-ed25519", &k);
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), 0);
	request(&tbs, "aXice", "ssh-connection", "publickey", 1, "ssh-ed25519", &k);
	tbs.p[4 + 32 + 1 + 4 + 1] = '\0'; /* a NUL in the name */
	assert_int_equal(auth_request_parse(tbs.p, tbs.n, &r), JB_BAD_INPUT);
	pubkey_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_signatures_are_good_and_others_are_not),
		cmocka_unit_test(another_key_or_algorithm_is_refused),
		cmocka_unit_test(only_one_layout_is_a_request),
	};

	return cmocka_run_group_tests(tests, make_dir_of_users, remove_dir);
}
