/*
 * Password hashes: known answers, refusals, bounds, the machine-wide turn.
 */
#include "jumpbox/password.h"

#include "jumpbox/argon2_cost.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GOOD	 "correct horse"
#define CHEAP	 "argon2id,m=64,t=1,p=1"
#define SHA512_TAIL \
	"4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3JrQA4NOfU8BmqFPrpGqwA1"
#define BCRYPT_TAIL "abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"

/* Made elsewhere: by the argon2 tool, by openssl passwd and by other programs' crypt. */
static const char *const known[] = {
	"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$REiRt35dHGtMWJ/p+5b5FBn+NMuLR8SFnoCU9BlDUHE",
	"$argon2id$v=19$m=64,t=1,p=2$c29tZXNhbHQ$RKZXfvzdbOTbwUMUcZHQTPrgDMb5DA8T",
	"$2b$04$" BCRYPT_TAIL,
	"$2a$04$" BCRYPT_TAIL,
	"$2y$04$" BCRYPT_TAIL,
	"$y$j75$saltsalt$5wlMXHz82Iqiv0ywbT8h3LCVssbi3h0Xh43jM7E7Tr2",
	"$6$rounds=1000$saltsalt$" SHA512_TAIL,
	"$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/"
	"uamSo5z0",
};

static void
known_answers(void **state)
{
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		if (password_hash_check(known[i], &e) != 0)
			fail_msg("%s: %s", known[i], e.s);
		if (password_verify(known[i], NULL, GOOD) != 0)
			fail_msg("%s: right password refused", known[i]);
		assert_int_equal(password_verify(known[i], NULL, "correct horsf"), JB_DENIED);
		assert_int_equal(password_verify(known[i], NULL, "correct horse "), JB_DENIED);
		assert_int_equal(password_verify(known[i], NULL, ""), JB_DENIED);
	}
}

/* Any cut of a good hash, and any hash with one character more, is refused and matches nothing. */
static void
cut_short_is_refused(void **state)
{
	char s[PASSWORD_HASH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		size_t n = strlen(known[i]);

		for (size_t cut = 0; cut < n; cut++) {
			/* the very hash part of argon2id has no fixed length */
			if (strncmp(known[i], "$argon2", 7) == 0 && cut > n - 22)
				break;
			memcpy(s, known[i], cut);
			s[cut] = '\0';
			if (password_hash_check(s, NULL) != JB_BAD_INPUT)
				fail_msg("%s", s);
		}
		snprintf(s, sizeof(s), "%s!", known[i]);
		assert_int_equal(password_hash_check(s, NULL), JB_BAD_INPUT);
		assert_int_equal(password_verify(s, NULL, GOOD), JB_DENIED);
	}
}

static void
other_kinds_and_costs_are_refused(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", "*", "!", "x", GOOD,
		"$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",                      /* md5 */
		"abJnggxhB/yWI",                                           /* DES */
		"_J9..rasmBYk8r9AiWNc",                                    /* extended DES */
		"$5$saltsalt$aBCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg", /* sha256 */
		"$3$$8846f7eaee8fb117ad06bdd830b7586c",                    /* NT */
		"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
		"$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=1048577,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=64,t=17,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=64,t=1,p=5$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=7,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m= 64,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$argon2id$v=19$m=-1,t=1,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"$2b$03$" BCRYPT_TAIL, "$2b$16$" BCRYPT_TAIL, "$2b$31$" BCRYPT_TAIL, "$2b$4$" BCRYPT_TAIL,
		"$2x$04$" BCRYPT_TAIL, "$2$04$" BCRYPT_TAIL,
		"$6$rounds=2000001$saltsalt$" SHA512_TAIL, "$6$rounds=999$saltsalt$" SHA512_TAIL,
		"$6$rounds=99999999999999999999$saltsalt$" SHA512_TAIL,
		"$6$rounds=-1$saltsalt$" SHA512_TAIL, "$6$rounds=$saltsalt$" SHA512_TAIL,
		"$6$salt:alt$" SHA512_TAIL, "$6$$" SHA512_TAIL,
		"$y$jGT$saltsalt$5wlMXHz82Iqiv0ywbT8h3LCVssbi3h0Xh43jM7E7Tr2",  /* 2 GiB */
		"$y$jzz$saltsalt$5wlMXHz82Iqiv0ywbT8h3LCVssbi3h0Xh43jM7E7Tr2",
		"$y$.75$saltsalt$5wlMXHz82Iqiv0ywbT8h3LCVssbi3h0Xh43jM7E7Tr2",
		"$y$j75..$saltsalt$5wlMXHz82Iqiv0ywbT8h3LCVssbi3h0Xh43jM7E7Tr2",
	};
	/* clang-format on */
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		e.s[0] = '\0';
		if (password_hash_check(bad[i], &e) != JB_BAD_INPUT)
			fail_msg("accepted: %s", bad[i]);
		assert_true(strlen(e.s) > 10);
		assert_int_equal(password_verify(bad[i], NULL, GOOD), JB_DENIED);
		assert_int_equal(password_verify(bad[i], NULL, bad[i]), JB_DENIED);
	}
	assert_int_equal(
	    password_hash_check("$y$jFT$saltsalt$5wlMXHz82Iqiv0ywbT8h3LCVssbi3h0Xh43jM7E7Tr2", &e),
	    0);
}

