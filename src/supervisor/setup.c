/* What has to be there before the first connection.  Supervisor. */
#include "setup.h"

#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/util.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL };

uint64_t
setup_open_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		fatal(JB_INTERNAL, "getrlimit: %s", strerror(errno));
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0 && getrlimit(RLIMIT_NOFILE, &l) < 0)
		fatal(JB_INTERNAL, "getrlimit: %s", strerror(errno));
	return l.rlim_cur;
}

/* ---- directories ------------------------------------------------------ */

/* group NULL: that of who runs this. */
static int
make_directory(const char *path, mode_t mode, const struct passwd *group, struct errtext *e)
{
	if (mkdir(path, mode & 0755) < 0)
		return errno == EEXIST
		    ? 0
		    : err_set(e, JB_CONFIG, "cannot make directory %s: %s", path, strerror(errno));
	if ((group != NULL && chown(path, (uid_t)-1, group->pw_gid) < 0) || chmod(path, mode) < 0)
		return err_set(e, JB_CONFIG,
		    "cannot give directory %s to group " SERVICE_USER ": %s", path,
		    strerror(errno));
	return 0;
}

int
setup_directories(const struct config *c, struct errtext *e)
{
	const struct passwd *service = NULL;
	int r;

	if (geteuid() == 0 && (service = getpwnam(SERVICE_USER)) == NULL)
		return err_set(
		    e, JB_CONFIG, "there is no user %s: make it (systemd-sysusers)", SERVICE_USER);
	r = make_directory(c->run_directory, service != NULL ? 01775 : 0755, service, e);
	return r < 0 ? r : make_directory(c->jail_directory, 0755, NULL, e);
}

/* ---- files in memory -------------------------------------------------- */

static int
memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		fatal(JB_INTERNAL, "memfd_create: %s", strerror(errno));
	return fd;
}

static void
seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		fatal(JB_INTERNAL, "sealing a file in memory: %s", strerror(errno));
}

int
setup_config_fd(const struct config *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int fd = memory_file("jumpbox-config");
	bool ok = f != NULL;

	if (ok) {
		config_print(c, f);
		ok = fclose(f) == 0;
	}
	if (!ok || write_all(fd, text, len, -1) < 0)
		fatal(JB_INTERNAL, "writing the configuration for the roles: %s", strerror(errno));
	free(text);
	seal(fd);
	return fd;
}

/* ---- prepare ---------------------------------------------------------- */

/* The first start makes an RSA key and migrates; later the service manager's watchdog waits. */
enum { FIRST_MS = 120000, AGAIN_MS = 10000 };

int
setup_prepare(int config_fd, bool again, int *keys_fd, struct errtext *e)
{
	int fd = memory_file("jumpbox-host-keys"), code;
	const struct spawn s = { "jumpbox-broker", again ? "check" : "prepare", 0, config_fd, fd };
	char why[sizeof(e->s)] = "";
	ssize_t n;

	code = spawn_wait(spawn_role(&s, NULL), again ? AGAIN_MS : FIRST_MS);
	n = pread(fd, why, sizeof why - 1, 0);
	if (code == 0 && n <= 0)
		code = -JB_INTERNAL;
	if (code != 0) {
		close(fd);
		if (n <= 0 || code > 125) /* it may have been at the keys */
			snprintf(why, sizeof why, "jumpbox-broker %s failed", s.arg);
		return err_set(e, code > 125 ? JB_INTERNAL : -code, "%s", why);
	}
	seal(fd);
	*keys_fd = fd;
	return 0;
}
