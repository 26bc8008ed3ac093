/* What is there before the first connection; the roles that are started are this test. */
#include "../../src/supervisor/setup.h"
#include "../../src/supervisor/spawn.h"

#include "jumpbox/privs.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

enum { UNTOUCHED = 77, GROUP = 12345, NOBODY = 65534 };

/* ---- around it ------------------------------------------------------------- */

static bool user_missing;
static const char *keys; /* what `prepare` writes */
static bool again;	 /* `check` instead */
static int ends_with;	 /* as spawn_wait() has it */

struct passwd *
getpwnam(const char *name)
{
	static struct passwd service = { .pw_gid = GROUP };

	return user_missing || strcmp(name, SERVICE_USER) != 0 ? NULL : &service;
}

pid_t
spawn_role(const struct spawn *s, int *control)
{
	assert_string_equal(s->program, "jumpbox-broker");
	assert_string_equal(s->arg, again ? "check" : "prepare");
	assert_int_equal(s->control, 0);
	assert_null(control);
	assert_int_equal(s->config, UNTOUCHED);
	assert_int_equal(write_all(s->keys, keys, strlen(keys), -1), 0);
	return 4711;
}

int
spawn_wait(pid_t pid, int timeout_ms)
{
	assert_int_equal(pid, 4711);
	assert_int_equal(timeout_ms, again ? 10000 : 120000);
	return ends_with;
}

/* Runs fn, whose result must be 0, in a process of its own; without root, if asked. */
static void
in_child(bool root, int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!root && geteuid() == 0 && (setegid(NOBODY) != 0 || seteuid(NOBODY) != 0))
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- open files -------------------------------------------------------------- */

static int
raises_the_limit(void)
{
	struct rlimit l = { 64, 200 };

	if (setrlimit(RLIMIT_NOFILE, &l) != 0 || setup_open_files() != 200)
		return 1;
	return getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur != 200 || l.rlim_max != 200;
}

static void
as_many_files_as_are_allowed(void **state)
{
	(void)state;
	in_child(false, raises_the_limit);
}

/* ---- directories --------------------------------------------------------------- */

static char base[64], run[96], jail[96];
static struct config config;

static int
setup(void **state)
{
	(void)state;
	str_copy(base, sizeof base, "/tmp/test_setup.XXXXXX");
	assert_non_null(mkdtemp(base));
	assert_int_equal(chmod(base, 0777), 0);
	snprintf(run, sizeof run, "%s/run", base);
	snprintf(jail, sizeof jail, "%s/jail", base);
	config.run_directory = run;
	config.jail_directory = jail;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	user_missing = false;
	rmdir(run);
	rmdir(jail);
	return rmdir(base);
}

static bool
is_directory(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == mode &&
	    st.st_uid == uid && st.st_gid == gid;
}

static int
makes_both(void)
{
	gid_t brokers = geteuid() == 0 ? GROUP : getegid();
	struct errtext e;

	umask(077);
	if (setup_directories(&config, &e) != 0)
		return 1;
	if (!is_directory(run, geteuid() == 0 ? 01775 : 0755, geteuid(), brokers))
		return 2;
	return is_directory(jail, 0755, geteuid(), getegid()) ? 0 : 3;
}

static void
roots_directory_is_shared_with_the_brokers(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_child(true, makes_both);
}

static void
without_root_it_is_ones_own(void **state)
{
	(void)state;
	user_missing = true;
	in_child(false, makes_both);
}

static void
what_is_there_stays_as_it_is(void **state)
{
	struct errtext e;

	(void)state;
	assert_int_equal(mkdir(run, 0700), 0);
	assert_int_equal(mkdir(jail, 0700), 0);
	assert_int_equal(setup_directories(&config, &e), 0);
	assert_true(is_directory(run, 0700, geteuid(), getegid()));
	assert_true(is_directory(jail, 0700, geteuid(), getegid()));
}

static void
no_user_no_start(void **state)
{
	struct errtext e;

	(void)state;
	if (geteuid() != 0)
		skip();
	user_missing = true;
	assert_int_equal(setup_directories(&config, &e), JB_CONFIG);
	assert_string_equal(e.s, "there is no user jumpbox: make it (systemd-sysusers)");
	assert_int_equal(access(run, F_OK), -1);
}

