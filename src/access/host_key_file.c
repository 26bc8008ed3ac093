/*
 * The text of a host key file: OpenSSH's format, read and written, and PEM
 * (PKCS#8 or traditional), read.  Pure.  Broker and jumpboxctl.
 *
 *	"openssh-key-v1" NUL, string cipher "none", string kdf "none",
 *	string kdf options "", u32 number of keys 1, string public blob,
 *	string private part:
 *	    u32 check, u32 check again, string type, the type's numbers,
 *	    string comment, bytes 1 2 3 ... up to a multiple of 8
 */
#include "access.h"
#include "jumpbox/buf.h"
#include "jumpbox/errors.h"
#include "jumpbox/util.h"
#include "wire.h"

#include <ctype.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END   "-----END OPENSSH PRIVATE KEY-----\n"
#define MAGIC "openssh-key-v1" /* its NUL belongs to it */

enum { KEY_MAX = 16 * 1024, LINE = 70, BLOCK = 8 };

/* The order in which the file has the numbers of an RSA key. */
static const int order[] = { RSA_N, RSA_E, RSA_D, RSA_IQMP, RSA_P, RSA_Q };

static const char damaged[] =
    "is damaged or cut short: restore it from a backup, or move it away and a new one is made";
static const char empty[] =
    "is empty: restore it from a backup, or move it away and a new one is made";
static const char encrypted[] =
    "is protected by a passphrase, which a server cannot type: ssh-keygen -p takes it off";
static const char public_half[] = "is a public key: name the private key file, without .pub";
static const char wrong_type[] = "is of a type that is not supported: use ed25519 or rsa";
static const char too_small[] = "is an RSA key of fewer than 2048 bits: make a larger one";

/* ---- OpenSSH's format, read -------------------------------------------- */

/* string public, string seed and public again */
static EVP_PKEY *
decode_ed25519(struct wire *w)
{
	const uint8_t *pub, *sec;
	uint8_t check[32];
	size_t npub, nsec, n = sizeof(check);
	EVP_PKEY *pkey;

	pub = wire_bytes(w, &npub, 32);
	sec = wire_bytes(w, &nsec, 64);
	if (w->bad || npub != 32 || nsec != 64 || memcmp(pub, sec + 32, 32) != 0)
		return NULL;
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, sec, 32);
	if (pkey &&
	    (EVP_PKEY_get_raw_public_key(pkey, check, &n) != 1 || memcmp(check, pub, 32) != 0)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

/* mpint n, e, d, iqmp, p, q */
static EVP_PKEY *
decode_rsa(struct wire *w)
{
	BIGNUM *part[RSA_PARTS] = { 0 };
	EVP_PKEY *pkey = NULL;
	bool good = true;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		size_t n;
		const uint8_t *p = wire_bytes(w, &n, RSA_BITS_MAX / 8 + 1);

		if (p && n > 0 && !(p[0] & 0x80))
			part[order[i]] = BN_bin2bn(p, (int)n, NULL);
		good = good && part[order[i]];
	}
	if (good && !w->bad)
		pkey = rsa_assemble(part);
	rsa_parts_free(part);
	return pkey;
}

static bool
padding_good(struct wire *w)
{
	for (uint8_t i = 1; w->left > 0; i++)
		if (wire_u8(w) != i || i > BLOCK * 2)
			return false;
	return true;
}

