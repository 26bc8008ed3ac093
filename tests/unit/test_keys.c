/*
 * Keys: what ssh-keygen makes is read, what is made here ssh-keygen reads;
 * signatures made by libcrypto over requests put together here.
 */
#include "jumpbox/keys.h"
#include "jumpbox/proto.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[64];

/* Runs a command in the scratch directory; what it prints, the last newline off, in static storage.
 */
static const char *
run(const char *fmt, ...)
{
	static char out[8192];
	char cmd[512], *whole;
	va_list ap;
	FILE *f;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	whole = xasprintf("cd %s && %s", dir, cmd);
	assert_non_null(f = popen(whole, "r"));
	n = fread(out, 1, sizeof(out) - 1, f);
	if (pclose(f) != 0)
		fail_msg("%s", cmd);
	free(whole);
	while (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	return out;
}

static const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static char *
slurp(const char *name)
{
	struct errtext e;
	char *text;
	size_t n;

	if (read_file(in_dir(name), 65536, &text, &n, &e) != 0)
		fail_msg("%s", e.s);
	return text;
}

static void
spill(const char *name, const void *p, size_t n)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

/* The keys that people have, each made once by ssh-keygen in a form that libcrypto reads. */
static const struct {
	const char *file, *options, *algorithm;
} users[] = {
	{ "ed25519", "-t ed25519", "ssh-ed25519" },
	{ "p256", "-t ecdsa -b 256 -m PKCS8", "ecdsa-sha2-nistp256" },
	{ "p384", "-t ecdsa -b 384 -m PKCS8", "ecdsa-sha2-nistp384" },
	{ "p521", "-t ecdsa -b 521 -m PKCS8", "ecdsa-sha2-nistp521" },
	{ "rsa", "-t rsa -b 2048 -m PKCS8", "ssh-rsa" },
};

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/jumpbox-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < COUNT(users); i++)
		run("ssh-keygen -q -N '' -C 'a user\xc3\xbc key' %s -f %s", users[i].options,
		    users[i].file);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	run("rm -rf %s", dir);
	return 0;
}

/* ---- public key lines ------------------------------------------------------ */

static void
lines_of_ssh_keygen_are_read(void **state)
{
	struct errtext e;
	struct pubkey k;
	char name[64], *line, *expected;

	(void)state;
	for (size_t i = 0; i < COUNT(users); i++) {
		snprintf(name, sizeof(name), "%s.pub", users[i].file);
		line = slurp(name);
		if (pubkey_parse(line, &k, &e) != 0)
			fail_msg("%s: %s", name, e.s);
		assert_string_equal(k.algorithm, users[i].algorithm);
		assert_string_equal(k.comment, "a user\xc3\xbc key");
		expected = xasprintf("%s %s %s\n", k.algorithm, k.base64, k.comment);
		assert_string_equal(expected, line);
		free(expected);
		assert_non_null(strstr(run("ssh-keygen -l -f %s", name), k.fingerprint));
		assert_int_equal(strlen(k.fingerprint), 50);
		pubkey_release(&k);
		pubkey_release(&k);

		/* blanks around it, CR LF, no comment */
		*strrchr(line, '\n') = '\0';
		expected = xasprintf(
		    " \t%.*s\r\n", (int)(strchr(strchr(line, ' ') + 1, ' ') - line), line);
		assert_int_equal(pubkey_parse(expected, &k, &e), 0);
		assert_string_equal(k.comment, "");
		pubkey_release(&k);
		free(expected);
		free(line);
	}
}

