/*
 * The server's private keys: made at first start, read by each broker, used
 * to sign exchange hashes.  Broker and jumpboxctl.  A key never leaves the
 * process, and every buffer that held one is wiped.
 */
#include "access.h"
#include "jumpbox/buf.h"
#include "jumpbox/keys.h"
#include "jumpbox/proto.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RSA_BITS = 3072, WRITE_MS = 10000 };

struct host_key {
	EVP_PKEY *pkey;
};

/* ---- reading ------------------------------------------------------------ */

static int
check_file(int fd, const char *path, struct errtext *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(e, JB_CONFIG, "host key %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, JB_CONFIG, "host key %s is not a file", path);
	if (st.st_uid != geteuid())
		return err_set(e, JB_CONFIG,
		    "host key %s belongs to uid %u, not to the uid %u that reads it: change its "
		    "owner",
		    path, (unsigned)st.st_uid, (unsigned)geteuid());
	if (st.st_mode & 077)
		return err_set(e, JB_CONFIG,
		    "host key %s is open to others (mode %03o): chmod 600 it, or make a new one if "
		    "someone may have read it",
		    path, (unsigned)st.st_mode & 0777);
	return 0;
}

int
host_key_load(const char *path, struct host_key **k, struct errtext *e)
{
	struct errtext unread;
	EVP_PKEY *pkey;
	const char *why;
	char *text;
	size_t n;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(e, JB_CONFIG, "cannot read host key %s: %s", path, strerror(errno));
	rc = check_file(fd, path, e);
	if (rc == 0 && read_fd(fd, FROM_HERE, path, HOST_KEY_FILE_MAX, &text, &n, &unread) != 0)
		rc = err_set(e, JB_CONFIG, "host key %s", unread.s);
	close(fd);
	if (rc != 0)
		return rc;
	pkey = host_key_decode(text, n, &why);
	wipe(text, n);
	free(text);
	if (!pkey)
		return err_set(e, JB_CONFIG, "host key %s %s", path, why);
	*k = xcalloc(1, sizeof(**k));
	(*k)->pkey = pkey;
	return 0;
}

void
host_key_free(struct host_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey); /* wipes the private numbers */
	free(k);
}

int
host_key_public(const struct host_key *k, struct buf *text)
{
	return host_key_encode(k->pkey, KEY_PUBLIC, text);
}

/* ---- making ------------------------------------------------------------- */

static EVP_PKEY *
make_key(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strstr(name, "ed25519"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (strstr(name, "rsa"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	return NULL;
}

static void
sync_directory(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

/*
 * Under a name of its own first, so that PATH is never there half written,
 * and linked into place, so that PATH is never overwritten.
 */
static int
write_new(const char *path, const struct buf *text, struct errtext *e)
{
	char *tmp = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(tmp, O_CLOEXEC); /* 0600 */
	int rc = 0;

	if (fd < 0 || write_all(fd, buf_ptr(text), buf_len(text), WRITE_MS) != 0 ||
	    fsync(fd) != 0 || link(tmp, path) != 0)
		rc = err_set(e, errno == EEXIST ? JB_EXISTS : JB_CONFIG,
		    "cannot make host key %s: %s", path, strerror(errno));
	if (fd >= 0) {
		unlink(tmp);
		close(fd);
		sync_directory(path);
	}
	free(tmp);
	return rc;
}

int
host_key_generate(const char *path, struct errtext *e)
{
	struct buf text;
	EVP_PKEY *pkey;
	int rc;

	if (access(path, F_OK) == 0)
		return err_set(e, JB_EXISTS, "host key %s is already there", path);
	if (!(pkey = make_key(path)))
		return err_set(e, JB_CONFIG,
		    "cannot make host key %s: its name must contain ed25519 or rsa, to say its "
		    "type",
		    path);
	buf_init(&text, HOST_KEY_FILE_MAX);
	rc = host_key_encode(pkey, KEY_WHOLE, &text);
	rc = rc == 0 ? write_new(path, &text, e)
		     : err_set(e, rc, "cannot make host key %s: out of memory", path);
	buf_release(&text);
	EVP_PKEY_free(pkey);
	return rc;
}

/* ---- signing ------------------------------------------------------------ */

/* clang-format off */
static const struct {
	bool rsa;
	unsigned digest;
	const char *name;
} allowed[] = {
	{ false, DIGEST_NONE,   NULL     },
	{ true,  DIGEST_SHA256, "SHA256" },
	{ true,  DIGEST_SHA512, "SHA512" },
};
/* clang-format on */

/* An exchange hash, and nothing else: SHA-256, SHA-384 or SHA-512 by the key exchange. */
static bool
is_exchange_hash(size_t n)
{
	return n == 32 || n == 48 || n == 64;
}

int
host_key_sign(const struct host_key *k, unsigned digest, const uint8_t *data, size_t n,
    uint8_t *sig, size_t *sig_len)
{
	EVP_MD_CTX *ctx;
	size_t i = 0, need = (size_t)EVP_PKEY_get_size(k->pkey);
	int rc = JB_INTERNAL;

	while (i < sizeof(allowed) / sizeof(allowed[0]) &&
	    (allowed[i].rsa != host_key_is_rsa(k->pkey) || allowed[i].digest != digest))
		i++;
	if (i == sizeof(allowed) / sizeof(allowed[0]) || !is_exchange_hash(n) || *sig_len < need)
		return JB_DENIED;
	if ((ctx = EVP_MD_CTX_new()) &&
	    EVP_DigestSignInit_ex(ctx, NULL, allowed[i].name, NULL, NULL, k->pkey, NULL) == 1 &&
	    EVP_DigestSign(ctx, sig, sig_len, data, n) == 1)
		rc = 0;
	EVP_MD_CTX_free(ctx);
	return rc;
}
