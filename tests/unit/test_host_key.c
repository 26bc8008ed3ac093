/* Host keys: what is made here ssh-keygen reads, what others make is read; what is signed. */
#include "keys_fixture.h"

#include "jumpbox/buf.h"
#include "jumpbox/proto.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <sys/stat.h>

static void
spill(const char *name, const void *p, size_t n)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static struct host_key *
load(const char *name)
{
	struct host_key *k = NULL;
	struct errtext e;

	if (host_key_load(in_dir(name), &k, &e) != 0)
		fail_msg("%s: %s", name, e.s);
	return k;
}

/* The file without the secret. */
static char *
public_file(const char *name)
{
	struct host_key *k = load(name);
	struct buf b;
	char *text;

	buf_init(&b, HOST_KEY_FILE_MAX);
	assert_int_equal(host_key_public(k, &b), 0);
	host_key_free(k);
	assert_int_equal(buf_add(&b, "", 1), 0);
	text = xstrdup((const char *)buf_ptr(&b));
	buf_release(&b);
	return text;
}

/* "ssh-rsa AAAA..." as ssh-keygen reads it out of that private key file. */
static char *
line_of(const char *name)
{
	return xstrdup(run("ssh-keygen -y -f %s | cut -d' ' -f1,2", name));
}

/* The public half is that of the file; it is left as "public". */
static void
same_public_half(const char *name)
{
	char *text = public_file(name), *line, *expected;

	spill("public", text, strlen(text));
	line = line_of("public");
	expected = line_of(name);
	assert_string_equal(line, expected);
	free(text);
	free(line);
	free(expected);
}

static void
refused(const char *name, const char *says)
{
	struct host_key *k = NULL;
	struct errtext e = { 0 };

	if (host_key_load(in_dir(name), &k, &e) != JB_CONFIG || !strstr(e.s, says) || k)
		fail_msg("%s: \"%s\" does not say \"%s\"", name, e.s, says);
	assert_null(strchr(e.s, '\n'));
	assert_non_null(strstr(e.s, name));
}

