/*
 * The laboratory of hostile.c: starts the real broker as the supervisor would.
 * Tests only.
 */
#include "hostile_lab.h"

#include "jumpbox/keys.h"
#include "jumpbox/password.h"
#include "jumpbox/privs.h"
#include "jumpbox/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct lab lab;

_Noreturn void
die(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

void
must(bool good, const char *what)
{
	if (!good)
		die(what);
}

/* ---- the broker's world ------------------------------------------------------------ */

static int
config_memfd(void)
{
	int fd = memfd_create("config", 0);

	must(fd >= 0, "memfd");
	dprintf(fd,
	    "database %s\nrun-directory %s/run\njail-directory %s/jail\n"
	    "host-key %s/state/ssh_host_ed25519_key\n"
	    "host-key %s/state/ssh_host_rsa_key\nbackoff-after 0\nlog-level debug\n"
	    "login-grace-time 600\npassword-hash argon2id,m=8192,t=1,p=1\n",
	    lab.db, lab.dir, lab.dir, lab.dir, lab.dir);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static pid_t
start_role(const char *role, int control, int keys)
{
	int config = config_memfd(), log = open(lab.log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	pid_t pid = fork();

	if (pid == 0) {
		/* Away from where they are to be put. */
		control = fcntl(control, F_DUPFD, 20);
		config = fcntl(config, F_DUPFD, 20);
		keys = fcntl(keys, F_DUPFD, 20);
		dup2(log, 2);
		dup2(control, ROLE_CONTROL_FD);
		dup2(config, ROLE_CONFIG_FD);
		dup2(keys, ROLE_KEYS_FD);
		close_range(6, ~0U, 0);
		execl(lab.broker, "jumpbox-broker", role, (char *)NULL);
		die(lab.broker);
	}
	close(config);
	close(log);
	return pid;
}

static void
make_directories(void)
{
	struct passwd *pw = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;
	const char *const subs[] = { "state", "run" };
	char path[128];
	size_t i;

	snprintf(lab.dir, sizeof(lab.dir), "/tmp/hostile-XXXXXX");
	must(mkdtemp(lab.dir) != NULL && chmod(lab.dir, 0755) == 0, "mkdtemp");
	snprintf(lab.db, sizeof(lab.db), "%s/state/jumpbox.db", lab.dir);
	snprintf(lab.log, sizeof(lab.log), "%s/log", lab.dir);
	snprintf(path, sizeof(path), "%s/jail", lab.dir);
	must(mkdir(path, 0755) == 0, path);
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", lab.dir, subs[i]);
		must(mkdir(path, 0700) == 0, path);
		if (pw != NULL)
			must(chown(path, pw->pw_uid, pw->pw_gid) == 0, path);
	}
}

static void
make_hung_engine(char *url, size_t size)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/engine", lab.dir);
	snprintf(url, size, "unix://%s", sun.sun_path);
	lab.hung = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(lab.hung, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
		listen(lab.hung, 128) == 0 && chmod(sun.sun_path, 0666) == 0,
	    "engine socket");
}

static int
take_ref(const struct container *c, void *arg)
{
	(void)arg;
	if (strcmp(c->name, "mine") == 0)
		lab.mine = (uint64_t)c->ref;
	else
		lab.others = (uint64_t)c->ref;
	return 0;
}

static int
take_node_id(const struct node *n, void *arg)
{
	*(int64_t *)arg = n->id;
	return 0;
}

static int
take_user_id(const struct user *u, void *arg)
{
	*(int64_t *)arg = u->id;
	return 0;
}

static void
make_key(struct store *st, const struct actor *by, const char *user)
{
	static const char head[] = "\0\0\0\013ssh-ed25519\0\0\0\040";
	char base64[128], fingerprint[64];
	struct user_key k = { .user = user, .algorithm = "ssh-ed25519", .comment = "" };
	size_t n = 32;

	if (lab.key == NULL)
		lab.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	memcpy(lab.blob, head, 19);
	must(EVP_PKEY_get_raw_public_key(lab.key, lab.blob + 19, &n) == 1, "key");
	EVP_EncodeBlock((unsigned char *)base64, lab.blob, sizeof(lab.blob));
	pubkey_fingerprint(lab.blob, sizeof(lab.blob), fingerprint, sizeof(fingerprint));
	k.blob = base64;
	k.fingerprint = fingerprint;
	must(key_add(st, by, &k) == 0, store_error(st));
}

static void
fill_database(void)
{
	static const struct actor by = { "hostile", "local", 0 };
	struct container c[2] = {
		{ .node = "hung",
		    .id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    .name = "mine",
		    .image = "i",
		    .state = "running",
		    .labels = "{}" },
		{ .node = "hung",
		    .id = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		    .name = "others",
		    .image = "i",
		    .state = "running",
		    .labels = "{}" }
	};
	static const char *const second[] = { "unenrolled", "second", "keyed2" };
	static const struct totp totp = { .last = 0 };
	uint8_t recovery[RECOVERY_CODES][RECOVERY_HASH];
	struct user u = { .name = "alice", .standing.role = ROLE_USER };
	struct grant g = { .user = "alice", .selector = "mine", .allow = "shell,exec" };
	struct node n = { .name = "hung", .enabled = true };
	char hash[PASSWORD_HASH_MAX], url[160];
	int64_t id;
	struct errtext e = { 0 };
	struct store *st;

	must(store_open(lab.db, STORE_OPEN, &st, &e) == 0, e.s);
	for (int i = 0; i < RECOVERY_CODES; i++)
		memset(recovery[i], i, RECOVERY_HASH);
	must(password_hash(
		 "argon2id,m=8192,t=1,p=1", NULL, "correct horse", hash, sizeof(hash), &e) == 0,
	    e.s);
	u.hash = hash;
	must(user_add(st, &by, &u) == 0, store_error(st));
	u.name = "root1";
	u.standing.role = ROLE_ADMIN;
	must(user_add(st, &by, &u) == 0, store_error(st));
	u.name = "fresh";
	u.standing.role = ROLE_USER;
	u.must_change = true;
	must(user_add(st, &by, &u) == 0, store_error(st));
	u.must_change = false;
	for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		u.name = second[i];
		must(user_add(st, &by, &u) == 0, store_error(st));
		must(user_set(st, &by, u.name, "totp", "required") == 0, store_error(st));
		must(user_get(st, u.name, take_user_id, &id) == 0, store_error(st));
		if (i > 0)
			must(totp_enrol(st, &by, id, &totp, recovery, NULL) == 0, store_error(st));
	}
	make_key(st, &by, "alice");
	make_key(st, &by, "keyed2");
	make_hung_engine(url, sizeof(url));
	n.url = url;
	node_del(st, &by, "local");
	must(node_add(st, &by, &n) == 0, store_error(st));
	must(node_get(st, "hung", take_node_id, &id) == 0, store_error(st));
	must(container_replace(st, id, c, 2) == 0, store_error(st));
	must(container_each(st, take_ref, NULL) == 0, store_error(st));
	must(grant_add(st, &by, &g, &id) == 0, store_error(st));
	store_close(st);
}

