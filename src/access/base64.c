/* Base64 (RFC 4648 section 4), strictly: keys are compared as text.  Pure.  Broker and jumpboxctl.
 */
#include "access.h"
#include "jumpbox/util.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

char *
base64_encode(const uint8_t *p, size_t n)
{
	char *s = xcalloc((n + 2) / 3 * 4 + 1, 1);

	EVP_EncodeBlock((unsigned char *)s, p, (int)n);
	return s;
}

/* Encoding again must give the same text: that refuses blanks, stray bits and misplaced padding. */
int
base64_decode(const char *s, size_t len, uint8_t **p, size_t *n)
{
	uint8_t *data;
	char *again;
	size_t got;
	bool same;

	if (len == 0 || len % 4 != 0 || len > INT_MAX / 2)
		return JB_BAD_INPUT;
	data = xcalloc(len / 4 * 3, 1);
	if (EVP_DecodeBlock(data, (const unsigned char *)s, (int)len) < 0) {
		free(data);
		return JB_BAD_INPUT;
	}
	got = len / 4 * 3 - (s[len - 1] == '=') - (s[len - 2] == '=');
	again = base64_encode(data, got);
	same = strlen(again) == len && memcmp(again, s, len) == 0;
	free_secret(again);
	if (!same) {
		wipe(data, len / 4 * 3);
		free(data);
		return JB_BAD_INPUT;
	}
	*p = data;
	*n = got;
	return 0;
}
