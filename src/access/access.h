/* What the files of src/access share among themselves and with nobody else. */
#ifndef ACCESS_H
#define ACCESS_H

#include "jumpbox/argon2_cost.h"
#include "jumpbox/policy.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <stdbool.h>

/* ---- selector.c ------------------------------------------------------- */

/* A container's labels, parsed when the first label: selector asks, once a decision. */
struct labels {
	json_t *object; /* NULL until asked for, or when the text is not a JSON object */
	bool parsed;
};
void labels_release(struct labels *l);

/* Does the selector cover this container?  A malformed selector covers nothing. */
bool selector_match(const char *selector, const struct facts *f, struct labels *l);

/* ---- hash_slot.c ------------------------------------------------------ */

/*
 * Waits for one of the machine's hash slots below run_dir and takes it: *slot
 * is a descriptor, and closing it gives the slot back.  run_dir NULL: -1, and
 * nothing to wait for.  JB_TRY_AGAIN when none came free in time.
 */
int hash_slot_take(const char *run_dir, int *slot, struct errtext *e);
void hash_slot_give(int slot);

/* ---- argon2_hash.c, crypt_hash.c: one kind of hash each ---------------- */

bool argon2_is(const char *hash);
int argon2_cost_of(const char *hash, struct argon2_cost *c, struct errtext *e);
int argon2_make(
    const struct argon2_cost *c, const char *password, char *out, size_t size, struct errtext *e);
bool argon2_matches(const char *hash, const char *password);
/* Spends the time of one run and forgets the result. */
void argon2_spend(const struct argon2_cost *c, const char *password);

int crypt_hash_check(const char *hash, struct errtext *e);
bool crypt_hash_matches(const char *hash, const char *password);

/* ---- key_blob.c ------------------------------------------------------- */

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 16384 };

/* "ssh-ed25519", "ssh-rsa", ...: the types of key that are accepted. */
bool key_type_known(const char *type);
/*
 * The public key of an SSH blob ("string type, ..."), every byte used.  NULL
 * and the reason in *why if it is not of this type, the type is not accepted,
 * or the key is malformed or RSA of a refused size.
 */
EVP_PKEY *key_blob_decode(const uint8_t *blob, size_t n, const char *type, const char **why);

/* ---- base64.c --------------------------------------------------------- */

/* Base64 of n bytes, malloc'd. */
char *base64_encode(const uint8_t *p, size_t n);
/* Strict base64: length, alphabet and padding as RFC 4648 has them.  JB_BAD_INPUT otherwise. */
int base64_decode(const char *s, size_t len, uint8_t **p, size_t *n);

/* ---- host_key_file.c: texts of key files --------------- */

struct buf;

/* The private key in the text of a key file, n bytes and a NUL; NULL and *why ("is damaged ...") otherwise. */
EVP_PKEY *host_key_decode(const char *text, size_t n, const char **why);
/*
 * The text of an unencrypted OpenSSH private key file into b.  With the public
 * half alone the secret numbers are 0 (ed25519) or 3 (RSA).
 */
enum key_half { KEY_WHOLE, KEY_PUBLIC };
int host_key_encode(const EVP_PKEY *pkey, enum key_half half, struct buf *b);

/* ---- host_key_parts.c ------------------------------------------------- */

/* The numbers of an RSA key; the last two follow from the others. */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_IQMP, RSA_DP, RSA_DQ, RSA_PARTS };

bool host_key_is_rsa(const EVP_PKEY *pkey);
/* From all numbers but RSA_DP and RSA_DQ, which it fills in; NULL if they are not of one key. */
EVP_PKEY *rsa_assemble(BIGNUM *part[static RSA_PARTS]);
/* The numbers of a private key, NULL where there is none; rsa_parts_free() wipes them. */
void rsa_parts(const EVP_PKEY *pkey, BIGNUM *part[static RSA_PARTS]);
void rsa_parts_free(BIGNUM *part[static RSA_PARTS]);
/* The numbers are those of one key. */
bool rsa_consistent(BIGNUM *const part[static RSA_PARTS]);
/* The SSH blob of the public half. */
int host_key_blob(const EVP_PKEY *pkey, struct buf *b);
int wire_put_bignum(struct buf *b, const BIGNUM *n);

/* `before`, and behind it the HOST:PORT of the text's forward items, with blanks between; malloc'd. */
char *allow_forwards(const char *s, const char *before);

#endif