void
start_broker(void)
{
	int keys[2], control[2], status;
	struct msg m;

	make_directories();
	must(pipe2(keys, O_CLOEXEC) == 0, "pipe");
	waitpid(start_role("prepare", keys[1], keys[1]), &status, 0);
	must(status == 0, "prepare (see its log)");
	close(keys[0]);
	close(keys[1]);
	fill_database();
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0, "socketpair");
	lab.zygote = start_role("zygote", control[1], control[1]);
	close(control[1]);
	lab.control = control[0];
	msg_init(&m, 0, 0);
	must(msg_recv(lab.control, &m) == 0 && m.type == ZYG_READY, "the zygote");
	msg_release(&m);
}

/* How many lines of that event were logged since the last time. */
unsigned
logged(const char *event)
{
	char *text, *at;
	size_t len;
	unsigned n = 0;

	must(read_file(lab.log, 64 << 20, &text, &len, NULL) == 0, "the log");
	for (at = text + lab.log_seen; (at = strstr(at, event)) != NULL; at++)
		n++;
	lab.log_seen = len;
	free(text);
	return n;
}

bool
stop_broker(void)
{
	int status = 0, i;

	close(lab.control);
	for (i = 0; i < 100 && waitpid(lab.zygote, &status, WNOHANG) == 0; i++)
		poll(NULL, 0, 50);
	return i < 100 && status == 0;
}
