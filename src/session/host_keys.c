/*
 * The host keys as libssh wants them: private key files that hold the real
 * public half and no secret.  Session zygote, and each session for its own
 * connection.
 *
 * libssh takes one key of each type.  What it signs with them is a call of
 * EVP_DigestSign (sign.c), which only needs to know which key it is.
 */
#include "session.h"

#include "jumpbox/buf.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS_MAX = 65536, BLOB_MAX = 4096, FILE_MAX = 16384 };

/* What the broker verifies; it advertises them to the client, too. */
#define USER_ALGORITHMS                                                            \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," \
	"rsa-sha2-512,rsa-sha2-256"
#define HOST_ALGORITHMS "ssh-ed25519,rsa-sha2-512,rsa-sha2-256"
/* No group exchange: it reads a file of groups. */
#define KEY_EXCHANGE                                                                            \
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384," \
	"ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"       \
	"diffie-hellman-group14-sha256"

static void put_ed25519(struct buf *b, const uint8_t *blob, size_t n);
static void put_rsa(struct buf *b, const uint8_t *blob, size_t n);

static struct {
	const char *name;
	int type; /* EVP_PKEY_* */
	void (*put)(struct buf *, const uint8_t *blob, size_t n);
	int line; /* -1: no such key */
} kinds[] = {
	{ "ssh-ed25519", EVP_PKEY_ED25519, put_ed25519, -1 },
	{ "ssh-rsa", EVP_PKEY_RSA, put_rsa, -1 },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static ssh_bind bound;

/* ---- the key file ------------------------------------------------------ */

static void
put_u32(struct buf *b, uint32_t v)
{
	uint8_t p[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	if (buf_add(b, p, sizeof(p)) != 0)
		fatal(JB_INTERNAL, "a host key does not fit");
}

static void
put_bytes(struct buf *b, const void *p, size_t n)
{
	put_u32(b, (uint32_t)n);
	if (buf_add(b, p, n) != 0)
		fatal(JB_INTERNAL, "a host key does not fit");
}

static void
put_str(struct buf *b, const char *s)
{
	put_bytes(b, s, strlen(s));
}

/* The field (string or mpint) that *at points to; NULL if there is none. */
static const uint8_t *
field(const uint8_t **at, const uint8_t *end, size_t *n)
{
	const uint8_t *p = *at;

	if (p == NULL || end - p < 4)
		return *at = NULL;
	*n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (*n > (size_t)(end - p) - 4)
		return *at = NULL;
	*at = p + 4 + *n;
	return p + 4;
}

/* string type, string public(32); private: ..., string seed(32) + public(32), the seed zero */
static void
put_ed25519(struct buf *b, const uint8_t *blob, size_t n)
{
	uint8_t secret[64] = { 0 };
	const uint8_t *at = blob, *pub;
	size_t len;

	field(&at, blob + n, &len);
	pub = field(&at, blob + n, &len);
	if (pub == NULL || len != 32)
		return;
	memcpy(secret + 32, pub, 32);
	put_str(b, "ssh-ed25519");
	put_bytes(b, pub, len);
	put_bytes(b, secret, sizeof(secret));
}

/* string type, mpint e, mpint n; private: string type, n, e, d, iqmp, p, q, the last four 3 */
static void
put_rsa(struct buf *b, const uint8_t *blob, size_t n)
{
	static const uint8_t three[] = { 3 };
	const uint8_t *at = blob, *e, *modulus;
	size_t elen, mlen;

	field(&at, blob + n, &elen);
	e = field(&at, blob + n, &elen);
	modulus = field(&at, blob + n, &mlen);
	if (modulus == NULL)
		return;
	put_str(b, "ssh-rsa");
	put_bytes(b, modulus, mlen);
	put_bytes(b, e, elen);
	for (int i = 0; i < 4; i++)
		put_bytes(b, three, sizeof(three));
}

/* OpenSSH's private key format, not encrypted, in PEM armour; NULL: the blob is malformed. */
static char *
key_file(int kind, const uint8_t *blob, size_t n)
{
	static const char magic[] = "openssh-key-v1";
	struct buf file, secret;
	uint8_t pad = 1;
	char *base64, *pem = NULL;

	buf_init(&file, FILE_MAX);
	buf_init(&secret, FILE_MAX / 2);
	put_u32(&secret, 0); /* the check number, twice */
	put_u32(&secret, 0);
	kinds[kind].put(&secret, blob, n);
	if (buf_len(&secret) == 8)
		goto out;
	put_str(&secret, ""); /* comment */
	for (; buf_len(&secret) % 8 != 0; pad++)
		if (buf_add(&secret, &pad, 1) != 0)
			goto out;
	if (buf_add(&file, magic, sizeof(magic)) != 0)
		goto out;
	put_str(&file, "none");
	put_str(&file, "none");
	put_str(&file, "");
	put_u32(&file, 1);
	put_bytes(&file, blob, n);
	put_bytes(&file, buf_ptr(&secret), buf_len(&secret));
	base64 = xcalloc(buf_len(&file) * 4 / 3 + 8, 1);
	EVP_EncodeBlock((uint8_t *)base64, buf_ptr(&file), (int)buf_len(&file));
	pem = xasprintf("-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n"
			"-----END OPENSSH PRIVATE KEY-----\n",
	    base64);
	free(base64);
out:
	buf_release(&file);
	buf_release(&secret);
	return pem;
}

/* ---- loading ----------------------------------------------------------- */

/* Length of the bytes, or -1. */
static int
decode(const char *base64, uint8_t *blob, size_t size)
{
	size_t n = strlen(base64);
	int len;

	if (n < 4 || n / 4 * 3 > size)
		return -1;
	len = EVP_DecodeBlock(blob, (const uint8_t *)base64, (int)n);
	return len < 3 ? -1 : len - (base64[n - 1] == '=') - (base64[n - 2] == '=');
}

static int
import(int kind, const char *base64)
{
	uint8_t blob[BLOB_MAX];
	int n = decode(base64, blob, sizeof(blob)), rc = -1;
	char *pem = n < 0 ? NULL : key_file(kind, blob, (size_t)n);
	ssh_key key = NULL;

	if (pem != NULL && ssh_pki_import_privkey_base64(pem, NULL, NULL, NULL, &key) == SSH_OK)
		rc = ssh_bind_options_set(bound, SSH_BIND_OPTIONS_IMPORT_KEY, key);
	if (rc != 0)
		ssh_key_free(key);
	free(pem);
	return rc;
}

/* One "type base64 [comment]" line. */
static int
load_line(char *text, int line, struct errtext *e)
{
	char *save, *name = strtok_r(text, " ", &save), *base64 = strtok_r(NULL, " ", &save);
	int kind = 0;

	while (kind < KINDS && (name == NULL || strcmp(kinds[kind].name, name) != 0))
		kind++;
	if (kind == KINDS || base64 == NULL)
		return err_set(e, JB_INTERNAL, "host key %d is of an unknown type", line + 1);
	if (kinds[kind].line >= 0) {
		log_warn("session.left_out", F_STR("what", "a second host key of the same type"),
		    F_NUM("key", line + 1));
		return 0;
	}
	if (import(kind, base64) != 0)
		return err_set(e, JB_INTERNAL, "host key %d cannot be used", line + 1);
	kinds[kind].line = line;
	return 0;
}

static int
read_keys(int fd, char *text, size_t size, struct errtext *e)
{
	size_t len = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE)
		return err_set(e, JB_INTERNAL, "host keys: %s", strerror(errno));
	while ((n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0 || len == size - 1)
		return err_set(e, JB_INTERNAL, "host keys cannot be read");
	text[len] = '\0';
	return 0;
}

int
host_keys_load(int fd, struct errtext *e)
{
	static char text[KEYS_MAX];
	char *save, *s;
	int line = 0, rc;

	if ((rc = read_keys(fd, text, sizeof(text), e)) != 0)
		return rc;
	if ((bound = host_keys_bind_new()) == NULL)
		return err_set(e, JB_INTERNAL, "libssh: no memory");
	for (s = strtok_r(text, "\n", &save); s != NULL; s = strtok_r(NULL, "\n", &save))
		if ((rc = load_line(s, line++, e)) != 0)
			return rc;
	return line > 0 ? 0 : err_set(e, JB_INTERNAL, "there is no host key");
}

int
host_keys_index(int type)
{
	for (int i = 0; i < KINDS; i++)
		if (kinds[i].type == type)
			return kinds[i].line;
	return -1;
}

/* ---- sessions ---------------------------------------------------------- */

ssh_bind
host_keys_bind_new(void)
{
	ssh_bind b = ssh_bind_new();
	bool no_files = false;
	int bits = 2048;

	if (b != NULL &&
	    (ssh_bind_options_set(b, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no_files) != 0 ||
		ssh_bind_options_set(b, SSH_BIND_OPTIONS_RSA_MIN_SIZE, &bits) != 0 ||
		ssh_bind_options_set(b, SSH_BIND_OPTIONS_KEY_EXCHANGE, KEY_EXCHANGE) != 0 ||
		ssh_bind_options_set(b, SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, HOST_ALGORITHMS) !=
		    0 ||
		ssh_bind_options_set(
		    b, SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, USER_ALGORITHMS) != 0)) {
		ssh_bind_free(b);
		b = NULL;
	}
	return b;
}

ssh_session
host_keys_bind_accept(ssh_bind b, int fd)
{
	ssh_session ssh = ssh_new();

	if (ssh != NULL &&
	    (ssh_bind_accept_fd(b, ssh, fd) != SSH_OK ||
		ssh_options_set(ssh, SSH_OPTIONS_COMPRESSION, "no") != 0)) {
		ssh_free(ssh);
		ssh = NULL;
	}
	if (ssh != NULL)
		ssh_set_blocking(ssh, 0);
	return ssh;
}

ssh_session
host_keys_accept(int fd)
{
	return host_keys_bind_accept(bound, fd);
}