static void
made_here_verifies_here(void **state)
{
	static const char *const passwords[] = {
		GOOD, "", "p\xc3\xa4ss\xe4\xbd\xa0",
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
	};
	char a[PASSWORD_HASH_MAX], b[PASSWORD_HASH_MAX];
	struct errtext e;

	(void)state;
	for (size_t i = 0; i < COUNT(passwords); i++) {
		assert_int_equal(password_hash(CHEAP, NULL, passwords[i], a, sizeof(a), &e), 0);
		assert_int_equal(password_hash(CHEAP, NULL, passwords[i], b, sizeof(b), &e), 0);
		assert_string_not_equal(a, b);
		assert_memory_equal(a, "$argon2id$v=19$m=64,t=1,p=1$", 28);
		assert_int_equal(password_hash_check(a, &e), 0);
		assert_int_equal(password_verify(a, NULL, passwords[i]), 0);
		assert_int_equal(password_verify(a, NULL, "other"), JB_DENIED);
	}
	assert_int_equal(password_hash("argon2id,m=64,t=1,p=4", NULL, GOOD, a, sizeof(a), &e), 0);
	assert_int_equal(password_verify(a, NULL, GOOD), 0);
	assert_int_not_equal(password_hash(CHEAP, NULL, GOOD, a, 20, &e), 0);
}

