/* A user's public key as the line in its .pub file.  Pure.  Broker and jumpboxctl. */
#include "access.h"
#include "jumpbox/keys.h"
#include "jumpbox/proto.h"
#include "jumpbox/util.h"

#include <fnmatch.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTED "accepted are ssh-ed25519, ecdsa-sha2-nistp256/384/521 and ssh-rsa"

/* What people paste that is not accepted, and what to tell them. */
static const struct refusal {
	const char *pattern, *reason;
} refusals[] = {
	{ "-----BEGIN*", "this is a private key: give the file that ends in .pub" },
	{ "*-cert-v0?@openssh.com", "certificates are not supported: give the plain public key" },
	{ "sk-*", "keys on security tokens (sk-*) are not supported: " ACCEPTED },
	{ "ssh-dss", "DSA keys are too weak: " ACCEPTED },
	{ "rsa-sha2-*",
	    "this names a signature, not a key: the line of an RSA key starts with ssh-rsa" },
};

int
pubkey_fingerprint(const uint8_t *blob, size_t n, char *out, size_t size)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	char *b64;
	int len;

	SHA256(blob, n, sum);
	b64 = base64_encode(sum, sizeof(sum));
	len = snprintf(out, size, "SHA256:%.43s", b64); /* without the padding */
	free(b64);
	return len > 0 && (size_t)len < size ? 0 : JB_BAD_INPUT;
}

static int
refuse(const char *type, struct errtext *e)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (fnmatch(refusals[i].pattern, type, 0) == 0)
			return err_set(e, JB_BAD_INPUT, "%s", refusals[i].reason);
	return err_set(e, JB_BAD_INPUT,
	    "this is not a public key line: expected TYPE BASE64 COMMENT without "
	    "options; " ACCEPTED);
}

static char *
copy(const char *s, size_t n)
{
	char *c = xcalloc(n + 1, 1);

	memcpy(c, s, n);
	return c;
}

/* "TYPE BASE64 COMMENT" taken apart; line has no blanks at its ends. */
static int
split(const char *line, size_t n, struct pubkey *k, struct errtext *e)
{
	static const char blank[] = " \t";
	size_t type = strcspn(line, " \t\r\n"), text;
	const char *p = line + type;

	k->algorithm = copy(line, type);
	if (!key_type_known(k->algorithm))
		return refuse(k->algorithm, e);
	if (memchr(line, '\n', n))
		return err_set(e, JB_BAD_INPUT, "more than one line: give one key at a time");
	p += strspn(p, blank);
	text = strcspn(p, " \t\r\n");
	if (text > (MAX_KEY_BLOB + 2) / 3 * 4 ||
	    base64_decode(p, text, &k->blob, &k->blob_len) != 0 || k->blob_len > MAX_KEY_BLOB)
		return err_set(e, JB_BAD_INPUT, "the key is damaged or cut short");
	k->base64 = copy(p, text);
	p += text;
	p += strspn(p, blank);
	k->comment = copy(p, p < line + n ? (size_t)(line + n - p) : 0);
	return 0;
}

int
pubkey_parse(const char *line, struct pubkey *k, struct errtext *e)
{
	struct pubkey got = { 0 };
	const char *why;
	EVP_PKEY *pkey;
	size_t n;
	int rc;

	line += strspn(line, " \t\r\n");
	for (n = strlen(line); n > 0 && strchr(" \t\r\n", line[n - 1]); n--)
		;
	if (n == 0)
		return err_set(e, JB_BAD_INPUT, "there is no key on this line");
	if ((rc = split(line, n, &got, e)) != 0)
		goto out;
	if (!(pkey = key_blob_decode(got.blob, got.blob_len, got.algorithm, &why))) {
		rc = err_set(e, JB_BAD_INPUT, "%s", why);
		goto out;
	}
	EVP_PKEY_free(pkey);
	rc = pubkey_fingerprint(got.blob, got.blob_len, got.fingerprint, sizeof(got.fingerprint));
out:
	if (rc != 0)
		pubkey_release(&got);
	else
		*k = got;
	return rc;
}

void
pubkey_release(struct pubkey *k)
{
	free(k->algorithm);
	free(k->base64);
	free(k->comment);
	free(k->blob);
	*k = (struct pubkey){ 0 };
}
