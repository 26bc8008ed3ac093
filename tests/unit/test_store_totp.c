/*
 * Enrolments: one of a user, its codes used once, renewed as a whole and
 * removed with the user; each change with its audit row, which holds no secret.
 */
#include "store_fixture.h"

static struct totp device = { .secret = "12345678901234567890", .last = 100 };
static uint8_t recovery[RECOVERY_CODES][RECOVERY_HASH];

static int
setup(void **state)
{
	for (int i = 0; i < RECOVERY_CODES; i++)
		memset(recovery[i], i + 1, RECOVERY_HASH);
	if (fixture_setup(state) != 0)
		return -1;
	add_user(*state, "alice");
	add_user(*state, "bob");
	return 0;
}

static void
assert_same(const struct totp *a, const struct totp *b)
{
	assert_memory_equal(a->secret, b->secret, TOTP_SECRET);
	assert_int_equal(a->last, b->last);
}

static int
take_totp(const struct user *u, void *arg)
{
	snprintf(arg, 64, "%d %d %lld", u->totp_required, u->totp, (long long)u->recovery_codes);
	return 0;
}

static const char *
standing(struct fixture *f, const char *user)
{
	static char text[64];

	assert_int_equal(user_get(f->st, user, take_totp, text), 0);
	return text;
}

static void
one_device_of_a_user(void **state)
{
	struct fixture *f = *state;
	struct totp t = { .last = -1 };

	assert_string_equal(standing(f, "alice"), "0 0 0");
	assert_int_equal(totp_get(f->st, 1, &t), JB_NOT_FOUND);
	assert_int_equal(t.last, -1);
	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, NULL), 0);
	assert_string_equal(
	    last_audit(f), "totp.enrol|operator:root(uid 0)|local|alice|-|enrolled");
	assert_int_equal(totp_get(f->st, 1, &t), 0);
	assert_same(&t, &device);
	assert_string_equal(standing(f, "alice"), "0 1 8");
	assert_string_equal(standing(f, "bob"), "0 0 0");
	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, NULL), JB_EXISTS);
	assert_string_equal(store_error(f->st), "there is already a second factor of alice");
	assert_int_equal(totp_enrol(f->st, &op, 99, &device, recovery, NULL), JB_NOT_FOUND);
	assert_int_equal(totp_enrol(f->st, &op, 2, &device, recovery, NULL), 0);
}

static void
codes_are_used_once(void **state)
{
	struct fixture *f = *state;
	struct totp t;

	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, NULL), 0);
	assert_int_equal(totp_enrol(f->st, &op, 2, &device, recovery, NULL), 0);
	assert_int_equal(totp_use(f->st, 1, 100), JB_NOT_FOUND);
	assert_int_equal(totp_use(f->st, 1, 99), JB_NOT_FOUND);
	assert_int_equal(totp_use(f->st, 1, 101), 0);
	assert_int_equal(totp_use(f->st, 1, 101), JB_NOT_FOUND);
	assert_int_equal(totp_get(f->st, 1, &t), 0);
	assert_int_equal(t.last, 101);
	assert_int_equal(totp_use_recovery(f->st, 1, recovery[3]), 0);
	assert_int_equal(totp_use_recovery(f->st, 1, recovery[3]), JB_NOT_FOUND);
	assert_string_equal(standing(f, "alice"), "0 1 7");
	assert_int_equal(totp_use_recovery(f->st, 2, recovery[3]), 0); /* bob's own */
	assert_int_equal(totp_use(f->st, 99, 1000), JB_NOT_FOUND);
}

