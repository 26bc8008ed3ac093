/*
 * The host keys as libssh wants them: private keys with the real public half
 * and no secret.  Session zygote, and each session for its own connection.
 *
 * libssh takes one key of each type.  What it signs with them is a call of
 * EVP_DigestSign (sign.c), which only needs to know which key it is.
 */
#include "packets.h"
#include "session.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 65536 };

/* Clients ask no other server for unix sockets, nor tell it that they read no more. */
#define VERSION "OpenSSH_9.9 jumpbox"

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

static struct {
	enum ssh_keytypes_e type;
	int evp;    /* EVP_PKEY_* */
	int number; /* -1: no such key */
} kinds[] = {
	{ SSH_KEYTYPE_ED25519, EVP_PKEY_ED25519, -1 },
	{ SSH_KEYTYPE_RSA, EVP_PKEY_RSA, -1 },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static ssh_bind bound;

/* ---- loading ----------------------------------------------------------- */

static int
load_key(const char *file, int number, struct errtext *e)
{
	ssh_key key = NULL;
	int kind = 0, rc = 0;

	if (ssh_pki_import_privkey_base64(file, NULL, NULL, NULL, &key) != SSH_OK)
		return err_set(e, JB_INTERNAL, "host key %d cannot be used", number + 1);
	while (kind < KINDS && kinds[kind].type != ssh_key_type(key))
		kind++;
	if (kind < KINDS && kinds[kind].number >= 0) {
		log_warn("session.left_out", F_STR("what", "a second host key of the same type"),
		    F_NUM("key", number + 1));
	} else if (kind == KINDS ||
	    ssh_bind_options_set(bound, SSH_BIND_OPTIONS_IMPORT_KEY, key) != 0) {
		rc = err_set(e, JB_INTERNAL, "host key %d cannot be used", number + 1);
	} else {
		kinds[kind].number = number;
		return 0; /* the key is bound's */
	}
	ssh_key_free(key);
	return rc;
}

int
host_keys_load(int fd, struct errtext *e)
{
	char *text;
	size_t len;
	int number = 0, rc;

	if ((bound = host_keys_bind_new()) == NULL)
		return err_set(e, JB_INTERNAL, "libssh: no memory");
	if ((rc = read_fd(fd, 0, "host keys", KEYS_MAX, &text, &len, e)) != 0)
		return rc;
	for (const char *file = text; rc == 0 && file < text + len; file += strlen(file) + 1)
		rc = load_key(file, number++, e);
	if (rc == 0 && number == 0)
		rc = err_set(e, JB_INTERNAL, "there is no host key");
	free(text);
	return rc;
}

int
host_keys_index(int type)
{
	for (int i = 0; i < KINDS; i++)
		if (kinds[i].evp == type)
			return kinds[i].number;
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
		ssh_bind_options_set(b, SSH_BIND_OPTIONS_BANNER, VERSION) != 0 ||
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
	if (ssh != NULL) {
		ssh_set_blocking(ssh, 0);
		packets_watch(ssh);
	}
	return ssh;
}

ssh_session
host_keys_accept(int fd)
{
	return host_keys_bind_accept(bound, fd);
}
