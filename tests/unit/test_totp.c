/*
 * The second factor: who must give it, which codes are right and when, and
 * what a recovery code is.
 */
#include "jumpbox/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 6238, appendix B: its secret for SHA-1, and the last six digits of its codes. */
static const struct totp rfc = { .secret = "12345678901234567890" };

static const struct {
	int64_t now;
	const char *code;
} vectors[] = {
	{ 59, "287082" },
	{ 1111111109, "081804" },
	{ 1111111111, "050471" },
	{ 1234567890, "005924" },
	{ 2000000000, "279037" },
	{ 20000000000, "353130" },
};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static void
codes_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		int64_t counter = -1;

		assert_int_equal(totp_match(&rfc, vectors[i].now, vectors[i].code, &counter), 0);
		assert_int_equal(counter, vectors[i].now / 30);
	}
}

static void
a_step_either_way_and_no_more(void **state)
{
	static const struct {
		int64_t off;
		int want;
	} cases[] = { { -60, JB_DENIED }, { -30, 0 }, { 0, 0 }, { 30, 0 }, { 60, JB_DENIED } };
	int64_t counter;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		counter = -1;
		assert_int_equal(
		    totp_match(&rfc, 1234567890 + cases[i].off, "005924", &counter), cases[i].want);
		assert_int_equal(counter, cases[i].want == 0 ? 1234567890 / 30 : -1);
	}
}

static void
used_codes_and_older_ones_are_told_apart_from_wrong_ones(void **state)
{
	struct totp t = rfc;
	int64_t counter = -1;

	(void)state;
	t.last = 1234567890 / 30;
	assert_int_equal(totp_match(&t, 1234567890, "005924", &counter), JB_EXISTS);
	assert_int_equal(totp_match(&t, 1234567890, "005925", &counter), JB_DENIED);
	t.last++;
	assert_int_equal(totp_match(&t, 1234567890, "005924", &counter), JB_EXISTS);
	t.last -= 2;
	assert_int_equal(counter, -1);
	assert_int_equal(totp_match(&t, 1234567890, "005924", &counter), 0);
}

static void
what_has_the_form_of_a_code(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{ "005924", true },
		{ "005 924", true },
		{ " 005924 ", true },
		{ "", false },
		{ "05924", false },
		{ "0059245", false },
		{ "00592a", false },
		{ "-05924", false },
		{ "\xd9\xa0\xd9\xa0\xd9\xa0", false }, /* digits, but not these */
		{ "abcd-efgh-ijkl-mnop", false },
	};
	int64_t counter;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(totp_is_code(cases[i].text), cases[i].is);
		assert_int_equal(totp_match(&rfc, 1234567890, cases[i].text, &counter),
		    cases[i].is ? 0 : JB_DENIED);
	}
}

/* ---- the secret ------------------------------------------------------------------ */

static void
secrets_differ_and_read_as_base32(void **state)
{
	uint8_t a[TOTP_SECRET], b[TOTP_SECRET];
	char text[TOTP_TEXT], url[TOTP_URL];

	(void)state;
	assert_int_equal(totp_new(a), 0);
	assert_int_equal(totp_new(b), 0);
	assert_memory_not_equal(a, b, TOTP_SECRET);
	assert_int_equal(totp_text(rfc.secret, text), 0);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	assert_int_equal(totp_url(rfc.secret, "::1/a b", "alice", url), 0);
	assert_string_equal(url,
	    "otpauth://totp/%3A%3A1%2Fa%20b:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "&issuer=%3A%3A1%2Fa%20b");
	/* As much as fits into 80x24 says it twice. */
	assert_int_equal(totp_url(rfc.secret, "gpu.example.com.cn", "alice1", url), 0);
	assert_int_equal(strlen(url), 106);
	assert_non_null(strstr(url, "/gpu.example.com.cn:alice1?"));
	assert_int_equal(totp_url(rfc.secret, "gpu.example.com.cn", "alice12", url), 0);
	assert_string_equal(url,
	    "otpauth://totp/"
	    "alice12?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=gpu.example.com.cn");
}

/* ---- recovery codes --------------------------------------------------------------- */

static void
recovery_codes_are_known_again_as_they_may_be_typed(void **state)
{
	char text[RECOVERY_TEXT], other[RECOVERY_TEXT], typed[64] = "  ";
	uint8_t hash[RECOVERY_HASH], again[RECOVERY_HASH];
	size_t n = 2;

	(void)state;
	assert_int_equal(recovery_new(text, hash), 0);
	assert_int_equal(recovery_new(other, again), 0);
	assert_string_not_equal(text, other);
	assert_memory_not_equal(hash, again, RECOVERY_HASH);
	assert_int_equal(strlen(text), RECOVERY_TEXT - 1);
	assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz234567-"), RECOVERY_TEXT - 1);
	assert_int_equal(recovery_hash(text, again), 0);
	assert_memory_equal(hash, again, RECOVERY_HASH);
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '-')
			typed[n++] = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
	assert_int_equal(recovery_hash(typed, again), 0);
	assert_memory_equal(hash, again, RECOVERY_HASH);
}

static void
what_cannot_be_a_recovery_code(void **state)
{
	static const char *const texts[] = { "", "005924", "abcd-efgh-ijkl-mno",
		"abcd-efgh-ijkl-mnopq", "abcd-efgh-ijkl-mn0p", "abcd_efgh_ijkl_mnop",
		"abcd-efgh-ijkl-mno\xff" };
	uint8_t hash[RECOVERY_HASH];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(recovery_hash(texts[i], hash), JB_DENIED);
}

/* ---- who must give it -------------------------------------------------------------- */

/* Of each mode: nobody special, required, enrolled, enrolled and required; then administrators. */
static void
who_is_asked(void **state)
{
	static const struct {
		enum second_factor mode;
		const char *want; /* - nothing, c a code, e enrolment */
	} rows[] = {
		{ SECOND_NEVER, "--------" },
		{ SECOND_ENROLLED, "-ecc-ecc" },
		{ SECOND_ADMINS, "-ecceecc" },
		{ SECOND_ALL, "eecceecc" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int n = 0; n < 8; n++) {
			const struct user u = { .totp_required = n & 1,
				.totp = n & 2,
				.standing.role = n & 4 ? ROLE_ADMIN : ROLE_USER };

			assert_int_equal(
			    "-ce"[second_need(rows[i].mode, false, &u)], rows[i].want[n]);
			assert_int_equal(second_need(rows[i].mode, true, &u), NEED_NOTHING);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_rfc),
		cmocka_unit_test(a_step_either_way_and_no_more),
		cmocka_unit_test(used_codes_and_older_ones_are_told_apart_from_wrong_ones),
		cmocka_unit_test(what_has_the_form_of_a_code),
		cmocka_unit_test(secrets_differ_and_read_as_base32),
		cmocka_unit_test(recovery_codes_are_known_again_as_they_may_be_typed),
		cmocka_unit_test(what_cannot_be_a_recovery_code),
		cmocka_unit_test(who_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
