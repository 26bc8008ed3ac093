/*
 * Who runs jumpboxctl, and whom it becomes.  Opening the database as root
 * would leave files that the broker cannot write, and would have root follow
 * paths in a directory that the service user controls.
 */
#include "ctl.h"

#include "jumpbox/privs.h"
#include "jumpbox/util.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name of a uid, or its number. */
static char *
user_name(uid_t uid)
{
	struct passwd *pw = getpwuid(uid);

	return pw != NULL ? xstrdup(pw->pw_name) : xasprintf("%u", (unsigned)uid);
}

/* Who logged in at first, whatever su and sudo came after; false: not known. */
static bool
login_uid(uid_t *uid)
{
	unsigned long n;
	char *text, *end;
	size_t len;
	bool known;

	if (read_file("/proc/self/loginuid", 32, &text, &len, NULL) < 0)
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	known = errno == 0 && end != text && n < UINT32_MAX;
	free(text);
	if (known)
		*uid = (uid_t)n;
	return known;
}

void
operator_note(struct ctl *c)
{
	static char name[160];
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	char *self = user_name(getuid()), *login = NULL;
	uid_t uid;

	if (login_uid(&uid))
		login = user_name(uid);
	snprintf(name, sizeof name, "operator:%.32s(uid %u%s%.32s%s%.32s)", self,
	    (unsigned)getuid(), login != NULL ? ", login " : "", login != NULL ? login : "",
	    sudo != NULL ? ", sudo " : "", sudo != NULL ? sudo : "");
	free(self);
	free(login);
	c->by = (struct actor){ .name = name, .source = "local" };
}

static int
directory_owner(const char *database, uid_t *uid)
{
	const char *slash = strrchr(database, '/');
	char *dir =
	    slash == NULL ? xstrdup(".") : xasprintf("%.*s/", (int)(slash - database), database);
	struct stat st;
	int r = stat(dir, &st);

	free(dir);
	if (r == 0)
		*uid = st.st_uid;
	return r;
}

int
operator_step_down(struct ctl *c)
{
	char left_out[64];
	struct passwd *pw;
	uid_t uid = 0;

	/* No such directory: opening the database says so. */
	if (geteuid() != 0 || directory_owner(c->conf.database, &uid) < 0 || uid == 0)
		return 0;
	pw = getpwuid(uid);
	if (pw == NULL)
		return ctl_fail(c, JB_UNAVAILABLE,
		    "the directory of %.120s belongs to uid %u, which is no user: chown it to %s",
		    c->conf.database, (unsigned)uid, SERVICE_USER);
	return privs_drop(pw->pw_name, NULL, left_out, sizeof left_out, &c->e);
}
