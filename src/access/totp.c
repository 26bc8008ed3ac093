/*
 * The second factor: who must give it, and which codes are right.  Broker.
 *
 * A recovery code has 80 random bits, so that its hash needs neither salt nor
 * cost: nobody tries them all.
 */
#include "jumpbox/totp.h"

#include "jumpbox/util.h"

#include <ctype.h>
#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum {
	DIGITS = 6,
	STEP = 30,  /* seconds */
	WINDOW = 1, /* steps that the device's clock may be off, either way */
	RECOVERY_BYTES = 10,
	RECOVERY_CHARS = RECOVERY_BYTES * 8 / 5,
	RECOVERY_GROUP = 4,
	URL_FITS = 106, /* bytes in the largest QR code that 80x24 has room for, version 5 */
};

enum second_need
second_need(enum second_factor mode, bool exempt, const struct user *u)
{
	if (mode == SECOND_NEVER || exempt)
		return NEED_NOTHING;
	if (u->totp)
		return NEED_CODE;
	if (mode == SECOND_ALL || u->totp_required ||
	    (mode == SECOND_ADMINS && u->standing.role == ROLE_ADMIN))
		return NEED_ENROLMENT;
	return NEED_NOTHING;
}

/* ---- the secret -------------------------------------------------------- */

int
totp_new(uint8_t secret[TOTP_SECRET])
{
	return RAND_priv_bytes(secret, TOTP_SECRET) == 1 ? 0 : JB_INTERNAL;
}

static int
base32(const uint8_t *p, size_t n, char *out, size_t size)
{
	char *text = NULL;
	size_t len = 0;
	int r = JB_INTERNAL;

	if (oath_base32_encode((const char *)p, n, &text, &len) == OATH_OK && len < size) {
		memcpy(out, text, len);
		out[len] = '\0';
		r = 0;
	}
	free_secret(text);
	return r;
}

int
totp_text(const uint8_t secret[TOTP_SECRET], char out[static TOTP_TEXT])
{
	return base32(secret, TOTP_SECRET, out, TOTP_TEXT);
}

/* For a URL: whatever is not a plain character is written as %XX. */
static void
escape(const char *s, char *out, size_t size)
{
	size_t n = 0;

	for (; *s != '\0' && n + 4 <= size; s++) {
		if (isascii((unsigned char)*s) && (isalnum((unsigned char)*s) || strchr("._-", *s)))
			out[n++] = *s;
		else
			n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned char)*s);
	}
	out[n] = '\0';
}

/* The issuer stands in it twice, for old apps, unless that makes it too long. */
int
totp_url(const uint8_t secret[TOTP_SECRET], const char *issuer, const char *user,
    char out[static TOTP_URL])
{
	char text[TOTP_TEXT], who[100], name[100];
	int r = totp_text(secret, text);

	if (r == 0) {
		escape(issuer, who, sizeof(who));
		escape(user, name, sizeof(name));
		if (snprintf(out, TOTP_URL, "otpauth://totp/%s:%s?secret=%s&issuer=%s", who, name,
			text, who) > URL_FITS)
			snprintf(out, TOTP_URL, "otpauth://totp/%s?secret=%s&issuer=%s", name, text,
			    who);
	}
	wipe(text, sizeof(text));
	return r;
}

/* ---- one-time codes ----------------------------------------------------- */

/* The digits alone, at most size - 1 of them; false: something else is in it. */
static bool
digits_of(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		if (*text < '0' || *text > '9' || n == size - 1)
			return false;
		out[n++] = *text;
	}
	out[n] = '\0';
	return n == size - 1;
}

bool
totp_is_code(const char *text)
{
	char digits[DIGITS + 1];
	bool is = digits_of(text, digits, sizeof(digits));

	wipe(digits, sizeof(digits));
	return is;
}

int
totp_match(const struct totp *t, int64_t now, const char *code, int64_t *counter)
{
	char typed[DIGITS + 1], want[DIGITS + 1];
	int r = JB_DENIED;

	if (oath_init() != OATH_OK || !digits_of(code, typed, sizeof(typed)))
		return r;
	for (int64_t at = now / STEP - WINDOW; at <= now / STEP + WINDOW; at++) {
		if (oath_hotp_generate((const char *)t->secret, TOTP_SECRET, (uint64_t)at, DIGITS,
			false, OATH_HOTP_DYNAMIC_TRUNCATION, want) != OATH_OK ||
		    CRYPTO_memcmp(want, typed, sizeof(want)) != 0)
			continue;
		if (at <= t->last) {
			r = JB_EXISTS;
			continue; /* two steps may have the same code */
		}
		*counter = at;
		r = 0;
		break;
	}
	wipe(want, sizeof(want));
	wipe(typed, sizeof(typed));
	return r;
}

/* ---- recovery codes ------------------------------------------------------ */

static int
digest(const char text[static RECOVERY_CHARS], uint8_t hash[RECOVERY_HASH])
{
	return EVP_Digest(text, RECOVERY_CHARS, hash, NULL, EVP_sha256(), NULL) == 1 ? 0
										     : JB_INTERNAL;
}

int
recovery_new(char text[static RECOVERY_TEXT], uint8_t hash[RECOVERY_HASH])
{
	uint8_t random[RECOVERY_BYTES];
	char plain[RECOVERY_CHARS + 1] = "";
	size_t n = 0;
	int r = JB_INTERNAL;

	if (RAND_priv_bytes(random, sizeof(random)) == 1)
		r = base32(random, sizeof(random), plain, sizeof(plain));
	if (r == 0)
		r = digest(plain, hash);
	for (int i = 0; i < RECOVERY_CHARS && r == 0; i++) {
		if (i > 0 && i % RECOVERY_GROUP == 0)
			text[n++] = '-';
		text[n++] = (char)tolower((unsigned char)plain[i]);
	}
	text[n] = '\0';
	wipe(random, sizeof(random));
	wipe(plain, sizeof(plain));
	return r;
}

int
recovery_hash(const char *text, uint8_t hash[RECOVERY_HASH])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char plain[RECOVERY_CHARS];
	size_t n = 0;
	int r = 0;

	for (; *text != '\0' && r == 0; text++) {
		if (*text == ' ' || *text == '-')
			continue;
		if (n == sizeof(plain) || strchr(alphabet, toupper((unsigned char)*text)) == NULL)
			r = JB_DENIED;
		else
			plain[n++] = (char)toupper((unsigned char)*text);
	}
	if (r == 0)
		r = n == sizeof(plain) ? digest(plain, hash) : JB_DENIED;
	wipe(plain, sizeof(plain));
	return r;
}
