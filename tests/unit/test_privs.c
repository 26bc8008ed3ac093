/*
 * Giving up privileges.  As root: each check in a child that drops for good.
 * Otherwise: what is left out is named and the rest is done.
 */
#include "jumpbox/privs.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char base[] = "/tmp/test_privs.XXXXXX";
static char jail[64];

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(base));
	assert_int_equal(chmod(base, 0755), 0);
	snprintf(jail, sizeof jail, "%s/jail", base);
	assert_int_equal(mkdir(jail, 0755), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rmdir(jail);
	rmdir(base);
	return 0;
}

static void
need_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* Runs fn in a child; it returns 0, or a number that says which check failed. */
static void
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
drop_into_jail(void)
{
	const struct passwd *pw = getpwnam("nobody");
	char left_out[64] = "x";
	struct errtext e;
	uid_t u[3];
	gid_t g[3];

	if (privs_drop("nobody", jail, left_out, sizeof left_out, &e) != 0 || left_out[0] != '\0')
		return 1;
	if (getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0)
		return 2;
	if (u[0] != pw->pw_uid || u[1] != u[0] || u[2] != u[0] || g[0] != pw->pw_gid ||
	    g[1] != g[0] || g[2] != g[0])
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE) != 0)
		return 4;
	if (access("/etc/passwd", F_OK) == 0 || access("/proc", F_OK) == 0)
		return 5;
	if (mkdir("/x", 0700) == 0 || chroot("/") == 0)
		return 6;
	if (setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		return 7;
	return 0;
}

static void
into_the_jail(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(privs_check("nobody", jail, NULL), 0);
	in_child(drop_into_jail);
}

/* The supplementary groups are those of the group database, and root's are gone. */
static int
drop_outside(void)
{
	const struct passwd *pw = getpwnam("nobody");
	gid_t want[64], got[64], extra = 12345;
	int nwant = 64, ngot, i, k;
	char left_out[64];

	if (setgroups(1, &extra) != 0)
		return 1;
	if (getgrouplist("nobody", pw->pw_gid, want, &nwant) < 0)
		return 2;
	if (privs_drop("nobody", NULL, left_out, sizeof left_out, NULL) != 0)
		return 3;
	ngot = getgroups(64, got);
	for (i = 0; i < ngot; i++) {
		for (k = 0; k < nwant && want[k] != got[i]; k++)
			;
		if (k == nwant)
			return 4;
	}
	return ngot == nwant && access("/etc/passwd", F_OK) == 0 ? 0 : 5;
}

static void
groups(void **state)
{
	(void)state;
	need_root();
	in_child(drop_outside);
}

static void
refused(const char *user, const char *dir, const char *why)
{
	char left_out[64];
	struct errtext e = { 0 };

	assert_int_equal(privs_drop(user, dir, left_out, sizeof left_out, &e), JB_CONFIG);
	if (strstr(e.s, why) == NULL)
		fail_msg("'%s' does not say '%s'", e.s, why);
	e.s[0] = '\0';
	assert_int_equal(privs_check(user, dir, &e), JB_CONFIG); /* and it is known before */
	assert_non_null(strstr(e.s, why));
	assert_int_equal(geteuid(), 0); /* refused before anything was given up */
}

static void
bad_users_and_jails(void **state)
{
	char link[80], in_jail[80];

	(void)state;
	need_root();
	refused("no-such-user", NULL, "there is no user no-such-user");
	refused("root", NULL, "must not be root");
	refused("nobody", "/nonexistent/jail", "No such file");
	refused("nobody", "/etc/passwd", "not a directory");
	refused("nobody", "/tmp", "writable by nobody else");
	assert_int_equal(chown(jail, 1, 0), 0);
	refused("nobody", jail, "owned by root");
	assert_int_equal(chown(jail, 0, 0), 0);
	assert_int_equal(chmod(jail, 0775), 0);
	refused("nobody", jail, "writable by nobody else");
	assert_int_equal(chmod(jail, 0755), 0);
	snprintf(link, sizeof link, "%s/link", base);
	snprintf(in_jail, sizeof in_jail, "%s/x", jail);
	assert_int_equal(symlink(jail, link), 0);
	refused("nobody", link, "not a directory");
	assert_int_equal(rename(link, in_jail), 0);
	refused("nobody", jail, "not empty");
	unlink(in_jail);
}

static int
drop_without_root(void)
{
	char left_out[64] = "";

	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return 1;
	if (privs_drop("no-such-user", "/nonexistent", left_out, sizeof left_out, NULL) != 0)
		return 2;
	if (strcmp(left_out, "user, chroot") != 0)
		return 3;
	if (privs_drop("no-such-user", NULL, left_out, sizeof left_out, NULL) != 0)
		return 4;
	if (strcmp(left_out, "user") != 0)
		return 5;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE) != 0)
		return 6;
	return 0;
}

static void
without_root(void **state)
{
	(void)state;
	in_child(drop_without_root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(into_the_jail),
		cmocka_unit_test(groups),
		cmocka_unit_test(bad_users_and_jails),
		cmocka_unit_test(without_root),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
