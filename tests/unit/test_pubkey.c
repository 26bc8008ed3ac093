/* Public key lines: what ssh-keygen writes is read, all else is refused with a reason. */
#include "keys_fixture.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_ssh_keygen_are_read),
		cmocka_unit_test(other_lines_are_refused_with_a_reason),
		cmocka_unit_test(points_off_the_curve_are_refused),
	};

	return cmocka_run_group_tests(tests, make_dir_of_users, remove_dir);
}
