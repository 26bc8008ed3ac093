/*
 * Giving up what a role does not need, in the one order that works.  Zygotes
 * and watchers, before they see a client or the database.
 */
#include "jumpbox/privs.h"

#include "jumpbox/util.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
check_empty(const char *jail, struct errtext *e)
{
	const struct dirent *d;
	DIR *dir = opendir(jail);
	bool empty = true;

	if (dir == NULL)
		return err_set(e, JB_CONFIG, "jail-directory %s: %s", jail, strerror(errno));
	while (empty && (d = readdir(dir)) != NULL)
		empty = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
	closedir(dir);
	return empty ? 0 : err_set(e, JB_CONFIG, "jail-directory %s is not empty", jail);
}

/* Nobody but root may put a file where the session's root directory is, and root has not. */
static int
check_jail(const char *jail, struct errtext *e)
{
	struct stat st;

	if (lstat(jail, &st) < 0)
		return err_set(e, JB_CONFIG, "jail-directory %s: %s; make it, owned by root, empty",
		    jail, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, JB_CONFIG, "jail-directory %s is not a directory", jail);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, JB_CONFIG,
		    "jail-directory %s must be owned by root and writable by nobody else", jail);
	return check_empty(jail, e);
}

/* The user's entry, in static storage; NULL and why. */
static const struct passwd *
find_user(const char *user, struct errtext *e)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		err_set(e, JB_CONFIG, "there is no user %s%s%s; make it (systemd-sysusers)", user,
		    errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
	else if (pw->pw_uid == 0 || pw->pw_gid == 0)
		err_set(e, JB_CONFIG, "user %s must not be root", user);
	else
		return pw;
	return NULL;
}

/* The user database is read before the chroot, which hides it. */
static int
become(const char *user, const char *jail, struct errtext *e)
{
	const struct passwd *pw = find_user(user, e);
	uid_t uid;
	gid_t gid;
	int r;

	if (pw == NULL)
		return JB_CONFIG;
	uid = pw->pw_uid;
	gid = pw->pw_gid;
	if (jail != NULL && (r = check_jail(jail, e)) < 0)
		return r;
	if (initgroups(user, gid) < 0)
		return err_set(e, JB_CONFIG, "groups of %s: %s", user, strerror(errno));
	if (jail != NULL && (chroot(jail) < 0 || chdir("/") < 0))
		return err_set(e, JB_CONFIG, "chroot to %s: %s", jail, strerror(errno));
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_set(e, JB_CONFIG, "becoming %s: %s", user, strerror(errno));
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0)
		return err_set(e, JB_INTERNAL, "root could be had back after becoming %s", user);
	return 0;
}

int
privs_check(const char *user, const char *jail, struct errtext *e)
{
	if (geteuid() != 0)
		return 0;
	if (find_user(user, e) == NULL)
		return JB_CONFIG;
	return jail != NULL ? check_jail(jail, e) : 0;
}

int
privs_drop(const char *user, const char *jail, char *left_out, size_t size, struct errtext *e)
{
	int r;

	left_out[0] = '\0';
	if (geteuid() != 0)
		str_copy(left_out, size, jail != NULL ? "user, chroot" : "user");
	else if ((r = become(user, jail, e)) < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, JB_INTERNAL, "prctl: %s", strerror(errno));
	return 0;
}