static EVP_PKEY *
decode_private(const uint8_t *p, size_t n, const char **why)
{
	struct wire w;
	char type[64];
	uint32_t check;
	EVP_PKEY *pkey = NULL;

	wire_init(&w, p, n);
	check = wire_u32(&w);
	if (check != wire_u32(&w))
		return NULL;
	wire_text(&w, type, sizeof(type));
	if (strcmp(type, "ssh-ed25519") == 0)
		pkey = decode_ed25519(&w);
	else if (strcmp(type, "ssh-rsa") == 0)
		pkey = decode_rsa(&w);
	else if (!w.bad)
		*why = wrong_type;
	wire_bytes(&w, &n, KEY_MAX); /* the comment */
	if (pkey && (w.bad || !padding_good(&w))) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

/* The public blob that travels with the private part must be its own. */
static bool
blob_matches(const EVP_PKEY *pkey, const uint8_t *p, size_t n)
{
	struct buf b;
	bool same;

	buf_init(&b, KEY_MAX);
	same = host_key_blob(pkey, &b) == 0 && buf_len(&b) == n && memcmp(buf_ptr(&b), p, n) == 0;
	buf_release(&b);
	return same;
}

static EVP_PKEY *
decode_binary(const uint8_t *p, size_t n, const char **why)
{
	struct wire w;
	char cipher[64], kdf[64];
	const uint8_t *options, *blob, *priv;
	size_t noptions, nblob, npriv;
	uint32_t keys;
	EVP_PKEY *pkey;

	if (n < sizeof(MAGIC) || memcmp(p, MAGIC, sizeof(MAGIC)) != 0)
		return NULL;
	wire_init(&w, p + sizeof(MAGIC), n - sizeof(MAGIC));
	wire_text(&w, cipher, sizeof(cipher));
	wire_text(&w, kdf, sizeof(kdf));
	options = wire_bytes(&w, &noptions, 1024);
	keys = wire_u32(&w);
	blob = wire_bytes(&w, &nblob, KEY_MAX);
	priv = wire_bytes(&w, &npriv, KEY_MAX);
	if (!options || !blob || !priv || keys != 1)
		return NULL;
	if (strcmp(cipher, "none") != 0 || strcmp(kdf, "none") != 0) {
		*why = encrypted;
		return NULL;
	}
	pkey = wire_end(&w) ? decode_private(priv, npriv, why) : NULL;
	if (pkey && !blob_matches(pkey, blob, nblob)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

/* The base64 between BEGIN and END, its line breaks taken out. */
static EVP_PKEY *
decode_openssh(const char *text, const char **why)
{
	const char *p = text + sizeof(BEGIN) - 2; /* the line may end in CR LF */
	const char *end = strstr(p, "\n-----END OPENSSH PRIVATE KEY-----");
	char *b64;
	uint8_t *bin = NULL;
	size_t n = 0, nbin = 0;
	EVP_PKEY *pkey = NULL;

	if (!end)
		return NULL;
	b64 = xcalloc((size_t)(end - p) + 1, 1);
	for (; p < end; p++)
		if (!isspace((unsigned char)*p))
			b64[n++] = *p;
	if (base64_decode(b64, n, &bin, &nbin) == 0) {
		pkey = decode_binary(bin, nbin, why);
		wipe(bin, nbin);
		free(bin);
	}
	free_secret(b64);
	return pkey;
}

/* ---- PEM, read ---------------------------------------------------------- */

static int
no_passphrase(char *dst, int size, int writing, void *asked)
{
	(void)dst, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *
decode_pem(const char *text, size_t n, const char **why)
{
	BIO *bio = BIO_new_mem_buf(text, (int)n);
	bool asked = false;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
	BIGNUM *part[RSA_PARTS];
	bool good = true;

	BIO_free(bio);
	if (asked)
		*why = encrypted;
	if (!pkey)
		return NULL;
	if (host_key_is_rsa(pkey)) {
		rsa_parts(pkey, part);
		good = rsa_consistent(part);
		rsa_parts_free(part);
	} else if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519) {
		*why = wrong_type;
		good = false;
	}
	if (good)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

EVP_PKEY *
host_key_decode(const char *text, size_t n, const char **why)
{
	EVP_PKEY *pkey;

	*why = n == 0 ? empty : damaged;
	if (strncmp(text, "ssh-", 4) == 0 || strncmp(text, "ecdsa-", 6) == 0)
		*why = public_half;
	if (strncmp(text, BEGIN, sizeof(BEGIN) - 2) == 0)
		pkey = decode_openssh(text, why);
	else
		pkey = decode_pem(text, n, why);
	if (pkey && host_key_is_rsa(pkey) && EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN) {
		*why = too_small;
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

/* ---- OpenSSH's format, written ------------------------------------------ */

static int
encode_rsa(const EVP_PKEY *pkey, enum key_half half, struct buf *b)
{
	BIGNUM *part[RSA_PARTS];
	int rc = 0;

	rsa_parts(pkey, part);
	for (size_t i = 0; rc == 0 && i < sizeof(order) / sizeof(order[0]); i++) {
		BIGNUM *n = part[order[i]];

		/* the modulus and the public exponent come first */
		if (!n || (half == KEY_PUBLIC && i > 1 && BN_set_word(n, 3) != 1))
			rc = JB_INTERNAL;
		else
			rc = wire_put_bignum(b, n);
	}
	rsa_parts_free(part);
	return rc;
}

static int
encode_ed25519(const EVP_PKEY *pkey, enum key_half half, struct buf *b)
{
	uint8_t secret[64] = { 0 };
	size_t npub = 32, nseed = 32;
	int rc = 0;

	if ((half == KEY_WHOLE && EVP_PKEY_get_raw_private_key(pkey, secret, &nseed) != 1) ||
	    EVP_PKEY_get_raw_public_key(pkey, secret + 32, &npub) != 1)
		rc = JB_INTERNAL;
	if (rc == 0 && (rc = wire_put_bytes(b, secret + 32, 32)) == 0)
		rc = wire_put_bytes(b, secret, 64);
	wipe(secret, sizeof(secret));
	return rc;
}

static int
encode_private(const EVP_PKEY *pkey, enum key_half half, struct buf *b)
{
	bool rsa = host_key_is_rsa(pkey);
	int rc = 0;

	rc |= wire_put_u32(b, 0); /* the check is for passphrases */
	rc |= wire_put_u32(b, 0);
	rc |= wire_put_text(b, rsa ? "ssh-rsa" : "ssh-ed25519");
	rc |= rsa ? encode_rsa(pkey, half, b) : encode_ed25519(pkey, half, b);
	rc |= wire_put_text(b, "jumpbox host key");
	for (uint8_t i = 1; rc == 0 && buf_len(b) % BLOCK != 0; i++)
		rc = buf_add(b, &i, 1);
	return rc == 0 ? 0 : JB_INTERNAL;
}

static int
encode_binary(const EVP_PKEY *pkey, enum key_half half, struct buf *b)
{
	struct buf blob, priv;
	int rc = 0;

	buf_init(&blob, KEY_MAX);
	buf_init(&priv, KEY_MAX);
	rc |= host_key_blob(pkey, &blob);
	rc |= encode_private(pkey, half, &priv);
	rc |= buf_add(b, MAGIC, sizeof(MAGIC));
	rc |= wire_put_text(b, "none");
	rc |= wire_put_text(b, "none");
	rc |= wire_put_text(b, "");
	rc |= wire_put_u32(b, 1);
	rc |= wire_put_bytes(b, buf_ptr(&blob), buf_len(&blob));
	rc |= wire_put_bytes(b, buf_ptr(&priv), buf_len(&priv));
	buf_release(&priv);
	buf_release(&blob);
	return rc == 0 ? 0 : JB_INTERNAL;
}

int
host_key_encode(const EVP_PKEY *pkey, enum key_half half, struct buf *b)
{
	struct buf bin;
	char *b64 = NULL;
	int rc;

	buf_init(&bin, KEY_MAX);
	if ((rc = encode_binary(pkey, half, &bin)) != 0)
		goto out;
	b64 = base64_encode(buf_ptr(&bin), buf_len(&bin));
	rc |= buf_add(b, BEGIN, sizeof(BEGIN) - 1);
	for (size_t at = 0, n = strlen(b64); at < n; at += LINE) {
		rc |= buf_add(b, b64 + at, n - at < LINE ? n - at : LINE);
		rc |= buf_add(b, "\n", 1);
	}
	rc |= buf_add(b, END, sizeof(END) - 1);
	rc = rc == 0 ? 0 : JB_INTERNAL;
out:
	free_secret(b64);
	buf_release(&bin);
	return rc;
}