static void
parameters_are_checked(void **state)
{
	static const char *const good[] = { "argon2id,m=19456,t=2,p=1", "argon2id,m=8,t=1,p=1",
		"argon2id,m=1048576,t=16,p=4" };
	static const char *const bad[] = { "", "argon2id", "argon2id,", "argon2i,m=64,t=1,p=1",
		"argon2id,m=64,t=1", "argon2id,m=64,t=1,p=1,", "argon2id,m=64,t=1,p=1 ",
		"argon2id,t=1,m=64,p=1", "argon2id,m=31,t=1,p=4", "argon2id,m=1048577,t=1,p=1",
		"argon2id,m=64,t=0,p=1", "argon2id,m=64,t=17,p=1", "argon2id,m=64,t=1,p=0",
		"argon2id,m=64,t=1,p=5", "argon2id,m=-1,t=1,p=1", "argon2id,m=,t=1,p=1",
		"argon2id,m=64,t=1,p=18446744073709551617" };
	struct argon2_cost c;
	struct errtext e;
	char out[PASSWORD_HASH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(argon2_params(good[i], &c, &e), 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (argon2_params(bad[i], &c, &e) != JB_BAD_INPUT)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(
		    password_hash(bad[i], NULL, GOOD, out, sizeof(out), &e), JB_BAD_INPUT);
	}
}

static void
stale_is_anything_not_as_configured(void **state)
{
	char a[PASSWORD_HASH_MAX];
	struct errtext e;

	(void)state;
	assert_int_equal(password_hash(CHEAP, NULL, GOOD, a, sizeof(a), &e), 0);
	assert_false(password_stale(a, CHEAP));
	assert_true(password_stale(a, "argon2id,m=65,t=1,p=1"));
	assert_true(password_stale(a, "argon2id,m=64,t=2,p=1"));
	assert_true(password_stale(a, "argon2id,m=64,t=1,p=2"));
	assert_true(password_stale("$2b$04$" BCRYPT_TAIL, CHEAP));
	assert_true(password_stale("$6$rounds=1000$saltsalt$" SHA512_TAIL, CHEAP));
	assert_false(password_stale(NULL, CHEAP));
	assert_false(password_stale(a, "nonsense"));
}

static void
new_passwords_meet_the_rule(void **state)
{
	char longer[1100];
	struct errtext e;

	(void)state;
	assert_int_equal(password_acceptable("alice", "8letters", &e), 0);
	assert_int_equal(password_acceptable("alice", "7letter", &e), JB_BAD_INPUT);
	assert_int_equal(password_acceptable("alice", "", &e), JB_BAD_INPUT);
	/* eight bytes are not eight characters */
	assert_int_equal(
	    password_acceptable("alice", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", &e), JB_BAD_INPUT);
	assert_int_equal(password_acceptable("alice",
			     "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0\xe5\xa5\xbd"
			     "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0\xe5\xa5\xbd",
			     &e),
	    0);
	assert_int_equal(password_acceptable("alice.smith", "alice.smith", &e), JB_BAD_INPUT);
	assert_int_equal(password_acceptable("alice.smith", "ALICE.Smith", &e), JB_BAD_INPUT);
	assert_int_equal(password_acceptable("alice.smith", "alice.smith1", &e), 0);
	memset(longer, 'a', sizeof(longer));
	longer[1024] = '\0';
	assert_int_equal(password_acceptable("alice", longer, &e), 0);
	longer[1024] = 'a';
	longer[1025] = '\0';
	assert_int_equal(password_acceptable("alice", longer, &e), JB_BAD_INPUT);
}

/* ---- what an unknown user costs, and turns -------------------------------- */

static double
cpu_of(const char *hash)
{
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(password_verify(hash, NULL, "wrong horse"), JB_DENIED);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void
no_hash_costs_as_much_as_one(void **state)
{
	char hash[PASSWORD_HASH_MAX];
	struct errtext e;
	double with = 0, without = 0, broken = 0;

	(void)state;
	assert_int_equal(
	    password_hash("argon2id,m=19456,t=2,p=1", NULL, GOOD, hash, sizeof(hash), &e), 0);
	for (int i = 0; i < 5; i++) {
		with += cpu_of(hash);
		without += cpu_of(NULL);
		broken += cpu_of("*");
	}
	assert_true(without > with / 3 && without < with * 3);
	assert_true(broken > with / 3 && broken < with * 3);
}

/* A child that holds every turn until the returned descriptor is closed. */
static pid_t
hold_all_turns(const char *dir, int *release)
{
	char path[256], byte;
	int in[2], out[2];
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	snprintf(path, sizeof(path), "%s/hash.lock", dir);
	pid = fork();
	if (pid == 0) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

		close(in[1]);
		if (fd < 0 || fcntl(fd, F_OFD_SETLK, &all) != 0 || write(out[1], "", 1) != 1)
			_exit(1);
		(void)!read(in[0], &byte, 1);
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	close(out[0]);
	*release = in[1];
	return pid;
}

static void
nobody_passes_the_bound(void **state)
{
	char dir[] = "/tmp/jumpbox-test-XXXXXX", path[256], hash[PASSWORD_HASH_MAX];
	struct errtext e;
	struct stat st;
	int release, status;
	pid_t holder, waiter;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(password_hash(CHEAP, dir, GOOD, hash, sizeof(hash), &e), 0);
	assert_int_equal(password_verify(hash, dir, GOOD), 0);
	snprintf(path, sizeof(path), "%s/hash.lock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	holder = hold_all_turns(dir, &release);
	waiter = fork();
	if (waiter == 0) {
		close(release);
		_exit(-password_verify(hash, dir, GOOD));
	}
	/* It waits: it is still there while every turn is held, and done once they are given back. */
	assert_int_equal(password_hash(CHEAP, dir, GOOD, hash, sizeof(hash), &e), JB_TRY_AGAIN);
	assert_non_null(strstr(e.s, "too many"));
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == -JB_TRY_AGAIN);
	close(release);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(password_hash(CHEAP, dir, GOOD, hash, sizeof(hash), &e), 0);
	assert_int_equal(password_verify(hash, dir, GOOD), 0);

	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(password_hash(CHEAP, dir, GOOD, hash, sizeof(hash), &e), JB_UNAVAILABLE);
	assert_int_equal(password_verify(hash, dir, GOOD), JB_UNAVAILABLE);
}

static void
a_turn_comes_when_one_is_given_back(void **state)
{
	char dir[] = "/tmp/jumpbox-test-XXXXXX", path[256], hash[PASSWORD_HASH_MAX];
	struct errtext e;
	int release, status;
	pid_t holder, waiter;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(password_hash(CHEAP, NULL, GOOD, hash, sizeof(hash), &e), 0);
	holder = hold_all_turns(dir, &release);
	waiter = fork();
	if (waiter == 0) {
		close(release);
		_exit(-password_verify(hash, dir, GOOD));
	}
	/* killed, not asked: the kernel gives its turns back */
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(release);
	snprintf(path, sizeof(path), "%s/hash.lock", dir);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(cut_short_is_refused),
		cmocka_unit_test(other_kinds_and_costs_are_refused),
		cmocka_unit_test(made_here_verifies_here),
		cmocka_unit_test(parameters_are_checked),
		cmocka_unit_test(stale_is_anything_not_as_configured),
		cmocka_unit_test(new_passwords_meet_the_rule),
		cmocka_unit_test(no_hash_costs_as_much_as_one),
		cmocka_unit_test(nobody_passes_the_bound),
		cmocka_unit_test(a_turn_comes_when_one_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