static void
renewed_as_a_whole(void **state)
{
	struct fixture *f = *state;
	struct totp fresh = { .secret = "abcdefghijklmnopqrs", .last = 7 }, t;
	uint8_t others[RECOVERY_CODES][RECOVERY_HASH];

	for (int i = 0; i < RECOVERY_CODES; i++)
		memset(others[i], i + 100, RECOVERY_HASH);
	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, NULL), 0);
	assert_int_equal(totp_enrol(f->st, &op, 1, &fresh, others, &device), 0);
	assert_string_equal(last_audit(f), "totp.enrol|operator:root(uid 0)|local|alice|-|renewed");
	assert_int_equal(totp_get(f->st, 1, &t), 0);
	assert_same(&t, &fresh);
	assert_int_equal(totp_use_recovery(f->st, 1, recovery[0]), JB_NOT_FOUND);
	assert_int_equal(totp_use_recovery(f->st, 1, others[0]), 0);
	/* Who proved the one before has proven nothing of this one. */
	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, &device), JB_EXISTS);
	assert_int_equal(totp_get(f->st, 1, &t), 0);
	assert_same(&t, &fresh);
	assert_int_equal(totp_use_recovery(f->st, 1, others[1]), 0);
	/* Two recovery codes alike: nothing of it is stored. */
	memcpy(recovery[1], recovery[0], RECOVERY_HASH);
	assert_int_not_equal(totp_enrol(f->st, &op, 1, &device, recovery, &fresh), 0);
	assert_int_equal(totp_get(f->st, 1, &t), 0);
	assert_same(&t, &fresh);
}

static void
required_off_and_gone(void **state)
{
	struct fixture *f = *state;
	struct totp t;

	assert_int_equal(user_set(f->st, &op, "alice", "totp", "required"), 0);
	assert_string_equal(
	    last_audit(f), "user.set|operator:root(uid 0)|local|alice|-|totp=required");
	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, NULL), 0);
	assert_string_equal(standing(f, "alice"), "1 1 8");
	assert_int_equal(user_set(f->st, &op, "alice", "totp", ""), 0);
	assert_string_equal(standing(f, "alice"), "0 1 8");
	assert_int_equal(user_set(f->st, &op, "alice", "totp", "required"), 0);
	assert_int_equal(user_set(f->st, &op, "alice", "totp", "on"), JB_BAD_INPUT);
	assert_int_equal(user_set(f->st, &op, "alice", "totp", "off"), 0);
	assert_string_equal(last_audit(f), "user.set|operator:root(uid 0)|local|alice|-|totp=off");
	assert_string_equal(standing(f, "alice"), "0 0 0");
	assert_int_equal(user_set(f->st, &op, "nobody", "totp", "off"), JB_NOT_FOUND);
	assert_int_equal(totp_enrol(f->st, &op, 1, &device, recovery, NULL), 0);
	assert_int_equal(user_del(f->st, &op, "alice"), 0);
	assert_int_equal(totp_get(f->st, 1, &t), JB_NOT_FOUND);
	assert_int_equal(raw_int(f, "SELECT count(*) FROM totp_recovery"), 0);
}

/* Of codes alone: passwords count by another name, and an unlock ends both. */
static void
codes_have_a_back_off_of_their_own(void **state)
{
	struct fixture *f = *state;
	int64_t until;

	assert_int_equal(backoff_fail(f->st, BACKOFF_CODE, "alice", "10.0.0.1", 1), 0);
	assert_int_equal(backoff_until(f->st, BACKOFF_USER, "alice", &until), 0);
	assert_int_equal(until, 0);
	assert_int_equal(backoff_until(f->st, BACKOFF_CODE, "alice", &until), 0);
	assert_true(until > 0);
	assert_int_equal(backoff_until(f->st, BACKOFF_SOURCE, "10.0.0.1", &until), 0);
	assert_true(until > 0);
	assert_int_equal(user_set_locked(f->st, &op, "alice", false), 0);
	assert_int_equal(backoff_until(f->st, BACKOFF_CODE, "alice", &until), 0);
	assert_int_equal(until, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_device_of_a_user),
		TEST(codes_are_used_once),
		TEST(renewed_as_a_whole),
		TEST(required_off_and_gone),
		TEST(codes_have_a_back_off_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
