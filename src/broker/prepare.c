/*
 * jumpbox-broker prepare: makes and checks what the brokers will need, before
 * anything is served.  Runs once, as the service user.
 *
 *	fd 4   the configuration (memfd)
 *	fd 5   where the public halves of the host keys go, as zygote.h says; or
 *	       one line that says what is wrong and what to do
 *
 * jumpbox-broker check is the same for a server that runs already: nothing is
 * made.  A path that is mistyped, or a file that is lost, would otherwise
 * become a database without users, or a host that its users do not know.
 */
#include "broker.h"

#include "jumpbox/buf.h"
#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCAL_SOCKET "/var/run/docker.sock"

static const struct actor by_start = { "jumpboxd", "local", 0 };

/* Who serves already has this file. */
static int
check_there(const char *path, const char *what, const char *otherwise, struct errtext *e)
{
	if (access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return 0;
	return err_set(e, JB_CONFIG,
	    "there is no %s %.160s, and a server that runs makes none: correct the path, %s", what,
	    path, otherwise);
}

/* ---- the database's directory ----------------------------------------------------- */

/* Root makes a missing directory for the service user, where its parent is there. */
static int
make_directory(const char *path, struct errtext *e)
{
	struct passwd *pw = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;

	if (mkdir(path, 0700) < 0) {
		if (errno == EEXIST || (errno != ENOENT && access(path, F_OK) == 0))
			return 0;
		return err_set(e, JB_UNAVAILABLE, "cannot make directory %.160s: %s", path,
		    errno == ENOENT ? "its parent is missing; make it" : strerror(errno));
	}
	if (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) < 0)
		return err_set(e, JB_UNAVAILABLE, "cannot give %.160s to " SERVICE_USER ": %s",
		    path, strerror(errno));
	return 0;
}

static int
database_directory(const struct config *cfg, char *dir, size_t size, struct errtext *e)
{
	char path[PATH_MAX];

	if (str_copy(path, sizeof(path), cfg->database) != 0 ||
	    str_copy(dir, size, dirname(path)) != 0)
		return err_set(e, JB_CONFIG, "database: the path is too long");
	return 0;
}

static int
check_directory(const char *dir, struct errtext *e)
{
	struct passwd *pw = getpwuid(geteuid());
	const char *me = pw != NULL ? pw->pw_name : "this user";

	if (access(dir, W_OK | X_OK) == 0)
		return 0;
	return err_set(e, JB_UNAVAILABLE, "%.160s is not writable by %s (%s): give it to that user",
	    dir, me, strerror(errno));
}

/* As the user that will work in them. */
static int
check_directories(const struct config *cfg, const char *database, struct errtext *e)
{
	int r = check_directory(database, e);

	return r < 0 ? r : check_directory(cfg->run_directory, e);
}

/* ---- the database ------------------------------------------------------------------- */

static int
count_node(const struct node *n, void *arg)
{
	(void)n;
	*(bool *)arg = true;
	return 0;
}

/* This machine's engine, when nobody has named any. */
static int
add_local_node(struct store *st)
{
	const struct node local = {
		.name = "local", .url = "unix://" LOCAL_SOCKET, .enabled = true
	};
	bool any = false;
	int r = node_each(st, count_node, &any);

	if (r != 0 || any || access(LOCAL_SOCKET, F_OK) != 0)
		return r;
	if ((r = node_add_first(st, &by_start, &local)) == 0)
		log_info("node.added", F_STR("node", local.name), F_STR("url", local.url));
	return r == JB_EXISTS ? 0 : r;
}

static int
prepare_database(const struct config *cfg, bool make, struct errtext *e)
{
	struct store *st;
	int r = store_open(cfg->database, make ? STORE_CREATE : STORE_OPEN, &st, e);

	if (r < 0)
		return JB_UNAVAILABLE;
	r = add_local_node(st);
	if (r != 0)
		err_set(e, r, "%s", store_error(st));
	store_close(st);
	return r != 0 ? JB_UNAVAILABLE : 0;
}

/* ---- host keys ------------------------------------------------------------------------- */

static int
write_public(const struct host_key *k, struct errtext *e)
{
	struct buf text;
	int r;

	buf_init(&text, HOST_KEY_FILE_MAX);
	r = host_key_public(k, &text);
	if (r == 0)
		r = buf_add(&text, "", 1);
	if (r == 0)
		r = write_all(ROLE_KEYS_FD, buf_ptr(&text), buf_len(&text), -1);
	buf_release(&text);
	return r == 0 ? 0 : err_set(e, JB_INTERNAL, "the public host keys cannot be handed on");
}

static int
prepare_key(const char *path, bool make, struct errtext *e)
{
	struct host_key *k;
	int r = 0;

	if (!make &&
	    (r = check_there(path, "host key", "put it back, or make it with ssh-keygen", e)) < 0)
		return r;
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		if ((r = host_key_generate(path, e)) < 0)
			return JB_CONFIG;
		log_info("host_key.made", F_STR("path", path));
	}
	if (host_key_load(path, &k, e) < 0)
		return JB_CONFIG;
	r = write_public(k, e);
	host_key_free(k);
	return r;
}

static int
prepare_keys(const struct config *cfg, bool make, struct errtext *e)
{
	unsigned i;
	int r = 0;

	if (cfg->host_key.n == 0)
		return err_set(e, JB_CONFIG, "there is no host-key: name at least one");
	for (i = 0; r == 0 && i < cfg->host_key.n; i++)
		r = prepare_key(cfg->host_key.item[i], make, e);
	return r;
}

/* ---- the session's ------------------------------------------------------------------------ */

/* What its zygote needs, as who runs this now: it comes too late to find something missing. */
static int
check_session(const struct config *cfg, struct errtext *e)
{
	int r = config_texts_check(cfg, e);

	return r < 0 ? r : privs_check(SESSION_USER, cfg->jail_directory, e);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int
prepare_all(const struct config *cfg, bool make, struct errtext *e)
{
	char left_out[64], dir[PATH_MAX];
	int r;

	if ((r = check_session(cfg, e)) < 0 ||
	    (r = database_directory(cfg, dir, sizeof(dir), e)) < 0 ||
	    (r = make ? make_directory(dir, e)
		      : check_there(cfg->database, "database", "or put it back", e)) < 0 ||
	    (r = privs_drop(SERVICE_USER, NULL, left_out, sizeof(left_out), e)) < 0 ||
	    (r = check_directories(cfg, dir, e)) < 0 || (r = prepare_database(cfg, make, e)) < 0 ||
	    (r = prepare_keys(cfg, make, e)) < 0)
		return r == JB_UNAVAILABLE ? r : JB_CONFIG;
	return 0;
}

static int
run(bool make)
{
	struct config cfg;
	struct errtext e = { 0 };
	int r = config_load_fd(ROLE_CONFIG_FD, "configuration", &cfg, &e);

	if (r == 0) {
		log_init("broker", cfg.log_level, cfg.log_format);
		umask(077);
		r = prepare_all(&cfg, make, &e);
		config_release(&cfg);
	}
	if (r < 0 &&
	    (ftruncate(ROLE_KEYS_FD, 0) < 0 || pwrite(ROLE_KEYS_FD, e.s, strlen(e.s), 0) < 0))
		fatal(r, "%s", e.s);
	return -r;
}

int
prepare(void)
{
	return run(true);
}

int
prepare_check(void)
{
	return run(false);
}
