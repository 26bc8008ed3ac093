/*
 * Does a file hold a certificate or a private key, and do the two belong
 * together?  jumpboxctl, before a node is stored: a mistake found here is not
 * found by the first person who connects.
 */
#include "pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

/* A node's key is used unattended: never ask for a passphrase. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static X509 *
read_cert(const char *text)
{
	BIO *b = BIO_new_mem_buf(text, -1);
	X509 *x = b != NULL ? PEM_read_bio_X509(b, NULL, no_passphrase, NULL) : NULL;

	BIO_free(b);
	ERR_clear_error();
	return x;
}

/* The memory BIO only points into text, and the key is wiped by libcrypto. */
static EVP_PKEY *
read_key(const char *text)
{
	BIO *b = BIO_new_mem_buf(text, -1);
	EVP_PKEY *k = b != NULL ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;

	BIO_free(b);
	ERR_clear_error();
	return k;
}

static int
check_cert(const char *setting, const char *text, struct errtext *e)
{
	X509 *x = read_cert(text);

	if (x == NULL)
		return err_set(e, JB_BAD_INPUT,
		    "%s: no certificate in PEM form (-----BEGIN CERTIFICATE-----) in it", setting);
	X509_free(x);
	return 0;
}

static int
check_key(const char *text, struct errtext *e)
{
	EVP_PKEY *k = read_key(text);

	if (k == NULL)
		return err_set(
		    e, JB_BAD_INPUT, "key: no private key in PEM form without a passphrase in it");
	EVP_PKEY_free(k);
	return 0;
}

int64_t
pem_expiry(const char *text)
{
	X509 *x = read_cert(text);
	struct tm at = { .tm_year = 0 };
	int64_t expires = 0;

	if (x != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(x), &at) == 1)
		expires = timegm(&at);
	X509_free(x);
	return expires;
}

int
pem_check(const char *setting, const char *text, struct errtext *e)
{
	return strcmp(setting, "key") == 0 ? check_key(text, e) : check_cert(setting, text, e);
}

int
pem_check_pair(const char *cert, const char *key, struct errtext *e)
{
	X509 *x = read_cert(cert);
	EVP_PKEY *k = read_key(key);
	int same = x != NULL && k != NULL && X509_check_private_key(x, k) == 1;

	ERR_clear_error();
	X509_free(x);
	EVP_PKEY_free(k);
	return same ? 0 : err_set(e, JB_BAD_INPUT, "the key does not belong to the certificate");
}
