/*
 * SSH public keys and signatures as bytes, over libcrypto.  Broker and
 * jumpboxctl; pure but for host_key_*.
 */
#ifndef JUMPBOX_KEYS_H
#define JUMPBOX_KEYS_H

#include "jumpbox/errors.h"

#include <stddef.h>
#include <stdint.h>

/* One "ssh-ed25519 AAAA... comment" line (options and certificates are refused). Strings are
 * malloc'd. */
struct pubkey {
	char *algorithm, *base64, *comment;
	uint8_t *blob;
	size_t blob_len;
	char fingerprint[64]; /* SHA256:... */
};
int pubkey_parse(const char *line, struct pubkey *k, struct errtext *e);
void pubkey_release(struct pubkey *k);
int pubkey_fingerprint(const uint8_t *blob, size_t n, char *out, size_t size);

/*
 * A user's signature over an SSH authentication request (RFC 4252 section 7).
 * tbs is parsed here: session id, user, service, algorithm and key come out of
 * it, and the signature (raw ed25519 and RSA, DER for ecdsa, as libcrypto takes
 * it) is verified with that very key.  Allowed: ed25519, ecdsa nistp256/384/521,
 * rsa-sha2-256/512 of at least 2048 bits.
 */
struct auth_request {
	const uint8_t *session_id;
	size_t session_id_len;
	char user[257];
	char algorithm[64];
	const uint8_t *blob; /* points into tbs */
	size_t blob_len;
};
int auth_request_parse(const uint8_t *tbs, size_t n, struct auth_request *r);
/* 0: good.  JB_DENIED: a bad signature.  JB_BAD_INPUT: an algorithm or key that is not allowed. */
int auth_request_verify(
    const struct auth_request *r, const uint8_t *tbs, size_t n, const uint8_t *sig, size_t sig_len);

/* ---- host keys -------------------------------------------------------- */

struct host_key; /* a private key in memory; wiped when freed */
struct buf;

enum { HOST_KEY_FILE_MAX = 32 * 1024 };

/* Reads a PEM/OpenSSH private key file: JB_CONFIG and what to do when unreadable, damaged, too
 * open, too small, with a passphrase, or not owned by the reader (its effective uid). */
int host_key_load(const char *path, struct host_key **k, struct errtext *e);
/* Makes PATH (0600, whole or not at all): "ed25519" or "rsa" by the file's name.  JB_EXISTS if it
 * is there. */
int host_key_generate(const char *path, struct errtext *e);
void host_key_free(struct host_key *k);
/* The text of a private key file with the real public half and no secret. */
int host_key_public(const struct host_key *k, struct buf *text);
/*
 * Signs an exchange hash (32, 48 or 64 bytes).  digest as enum proto_digest:
 * none for ed25519, SHA-256 or SHA-512 for RSA.  *sig_len is the room in sig
 * (2048 is enough for any key), then the length.  JB_DENIED for anything else.
 */
int host_key_sign(const struct host_key *k, unsigned digest, const uint8_t *data, size_t n,
    uint8_t *sig, size_t *sig_len);

#endif
