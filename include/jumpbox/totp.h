/*
 * The second factor: who must give it, what a right code is (RFC 6238 as all
 * apps have it: SHA-1, 6 digits, 30 seconds), and recovery codes.  The clock
 * is the caller's, the only other input is the random generator.
 */
#ifndef JUMPBOX_TOTP_H
#define JUMPBOX_TOTP_H

#include "jumpbox/config.h"
#include "jumpbox/errors.h"
#include "jumpbox/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TOTP_TEXT = TOTP_SECRET * 8 / 5 + 1,
	TOTP_URL = 512,
	RECOVERY_TEXT = 20, /* "abcd-efgh-ijkl-mnop" */
};

enum second_need { NEED_NOTHING, NEED_CODE, NEED_ENROLMENT };

/* exempt: by the source. */
enum second_need second_need(enum second_factor mode, bool exempt, const struct user *u);

int totp_new(uint8_t secret[TOTP_SECRET]);
/* As a person types it into an app, base32; and as the app reads it from a picture. */
int totp_text(const uint8_t secret[TOTP_SECRET], char out[static TOTP_TEXT]);
int totp_url(const uint8_t secret[TOTP_SECRET], const char *issuer, const char *user,
    char out[static TOTP_URL]);

/* It has the form of a one-time code: anything else may be a recovery code. */
bool totp_is_code(const char *text);
/*
 * 0 and its counter: it is the code of now, or of the step before or after,
 * and younger than the last.  JB_EXISTS: it was right, but it or a younger one
 * was used.  JB_DENIED.
 */
int totp_match(const struct totp *t, int64_t now, const char *code, int64_t *counter);

int recovery_new(char text[static RECOVERY_TEXT], uint8_t hash[RECOVERY_HASH]);
/* Of what was typed: case, blanks and dashes do not matter.  JB_DENIED: it cannot be one. */
int recovery_hash(const char *text, uint8_t hash[RECOVERY_HASH]);

#endif