static void
parents_are_not_made(void **state)
{
	char nowhere[] = "/nowhere/at/all";
	struct config no_run = config, no_jail = config;
	struct errtext e;

	(void)state;
	no_run.run_directory = no_jail.jail_directory = nowhere;
	assert_int_equal(setup_directories(&no_run, &e), JB_CONFIG);
	assert_string_equal(
	    e.s, "cannot make directory /nowhere/at/all: No such file or directory");
	assert_int_equal(access(jail, F_OK), -1);
	assert_int_equal(setup_directories(&no_jail, &e), JB_CONFIG);
}

/* ---- files in memory -------------------------------------------------------------- */

/* It is not to change under those who read it. */
static void
assert_is_sealed(int fd)
{
	char path[64];

	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	assert_int_equal(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), -1);
}

static void
the_roles_read_the_same_configuration(void **state)
{
	struct config given, read_back;
	char *text[2] = { NULL, NULL };
	struct errtext e;
	size_t len[2];
	FILE *f;
	int fd;

	(void)state;
	assert_int_equal(config_load("/dev/null", &given, &e), 0);
	given.login_grace_time = 77;
	fd = setup_config_fd(&given);
	assert_is_sealed(fd);
	assert_int_equal(config_load_fd(fd, "configuration", &read_back, &e), 0);
	for (int i = 0; i < 2; i++) {
		f = open_memstream(&text[i], &len[i]);
		config_print(i == 0 ? &given : &read_back, f);
		fclose(f);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[1], "login-grace-time 77\n"));
	free(text[0]);
	free(text[1]);
	config_release(&given);
	config_release(&read_back);
	close(fd);
}

/* ---- prepare ------------------------------------------------------------------------ */

#define NOTHING_SAID "jumpbox-broker prepare failed"

static void
the_keys_or_the_error_with_which_prepare_ended(void **state)
{
	static const struct {
		int code;
		const char *keys;
		int result;
		const char *why;
	} ends[] = {
		{ 0, "ssh-ed25519 AAAA\n", 0, "" },
		{ 0, "", JB_INTERNAL, NOTHING_SAID },
		{ 78, "", JB_CONFIG, NOTHING_SAID },
		{ 69, "the reason", JB_UNAVAILABLE, "the reason" },
		{ 125, "", -125, NOTHING_SAID },
		{ 126, "", JB_INTERNAL, NOTHING_SAID },
		{ 128, "ssh-ed25519 AAAA\n", JB_INTERNAL, NOTHING_SAID }, /* killed, or too late */
		{ 255, "", JB_INTERNAL, NOTHING_SAID },
	};
	struct errtext e;
	int fd, next = dup(STDIN_FILENO);

	(void)state;
	close(next);
	for (size_t i = 0; i < NELEMS(ends); i++) {
		char s[64] = "";

		ends_with = ends[i].code;
		keys = ends[i].keys;
		fd = UNTOUCHED;
		e.s[0] = '\0';
		assert_int_equal(setup_prepare(UNTOUCHED, false, &fd, &e), ends[i].result);
		assert_string_equal(e.s, ends[i].why);
		if (ends[i].result == 0) {
			assert_is_sealed(fd);
			assert_true(pread(fd, s, sizeof s - 1, 0) > 0);
			assert_string_equal(s, keys);
			close(fd);
		} else {
			assert_int_equal(fd, UNTOUCHED);
		}
		assert_int_equal(dup(STDIN_FILENO), next); /* the file is closed */
		close(next);
	}
}

static void
who_runs_already_has_it_checked_only(void **state)
{
	struct errtext e;
	int fd = UNTOUCHED;

	(void)state;
	again = true;
	ends_with = 78;
	keys = "";
	assert_int_equal(setup_prepare(UNTOUCHED, true, &fd, &e), JB_CONFIG);
	assert_string_equal(e.s, "jumpbox-broker check failed");
	again = false;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_files_as_are_allowed),
		TEST(roots_directory_is_shared_with_the_brokers),
		TEST(without_root_it_is_ones_own),
		TEST(what_is_there_stays_as_it_is),
		TEST(no_user_no_start),
		TEST(parents_are_not_made),
		cmocka_unit_test(the_roles_read_the_same_configuration),
		cmocka_unit_test(the_keys_or_the_error_with_which_prepare_ended),
		cmocka_unit_test(who_runs_already_has_it_checked_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