static void
ssh_keygen_reads_what_is_made_here(void **state)
{
	static const char *const names[] = { "made_ed25519_key", "made_rsa_key" };
	struct errtext e;
	struct stat st;
	char *public, *again;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(host_key_generate(in_dir(names[i]), &e), 0);
		assert_int_equal(stat(in_dir(names[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		public = public_file(names[i]);
		same_public_half(names[i]);
		assert_non_null(strstr(run("ssh-keygen -l -f %s", names[i]), "SHA256:"));
		assert_int_equal(host_key_generate(in_dir(names[i]), &e), JB_EXISTS);
		again = public_file(names[i]);
		assert_string_equal(public, again);
		free(public);
		free(again);
	}
	assert_string_equal(
	    run("ls -A | grep -c made_"), "2"); /* nothing else is left lying about */
	assert_non_null(strstr(run("ssh-keygen -l -f made_rsa_key"), "3072"));
	assert_int_equal(host_key_generate(in_dir("host_key"), &e), JB_CONFIG);
	assert_int_equal(host_key_generate(in_dir("none/rsa_key"), &e), JB_CONFIG);
	host_key_free(NULL);
}

static void
keys_made_elsewhere_are_read(void **state)
{
	static const struct {
		const char *file, *made_by, *type;
	} t[] = {
		{ "o_ed25519", "ssh-keygen -q -t ed25519 -N '' -f", "ssh-ed25519" },
		{ "o_rsa", "ssh-keygen -q -t rsa -b 2048 -N '' -f", "ssh-rsa" },
		{ "pem_rsa", "ssh-keygen -q -t rsa -b 2048 -N '' -m PEM -f", "ssh-rsa" },
		{ "pkcs8_rsa", "ssh-keygen -q -t rsa -b 2048 -N '' -m PKCS8 -f", "ssh-rsa" },
	};
	char *line;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		run("%s %s", t[i].made_by, t[i].file);
		same_public_half(t[i].file);
		line = line_of("public");
		assert_memory_equal(line, t[i].type, strlen(t[i].type));
		free(line);
	}
	run("openssl genpkey -algorithm ed25519 -out pkcs8_ed25519 2>/dev/null && chmod 600 "
	    "pkcs8_ed25519");
	host_key_free(load("pkcs8_ed25519"));
	run("sed 's/$/\\r/' o_rsa > crlf && chmod 600 crlf");
	host_key_free(load("crlf"));
}

/* The bytes of the file `name` without its secret. */
static void
public_bytes(const char *name, uint8_t **p, size_t *n)
{
	char *text = public_file(name), *type, *header;
	BIO *bio = BIO_new_mem_buf(text, -1);
	long len;

	assert_int_equal(PEM_read_bio(bio, &type, &header, p, &len), 1);
	*n = (size_t)len;
	OPENSSL_free(type);
	OPENSSL_free(header);
	BIO_free(bio);
	free(text);
}

static void
the_public_half_comes_without_the_secret(void **state)
{
	static const struct {
		const char *key, *number;
		bool secret;
	} t[] = {
		{ "pkcs8_ed25519", OSSL_PKEY_PARAM_PUB_KEY, false },
		{ "pkcs8_ed25519", OSSL_PKEY_PARAM_PRIV_KEY, true },
		{ "pkcs8_rsa", OSSL_PKEY_PARAM_RSA_N, false },
		{ "pkcs8_rsa", OSSL_PKEY_PARAM_RSA_D, true },
		{ "pkcs8_rsa", OSSL_PKEY_PARAM_RSA_FACTOR1, true },
		{ "pkcs8_rsa", OSSL_PKEY_PARAM_RSA_FACTOR2, true },
		{ "pkcs8_rsa", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		EVP_PKEY *pkey = private_of(t[i].key);
		uint8_t number[512], *file;
		size_t n, len;
		BIGNUM *bn = NULL;

		if (EVP_PKEY_get_bn_param(pkey, t[i].number, &bn) == 1)
			n = (size_t)BN_bn2bin(bn, number);
		else
			assert_int_equal(EVP_PKEY_get_octet_string_param(
					     pkey, t[i].number, number, sizeof(number), &n),
			    1);
		public_bytes(t[i].key, &file, &len);
		assert_int_equal(memmem(file, len, number, n) == NULL, t[i].secret);
		OPENSSL_free(file);
		BN_free(bn);
		EVP_PKEY_free(pkey);
	}
	same_public_half("pkcs8_rsa");
	refused("public", "damaged");
}

static void
other_files_are_refused_with_a_reason(void **state)
{
	(void)state;
	run("ssh-keygen -q -t ed25519 -N '' -f h_ed25519");
	run("cp h_ed25519 open && chmod 640 open");
	refused("open", "chmod 600");
	run("cp h_ed25519 wide && chmod 602 wide");
	refused("wide", "open to others");
	refused("missing", "No such file");
	run("mkdir directory");
	refused("directory", "not a file");
	run("mkfifo -m 600 fifo"); /* and it does not wait for a writer */
	refused("fifo", "not a file");
	run(": > empty && chmod 600 empty");
	refused("empty", "is empty");
	run("head -c 40000 /dev/zero > long && chmod 600 long");
	refused("long", "larger than 32768 bytes");
	run("head -c 4000 /dev/urandom > noise && chmod 600 noise");
	refused("noise", "damaged");
	run("cp h_ed25519.pub h_pub && chmod 600 h_pub");
	refused("h_pub", "public key");
	run("ssh-keygen -q -t ed25519 -N secret -f e_o && ssh-keygen -q -t rsa -N secret -m PEM -f "
	    "e_pem");
	run("ssh-keygen -q -t rsa -N secret -m PKCS8 -f e_pkcs8");
	refused("e_o", "passphrase");
	refused("e_pem", "passphrase");
	refused("e_pkcs8", "passphrase");
	run("ssh-keygen -q -t rsa -b 1024 -N '' -f s_o && ssh-keygen -q -t rsa -b 1024 -N '' -m "
	    "PEM -f s_pem");
	refused("s_o", "2048");
	refused("s_pem", "2048");
	run("ssh-keygen -q -t ecdsa -N '' -f t_o && ssh-keygen -q -t ecdsa -N '' -m PKCS8 -f "
	    "t_pkcs8");
	refused("t_o", "not supported");
	refused("t_pkcs8", "not supported");
}

static void
foreign_files_are_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	run("ssh-keygen -q -t ed25519 -N '' -f f_ed25519 && chown 12345 f_ed25519");
	refused("f_ed25519", "12345");
}

/* Any cut and any changed character of the key itself. */
static void
damage_is_noticed(void **state)
{
	static const char *const files[] = { "made_ed25519_key", "made_rsa_key", "pem_rsa",
		"pkcs8_rsa" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		char *text = slurp(files[i]), *begin = strchr(text, '\n') + 1, *end;
		size_t step = strlen(text) > 1000 ? 37 : 1, tried = 0, same = 0;

		end = strstr(begin, "\n-----END") - 2; /* not the padding */
		for (char *p = text; p < end; p += step) {
			spill("cut", text, (size_t)(p - text));
			refused("cut", p == text ? "empty" : "damaged");
		}
		for (char *p = begin; p < end; p += step) {
			char was = *p;
			struct host_key *k = NULL;
			char *damaged, *whole;
			struct errtext e;

			if (was == '\n')
				continue;
			tried++;
			*p = was == 'A' ? 'B' : 'A';
			spill("changed", text, strlen(text));
			/* The comment may differ and all still be well; then it is the very same key. */
			if (host_key_load(in_dir("changed"), &k, &e) == 0) {
				same++;
				host_key_free(k);
				damaged = public_file("changed");
				whole = public_file(files[i]);
				assert_string_equal(damaged, whole);
				free(damaged);
				free(whole);
			}
			*p = was;
		}
		assert_true(tried > 30 && same < tried / 10);
		free(text);
	}
}

static void
signs_exchange_hashes_and_nothing_else(void **state)
{
	/* clang-format off */
	static const struct { const char *key; unsigned digest; size_t n; int rc; } t[] = {
		{ "made_ed25519_key", DIGEST_NONE, 32, 0 },
		{ "made_ed25519_key", DIGEST_NONE, 48, 0 },
		{ "made_ed25519_key", DIGEST_NONE, 64, 0 },
		{ "made_ed25519_key", DIGEST_SHA256, 32, JB_DENIED },
		{ "made_ed25519_key", DIGEST_NONE, 0, JB_DENIED },
		{ "made_ed25519_key", DIGEST_NONE, 20, JB_DENIED },
		{ "made_ed25519_key", DIGEST_NONE, 31, JB_DENIED },
		{ "made_ed25519_key", DIGEST_NONE, 33, JB_DENIED },
		{ "made_ed25519_key", DIGEST_NONE, 65, JB_DENIED },
		{ "made_ed25519_key", DIGEST_NONE, 128, JB_DENIED },
		{ "made_rsa_key", DIGEST_SHA256, 32, 0 },
		{ "made_rsa_key", DIGEST_SHA512, 64, 0 },
		{ "made_rsa_key", DIGEST_NONE, 32, JB_DENIED },
		{ "made_rsa_key", 1, 32, JB_DENIED },
		{ "made_rsa_key", DIGEST_SHA256, 20, JB_DENIED },
	};
	/* clang-format on */
	static const uint8_t data[128] = { 1, 2, 3 };
	uint8_t sig[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct host_key *k = load(t[i].key);
		size_t n = sizeof(sig), tiny = 10;

		assert_int_equal(host_key_sign(k, t[i].digest, data, t[i].n, sig, &n), t[i].rc);
		assert_int_equal(
		    host_key_sign(k, t[i].digest, data, t[i].n, sig, &tiny), JB_DENIED);
		if (t[i].rc == 0)
			assert_int_equal(n, t[i].digest == DIGEST_NONE ? 64 : 384);
		host_key_free(k);
	}
}

/* The signature itself: libcrypto verifies it with the key as it reads the file. */
static void
host_signatures_verify(void **state)
{
	static const struct {
		const char *key;
		unsigned digest;
		const char *name;
	} t[] = {
		{ "pkcs8_ed25519", DIGEST_NONE, NULL },
		{ "pkcs8_rsa", DIGEST_SHA256, "SHA256" },
		{ "pkcs8_rsa", DIGEST_SHA512, "SHA512" },
	};
	static const uint8_t hash[32] = "an exchange hash of thirty-two b";
	uint8_t sig[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct host_key *k = load(t[i].key);
		EVP_PKEY *pkey = private_of(t[i].key);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		size_t n = sizeof(sig);

		assert_int_equal(host_key_sign(k, t[i].digest, hash, 32, sig, &n), 0);
		assert_int_equal(
		    EVP_DigestVerifyInit_ex(ctx, NULL, t[i].name, NULL, NULL, pkey, NULL), 1);
		assert_int_equal(EVP_DigestVerify(ctx, sig, n, hash, 32), 1);
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(pkey);
		host_key_free(k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_keygen_reads_what_is_made_here),
		cmocka_unit_test(keys_made_elsewhere_are_read),
		cmocka_unit_test(the_public_half_comes_without_the_secret),
		cmocka_unit_test(other_files_are_refused_with_a_reason),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(signs_exchange_hashes_and_nothing_else),
		cmocka_unit_test(host_signatures_verify),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