static void
other_lines_are_refused_with_a_reason(void **state)
{
	struct errtext e;
	struct pubkey k = { 0 };
	char *ed = slurp("ed25519.pub"), *priv = slurp("ed25519"), *small, *cert, *line;

	(void)state;
	run("ssh-keygen -q -t rsa -b 1024 -N '' -f small");
	run("ssh-keygen -q -s ed25519 -I id ed25519.pub 2>/dev/null");
	small = slurp("small.pub");
	cert = slurp("ed25519-cert.pub");
	struct {
		char *line;
		const char *says;
	} t[] = {
		{ xstrdup(""), "no key" },
		{ xstrdup(" \r\n"), "no key" },
		{ xasprintf("from=\"10.0.0.1\" %s", ed), "without options" },
		{ xasprintf("no-pty,%s", ed), "without options" },
		{ xstrdup("hello"), "not a public key" },
		{ xasprintf("# %s", ed), "not a public key" },
		{ xasprintf("%s%s", ed, ed), "one key at a time" },
		{ xstrdup(priv), "private key" },
		{ xstrdup(small), "2048" },
		{ xstrdup(cert), "certificates" },
		{ xstrdup("sk-ssh-ed25519@openssh.com AAAA x"), "security tokens" },
		{ xstrdup("sk-ecdsa-sha2-nistp256@openssh.com AAAA x"), "security tokens" },
		{ xstrdup("sk-ssh-ed25519-cert-v01@openssh.com AAAA x"), "certificates" },
		{ xstrdup("ssh-dss AAAA x"), "DSA" },
		{ xstrdup("rsa-sha2-512 AAAA x"), "starts with ssh-rsa" },
		{ xstrdup("ssh-ed448 AAAA x"), "not a public key" },
		{ xstrdup("ssh-ed25519"), "damaged" },
		{ xstrdup("ssh-ed25519 "), "damaged" },
		{ xstrdup("ssh-ed25519 ===="), "damaged" },
		{ xasprintf("ssh-rsa %s", ed + 12), "damaged" },
		{ xasprintf("ecdsa-sha2-nistp256 %s", ed + 12), "damaged" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		e.s[0] = '\0';
		if (pubkey_parse(t[i].line, &k, &e) != JB_BAD_INPUT || !strstr(e.s, t[i].says))
			fail_msg("\"%s\": %s", t[i].line, e.s);
		assert_null(k.blob);
		free(t[i].line);
	}
	/* every cut of the base64, and a bit that base64 does not use */
	for (size_t cut = 13; cut < 12 + 68; cut++) {
		line = xasprintf("%.*s", (int)cut, ed);
		assert_int_equal(pubkey_parse(line, &k, &e), JB_BAD_INPUT);
		free(line);
	}
	free(ed);
	free(priv);
	free(small);
	free(cert);
}

static void
points_off_the_curve_are_refused(void **state)
{
	char *line = slurp("p256.pub"), *text, *at;
	struct errtext e;
	struct pubkey k;
	uint8_t blob[200];
	int n;

	(void)state;
	assert_int_equal(pubkey_parse(line, &k, &e), 0);
	memcpy(blob, k.blob, k.blob_len);
	blob[k.blob_len - 1] ^= 1;
	at = xcalloc(400, 1);
	n = EVP_EncodeBlock((unsigned char *)at, blob, (int)k.blob_len);
	assert_int_equal(n, strlen(k.base64));
	text = xasprintf("ecdsa-sha2-nistp256 %s", at);
	pubkey_release(&k);
	assert_int_equal(pubkey_parse(text, &k, &e), JB_BAD_INPUT);
	free(text);
	free(at);
	free(line);
}

/* ---- signed requests -------------------------------------------------------- */

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

static EVP_PKEY *
private_of(const char *file)
{
	FILE *f;
	EVP_PKEY *pkey;

	assert_non_null(f = fopen(in_dir(file), "r"));
	pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(pkey);
	return pkey;
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

/* ---- host keys ---------------------------------------------------------------- */

static struct host_key *
load(const char *name)
{
	struct host_key *k = NULL;
	struct errtext e;

	if (host_key_load(in_dir(name), &k, &e) != 0)
		fail_msg("%s: %s", name, e.s);
	return k;
}

static void
refused(const char *name, const char *says)
{
	struct host_key *k = NULL;
	struct errtext e = { "" };

	if (host_key_load(in_dir(name), &k, &e) != JB_CONFIG || !strstr(e.s, says) || k)
		fail_msg("%s: \"%s\" does not say \"%s\"", name, e.s, says);
	assert_null(strchr(e.s, '\n'));
	assert_non_null(strstr(e.s, name));
}

static void
ssh_keygen_reads_what_is_made_here(void **state)
{
	static const char *const names[] = { "made_ed25519_key", "made_rsa_key" };
	struct host_key *k;
	struct errtext e;
	struct stat st;
	char *public, *again;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(host_key_generate(in_dir(names[i]), &e), 0);
		assert_int_equal(stat(in_dir(names[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		k = load(names[i]);
		public = host_key_public(k);
		host_key_free(k);
		assert_memory_equal(run("ssh-keygen -y -f %s", names[i]), public, strlen(public));
		assert_non_null(strstr(run("ssh-keygen -l -f %s", names[i]), "SHA256:"));
		assert_int_equal(host_key_generate(in_dir(names[i]), &e), JB_EXISTS);
		k = load(names[i]);
		again = host_key_public(k);
		assert_string_equal(public, again);
		host_key_free(k);
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
	struct host_key *k;
	char *public;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		run("%s %s", t[i].made_by, t[i].file);
		k = load(t[i].file);
		public = host_key_public(k);
		assert_memory_equal(public, t[i].type, strlen(t[i].type));
		assert_memory_equal(run("ssh-keygen -y -f %s", t[i].file), public, strlen(public));
		free(public);
		host_key_free(k);
	}
	run("openssl genpkey -algorithm ed25519 -out pkcs8_ed25519 2>/dev/null && chmod 600 "
	    "pkcs8_ed25519");
	k = load("pkcs8_ed25519");
	public = host_key_public(k);
	assert_memory_equal(public, "ssh-ed25519 ", 12);
	free(public);
	host_key_free(k);
	run("sed 's/$/\\r/' o_rsa > crlf && chmod 600 crlf");
	host_key_free(load("crlf"));
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
	refused("long", "too long");
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
				damaged = host_key_public(k);
				host_key_free(k);
				k = load(files[i]);
				whole = host_key_public(k);
				host_key_free(k);
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
	struct errtext e;
	struct pubkey pub;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct host_key *k = load(t[i].key);
		size_t n = sizeof(sig), tiny = 10;
		char *line = host_key_public(k);

		assert_int_equal(host_key_sign(k, t[i].digest, data, t[i].n, sig, &n), t[i].rc);
		assert_int_equal(
		    host_key_sign(k, t[i].digest, data, t[i].n, sig, &tiny), JB_DENIED);
		assert_int_equal(pubkey_parse(line, &pub, &e), 0);
		if (t[i].rc == 0)
			assert_int_equal(n, t[i].digest == DIGEST_NONE ? 64 : 384);
		pubkey_release(&pub);
		host_key_free(k);
		free(line);
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
		cmocka_unit_test(lines_of_ssh_keygen_are_read),
		cmocka_unit_test(other_lines_are_refused_with_a_reason),
		cmocka_unit_test(points_off_the_curve_are_refused),
		cmocka_unit_test(good_signatures_are_good_and_others_are_not),
		cmocka_unit_test(another_key_or_algorithm_is_refused),
		cmocka_unit_test(only_one_layout_is_a_request),
		cmocka_unit_test(ssh_keygen_reads_what_is_made_here),
		cmocka_unit_test(keys_made_elsewhere_are_read),
		cmocka_unit_test(other_files_are_refused_with_a_reason),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(signs_exchange_hashes_and_nothing_else),
		cmocka_unit_test(host_signatures_verify),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
