/* A scratch directory with keys in it, made by ssh-keygen, for the tests of SSH keys. */
#ifndef KEYS_FIXTURE_H
#define KEYS_FIXTURE_H

#include "jumpbox/keys.h"
#include "jumpbox/util.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[64];

/* Runs a command in the scratch directory; what it prints, the last newline off, in static storage.
 */
__attribute__((format(printf, 1, 2))) static inline const char *
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

static inline const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Not inline: gcc 12 with optimization then takes what it returns for a pointer to its own variable. */
__attribute__((noinline, unused)) static char *
slurp(const char *name)
{
	struct errtext e;
	char *text;
	size_t n;

	if (read_file(in_dir(name), 65536, &text, &n, &e) != 0)
		fail_msg("%s", e.s);
	return text;
}

static inline EVP_PKEY *
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

static inline int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/jumpbox-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int
make_dir_of_users(void **state)
{
	if (make_dir(state) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(users); i++)
		run("ssh-keygen -q -N '' -C 'a user\xc3\xbc key' %s -f %s", users[i].options,
		    users[i].file);
	return 0;
}

static inline int
remove_dir(void **state)
{
	(void)state;
	run("rm -rf %s", dir);
	return 0;
}

#endif
