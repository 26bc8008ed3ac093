/*
 * As whom the helper runs, from the container's own passwd.  The rules are
 * those of bare streams (src/docker/shell_argv.c): nologin and false count as
 * no shell, as whoever comes here was granted one; then it is bash, or sh.
 * jumpbox-helper.
 */
#include "helper.h"

#include "jumpbox/util.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool
runs(const char *path)
{
	struct stat st;

	return path[0] == '/' && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

/* A fresh "DIR/name" of the first directory in PATH that has it; NULL. */
static char *
search(const char *name)
{
	const char *dir = getenv("PATH");
	char *path;
	size_t n;

	for (; *dir != '\0'; dir += n + (dir[n] == ':')) {
		n = strcspn(dir, ":");
		path = xasprintf("%.*s/%s", (int)n, dir, name);
		if (runs(path))
			return path;
		free(path);
	}
	return NULL;
}

static char *
choose_shell(const char *said)
{
	const char *base = strrchr(said, '/');
	char *shell;

	if (base != NULL && strcmp(base, "/nologin") != 0 && strcmp(base, "/false") != 0 &&
	    runs(said))
		return xstrdup(said);
	shell = search("bash");
	if (shell == NULL)
		shell = search("sh");
	return shell != NULL ? shell : xstrdup("");
}

static const char *
env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

void
account_init(struct account *a)
{
	const struct passwd *pw;
	char number[24];

	a->uid = getuid();
	a->gid = getgid();
	setenv("PATH", env_or("PATH", DEFAULT_PATH), 1);
	pw = getpwuid(a->uid);
	snprintf(number, sizeof(number), "%lu", (unsigned long)a->uid);
	a->user = xstrdup(pw != NULL ? pw->pw_name : env_or("USER", number));
	a->home = xstrdup(pw != NULL ? (pw->pw_dir[0] ? pw->pw_dir : "/") : env_or("HOME", "/"));
	a->shell = choose_shell(pw != NULL ? pw->pw_shell : "");
}

void
account_release(struct account *a)
{
	free(a->user);
	free(a->home);
	free(a->shell);
	memset(a, 0, sizeof(*a));
}
