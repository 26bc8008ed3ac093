/*
 * A session that was taken over, against the real broker.
 *
 *	hostile PATH/jumpbox-broker
 *
 * Starts `jumpbox-broker prepare` and `zygote` as the supervisor would, on a
 * database of its own, and plays sessions that break the protocol in every
 * way.  Each must lose its pair and leave one line in the log, and the next
 * connection must still be served.  One line a case: ok or FAIL.
 */
#include "jumpbox/keys.h"
#include "jumpbox/log.h"
#include "jumpbox/msg.h"
#include "jumpbox/password.h"
#include "jumpbox/privs.h"
#include "jumpbox/proto.h"
#include "jumpbox/store.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 30000 };

static struct {
	char dir[64], db[128], log[128];
	const char *broker;
	int control, hung; /* the zygote; an engine that never answers */
	pid_t zygote;
	uint64_t conn;
	uint64_t mine, others; /* refs of containers: granted to alice, and not */
	EVP_PKEY *key;	       /* alice's */
	uint8_t blob[51];
	size_t log_seen;
	unsigned failed;
} lab;

/* One connection as its session sees it. */
struct peer {
	int pair, status;
	uint32_t id;
	uint8_t hash[32]; /* the session id */
};

static void
die(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
must(bool good, const char *what)
{
	if (!good)
		die(what);
}

/* ---- the laboratory ------------------------------------------------------------ */

static int
config_memfd(void)
{
	int fd = memfd_create("config", 0);

	must(fd >= 0, "memfd");
	dprintf(fd,
	    "database %s\nrun-directory %s/run\nhost-key %s/state/ssh_host_ed25519_key\n"
	    "host-key %s/state/ssh_host_rsa_key\nbackoff-after 0\nlog-level debug\n"
	    "login-grace-time 600\npassword-hash argon2id,m=8192,t=1,p=1\n",
	    lab.db, lab.dir, lab.dir, lab.dir);
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

static void
make_key(struct store *st, const struct actor *by)
{
	static const char head[] = "\0\0\0\013ssh-ed25519\0\0\0\040";
	char base64[128], fingerprint[64];
	struct user_key k = { .user = "alice", .algorithm = "ssh-ed25519", .comment = "" };
	size_t n = 32;

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
		    .status = "Up",
		    .labels = "{}" },
		{ .node = "hung",
		    .id = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		    .name = "others",
		    .image = "i",
		    .state = "running",
		    .status = "Up",
		    .labels = "{}" }
	};
	struct user u = { .name = "alice", .role = ROLE_USER };
	struct grant g = { .user = "alice", .selector = "mine", .allow = "shell,exec" };
	struct node n = { .name = "hung", .enabled = true };
	char hash[PASSWORD_HASH_MAX], url[160];
	int64_t id;
	struct errtext e = { "" };
	struct store *st;

	must(store_open(lab.db, STORE_OPEN, &st, &e) == 0, e.s);
	must(password_hash(
		 "argon2id,m=8192,t=1,p=1", NULL, "correct horse", hash, sizeof(hash), &e) == 0,
	    e.s);
	u.hash = hash;
	must(user_add(st, &by, &u) == 0, store_error(st));
	u.name = "root1";
	u.role = ROLE_ADMIN;
	must(user_add(st, &by, &u) == 0, store_error(st));
	u.name = "fresh";
	u.role = ROLE_USER;
	u.must_change = true;
	must(user_add(st, &by, &u) == 0, store_error(st));
	make_key(st, &by);
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

static void
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
static unsigned
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

/* ---- a connection -------------------------------------------------------------------- */

static struct peer
peer_open(void)
{
	struct peer p = { .id = 0 };
	int pair[2], status[2];
	struct msg m;

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, status) == 0,
	    "socketpair");
	msg_init(&m, ZYG_CONN, 0);
	msg_put_u64(&m, ++lab.conn);
	msg_put_str(&m, "192.0.2.1");
	msg_put_u32(&m, 4711);
	msg_put_str(&m, "192.0.2.2");
	msg_put_u32(&m, 2026);
	msg_put_u64(&m, (uint64_t)now_unix_ms());
	msg_put_fd(&m, pair[1]);
	msg_put_fd(&m, status[1]);
	must(msg_send(lab.control, &m) == 0, "ZYG_CONN");
	msg_release(&m);
	p.pair = pair[0];
	p.status = status[0];
	memset(p.hash, (int)(lab.conn & 0xff), sizeof(p.hash));
	return p;
}

static void
peer_close(struct peer *p)
{
	close(p->pair);
	close(p->status);
}

static void
put_msg(struct peer *p, struct msg *m)
{
	if (m->id == 0)
		m->id = ++p->id;
	must(msg_send(p->pair, m) <= 0, "send"); /* the broker may have gone already */
	msg_release(m);
}

static bool
readable(int fd, int ms)
{
	struct pollfd pfd = { fd, POLLIN, 0 };

	return poll(&pfd, 1, ms) > 0;
}

/* The next message: 0, or JB_UNAVAILABLE at the end. */
static int
get_msg(struct peer *p, struct msg *m)
{
	msg_init(m, 0, 0);
	return readable(p->pair, WAIT_MS) ? msg_recv(p->pair, m) : JB_TRY_AGAIN;
}

/* The first u32 of the next message if it is of that type, else -1. */
static int64_t
answer(struct peer *p, uint32_t type)
{
	struct msg m;
	int64_t v = -1;

	if (get_msg(p, &m) == 0 && m.type == type)
		v = msg_get_u32(&m);
	msg_release(&m);
	return v;
}

static void
sign(struct peer *p, uint32_t key, uint32_t digest, size_t n)
{
	uint8_t data[128];
	struct msg m;

	memset(data, p->hash[0], sizeof(data));
	msg_init(&m, REQ_SIGN, 0);
	msg_put_u32(&m, key);
	msg_put_u32(&m, digest);
	msg_put_bytes(&m, data, n);
	put_msg(p, &m);
}

static void
ask_strings(struct peer *p, uint32_t type, const char *a, const char *b)
{
	struct msg m;

	msg_init(&m, type, 0);
	if (a != NULL)
		msg_put_str(&m, a);
	if (b != NULL)
		msg_put_str(&m, b);
	put_msg(p, &m);
}

static bool
kex(struct peer *p)
{
	sign(p, 0, DIGEST_NONE, sizeof(p->hash));
	return answer(p, REP_SIGN) == 64;
}

static bool
login(struct peer *p, const char *user, enum auth_outcome want)
{
	if (!kex(p))
		return false;
	ask_strings(p, REQ_PASSWORD, user, "correct horse");
	return answer(p, REP_AUTH) == want;
}

/* A signature of alice's key over a login as `user` in the session `hash`. */
static void
verify(struct peer *p, const char *user, const uint8_t *hash, bool good)
{
	struct msg tbs, m;
	uint8_t sig[64];
	size_t n = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	msg_init(&tbs, 0, 0);
	msg_put_bytes(&tbs, hash, sizeof(p->hash));
	tbs.data = realloc(tbs.data, tbs.cap += 1024);
	tbs.data[tbs.len++] = 50;
	msg_put_str(&tbs, user);
	msg_put_str(&tbs, "ssh-connection");
	msg_put_str(&tbs, "publickey");
	tbs.data[tbs.len++] = 1;
	msg_put_str(&tbs, "ssh-ed25519");
	msg_put_bytes(&tbs, lab.blob, sizeof(lab.blob));
	must(EVP_DigestSignInit(ctx, NULL, NULL, NULL, lab.key) == 1 &&
		EVP_DigestSign(ctx, sig, &n, tbs.data + MSG_HEADER, tbs.len - MSG_HEADER) == 1,
	    "signature");
	sig[0] ^= !good;
	msg_init(&m, REQ_VERIFY, 0);
	msg_put_bytes(&m, sig, n);
	msg_put_bytes(&m, tbs.data + MSG_HEADER, tbs.len - MSG_HEADER);
	put_msg(p, &m);
	msg_release(&tbs);
	EVP_MD_CTX_free(ctx);
}

static void
attach(struct peer *p, uint64_t ref, uint32_t kind, uint32_t nenv, const char *command)
{
	struct msg m;
	uint32_t i;

	msg_init(&m, REQ_ATTACH, 0);
	msg_put_u64(&m, ref);
	msg_put_u32(&m, kind);
	msg_put_u32(&m, 0);
	msg_put_u32(&m, 80);
	msg_put_u32(&m, 24);
	msg_put_str(&m, "xterm");
	msg_put_u32(&m, nenv);
	for (i = 0; i < nenv; i++) {
		msg_put_str(&m, "LC_A");
		msg_put_str(&m, "b");
	}
	msg_put_str(&m, command);
	put_msg(p, &m);
}

static bool
list(struct peer *p, int64_t want)
{
	struct msg m;

	msg_init(&m, REQ_LIST, 0);
	msg_put_u32(&m, 0);
	put_msg(p, &m);
	return answer(p, REP_LIST) == want;
}

static void
numbers(struct peer *p, uint32_t type, unsigned n, uint32_t first)
{
	struct msg m;

	msg_init(&m, type, 0);
	while (n-- > 0) {
		msg_put_u32(&m, first);
		first = 1;
	}
	put_msg(p, &m);
}

/* A well-formed request of each type. */
static void
well_formed(struct peer *p, uint32_t type)
{
	struct msg m;

	switch (type) {
	case REQ_VERIFY:
		verify(p, "alice", p->hash, true);
		break;
	case REQ_PASSWORD:
		ask_strings(p, type, "alice", "correct horse");
		break;
	case REQ_OFFER:
		msg_init(&m, type, 0);
		msg_put_str(&m, "alice");
		msg_put_str(&m, "ssh-ed25519");
		msg_put_bytes(&m, lab.blob, sizeof(lab.blob));
		put_msg(p, &m);
		break;
	case REQ_KEY_LOGIN:
	case REQ_NEW_PASSWORD:
		ask_strings(p, type, "alice", NULL);
		break;
	case REQ_TARGET:
		ask_strings(p, type, NULL, NULL);
		break;
	case REQ_ATTACH:
		attach(p, lab.mine, ATTACH_SHELL, 0, "");
		break;
	case REQ_RESIZE:
		numbers(p, type, 3, 1);
		break;
	case REQ_SIGNAL:
		msg_init(&m, type, 0);
		msg_put_u32(&m, 1);
		msg_put_str(&m, "TERM");
		put_msg(p, &m);
		break;
	case REQ_DETACH:
		msg_init(&m, type, 0);
		msg_put_u32(&m, 1);
		msg_put_u64(&m, 0);
		msg_put_u64(&m, 0);
		msg_put_str(&m, "exit");
		put_msg(p, &m);
		break;
	default: /* LIST, CANCEL, STATUS */
		numbers(p, type, 1, 1);
	}
}

/* ---- cases ------------------------------------------------------------------------------ */

/* Prepares and attacks; false when the preparation itself failed. */
#define CASE(name) static bool name(struct peer *p, uint32_t arg)

CASE(before_kex)
{
	well_formed(p, arg);
	return true;
}

CASE(before_login)
{
	bool good = kex(p);

	well_formed(p, arg);
	return good;
}

CASE(while_checking)
{
	bool good = kex(p);

	ask_strings(p, REQ_PASSWORD, "alice", "wrong");
	well_formed(p, arg);
	return good;
}

CASE(must_change_first)
{
	bool good = login(p, "fresh", AUTH_MUST_CHANGE);

	well_formed(p, arg);
	return good;
}

CASE(after_login)
{
	bool good = login(p, "alice", AUTH_OK);

	well_formed(p, arg);
	return good;
}

CASE(unknown)
{
	bool good = kex(p);

	numbers(p, arg, 0, 0);
	return good;
}

CASE(datagram) /* of that many bytes */
{
	char *bytes = xcalloc(arg, 1);

	bytes[3] = REQ_SIGN;
	bytes[7 < arg ? 7 : 0] = 1;
	must(send(p->pair, bytes, arg, MSG_NOSIGNAL) == (ssize_t)arg, "send");
	free(bytes);
	return true;
}

CASE(trailing)
{
	struct msg m;
	bool good = kex(p);

	msg_init(&m, REQ_LOG, 0);
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	msg_put_u32(&m, arg);
	put_msg(p, &m);
	return good;
}

CASE(short_of_fields)
{
	bool good = kex(p);

	ask_strings(p, arg, "alice", NULL);
	return good;
}

CASE(length_beyond_the_end)
{
	bool good = kex(p);

	numbers(p, REQ_PASSWORD, 1, arg);
	return good;
}

CASE(nul_in_a_string)
{
	struct msg m;
	bool good = kex(p);

	msg_init(&m, arg, 0);
	msg_put_bytes(&m, "alice\0root1", 11);
	msg_put_str(&m, "correct horse");
	put_msg(p, &m);
	return good;
}

CASE(descriptor)
{
	struct msg m;

	msg_init(&m, arg, 0);
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	msg_put_fd(&m, dup(2));
	put_msg(p, &m);
	return true;
}

CASE(long_string)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = kex(p);

	memset(s, 'a', arg);
	ask_strings(p, REQ_PASSWORD, arg > MAX_PASSWORD ? "alice" : s, s);
	free(s);
	return good;
}

CASE(reused_id)
{
	bool good = kex(p);
	struct msg m;

	p->id = arg == 0 ? UINT32_MAX : 0; /* 0, or 1 again */
	msg_init(&m, REQ_LOG, 0);
	msg_put_u32(&m, LOG_LEVEL_INFO);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	m.id = 1;
	if (arg == 0) {
		m.id = 0;
		must(msg_send(p->pair, &m) == 0, "send");
		msg_release(&m);
	} else {
		put_msg(p, &m);
	}
	return good;
}

CASE(sign_key)
{
	sign(p, arg, DIGEST_NONE, 32);
	return true;
}

CASE(sign_digest)
{
	sign(p, 0, arg, 32);
	return true;
}

CASE(sign_length)
{
	sign(p, 0, DIGEST_NONE, arg);
	return true;
}

CASE(sign_rsa_digest)
{
	sign(p, 1, arg, 32);
	return true;
}

CASE(verify_other_session)
{
	uint8_t other[32];
	bool good = kex(p);

	memset(other, (int)arg, sizeof(other));
	verify(p, "alice", other, true);
	return good;
}

CASE(key_login_unproven)
{
	bool good = kex(p);

	(void)arg;
	ask_strings(p, REQ_KEY_LOGIN, "alice", NULL);
	return good;
}

CASE(key_login_badly_proven)
{
	bool good = kex(p);

	verify(p, "alice", p->hash, false);
	good = good && answer(p, REP_VERIFY) == (int64_t)arg;
	ask_strings(p, REQ_KEY_LOGIN, "alice", NULL);
	return good;
}

CASE(key_login_as_another)
{
	bool good = kex(p);

	verify(p, "alice", p->hash, true);
	good = good && answer(p, REP_VERIFY) == (int64_t)arg;
	ask_strings(p, REQ_KEY_LOGIN, "root1", NULL);
	return good;
}

CASE(password_then_claim)
{
	bool good = login(p, "alice", AUTH_OK);

	ask_strings(p, arg, "root1", "correct horse");
	return good;
}

CASE(another_login)
{
	bool good = kex(p);

	well_formed(p, REQ_OFFER);
	good = good && answer(p, REP_OFFER) == 1;
	ask_strings(p, arg, "root1", "correct horse");
	return good;
}

CASE(attach_unlisted) /* 0: nothing was listed; else: not that one */
{
	bool good = login(p, "alice", AUTH_OK);

	if (arg != 0)
		good = good && list(p, 1);
	attach(p, arg != 0 ? lab.others : lab.mine, ATTACH_SHELL, 0, "");
	return good;
}

CASE(attach_invented)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, UINT64_MAX - arg, ATTACH_SHELL, 0, "");
	return good;
}

CASE(attach_kind)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, arg, 0, "");
	return good;
}

CASE(attach_shell_with_command)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, arg, 0, "reboot");
	return good;
}

CASE(attach_much_environment)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	attach(p, lab.mine, ATTACH_EXEC, arg, "true");
	return good;
}

CASE(attach_long_command)
{
	char *s = xcalloc(arg + 1, 1);
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);

	memset(s, 'a', arg);
	attach(p, lab.mine, ATTACH_EXEC, 0, s);
	free(s);
	return good;
}

CASE(too_many_attaches)
{
	bool good = login(p, "alice", AUTH_OK) && list(p, 1);
	uint32_t i;

	for (i = 0; i <= arg; i++)
		attach(p, lab.mine, ATTACH_SHELL, 0, "");
	return good;
}

CASE(log_level)
{
	struct msg m;

	msg_init(&m, REQ_LOG, 0);
	msg_put_u32(&m, arg);
	msg_put_str(&m, "event");
	msg_put_str(&m, "text");
	put_msg(p, &m);
	return true;
}

/* clang-format off */
static const struct hostile {
	const char *name;
	bool (*play)(struct peer *, uint32_t);
	uint32_t arg;
} cases[] = {
	{ "VERIFY before the key exchange",       before_kex, REQ_VERIFY },
	{ "PASSWORD before the key exchange",     before_kex, REQ_PASSWORD },
	{ "OFFER before the key exchange",        before_kex, REQ_OFFER },
	{ "KEY_LOGIN before the key exchange",    before_kex, REQ_KEY_LOGIN },
	{ "NEW_PASSWORD before the key exchange", before_kex, REQ_NEW_PASSWORD },
	{ "ATTACH before the key exchange",       before_kex, REQ_ATTACH },
	{ "NEW_PASSWORD before login",            before_login, REQ_NEW_PASSWORD },
	{ "TARGET before login",                  before_login, REQ_TARGET },
	{ "LIST before login",                    before_login, REQ_LIST },
	{ "ATTACH before login",                  before_login, REQ_ATTACH },
	{ "CANCEL before login",                  before_login, REQ_CANCEL },
	{ "RESIZE before login",                  before_login, REQ_RESIZE },
	{ "SIGNAL before login",                  before_login, REQ_SIGNAL },
	{ "STATUS before login",                  before_login, REQ_STATUS },
	{ "DETACH before login",                  before_login, REQ_DETACH },
	{ "PASSWORD while one is checked",        while_checking, REQ_PASSWORD },
	{ "OFFER while a password is checked",    while_checking, REQ_OFFER },
	{ "LIST while a password is checked",     while_checking, REQ_LIST },
	{ "LIST before the new password",         must_change_first, REQ_LIST },
	{ "TARGET before the new password",       must_change_first, REQ_TARGET },
	{ "ATTACH before the new password",       must_change_first, REQ_ATTACH },
	{ "PASSWORD before the new password",     must_change_first, REQ_PASSWORD },
	{ "PASSWORD after login",                 after_login, REQ_PASSWORD },
	{ "VERIFY after login",                   after_login, REQ_VERIFY },
	{ "OFFER after login",                    after_login, REQ_OFFER },
	{ "NEW_PASSWORD unasked",                 after_login, REQ_NEW_PASSWORD },
	{ "RESIZE of no attach",                  after_login, REQ_RESIZE },
	{ "SIGNAL to no attach",                  after_login, REQ_SIGNAL },
	{ "DETACH of no attach",                  after_login, REQ_DETACH },
	{ "STATUS of no attach",                  after_login, REQ_STATUS },
	{ "CANCEL of no attach",                  after_login, REQ_CANCEL },
	{ "request 0",                            unknown, 0 },
	{ "request 16",                           unknown, REQ_LOG + 1 },
	{ "request of the broker's own",          unknown, REP_AUTH },
	{ "an event of the broker's own",         unknown, EVT_END },
	{ "request 0xffffffff",                   unknown, UINT32_MAX },
	{ "4 bytes",                              datagram, 4 },
	{ "half a header",                        datagram, 7 },
	{ "a header and nothing else",            datagram, MSG_HEADER },
	{ "one byte more than a message may be",  datagram, MSG_MAX + 1 },
	{ "trailing bytes",                       trailing, 1 },
	{ "a PASSWORD without password",          short_of_fields, REQ_PASSWORD },
	{ "an OFFER without key",                 short_of_fields, REQ_OFFER },
	{ "a VERIFY without data",                short_of_fields, REQ_VERIFY },
	{ "a length beyond the end",              length_beyond_the_end, 1000 },
	{ "a length of 4 GiB",                    length_beyond_the_end, UINT32_MAX },
	{ "a NUL in a login",                     nul_in_a_string, REQ_PASSWORD },
	{ "a descriptor with a request",          descriptor, REQ_LOG },
	{ "a login of 257 bytes",                 long_string, MAX_LOGIN + 1 },
	{ "a password of 1025 bytes",             long_string, MAX_PASSWORD + 1 },
	{ "request id 0",                         reused_id, 0 },
	{ "a request id again",                   reused_id, 1 },
	{ "a signature by key 2 of 2",            sign_key, 2 },
	{ "a signature by key 0xffffffff",        sign_key, UINT32_MAX },
	{ "an ed25519 signature with sha256",     sign_digest, DIGEST_SHA256 },
	{ "a digest of no name",                  sign_digest, 1 },
	{ "nothing to sign",                      sign_length, 0 },
	{ "31 bytes to sign",                     sign_length, 31 },
	{ "65 bytes to sign",                     sign_length, 65 },
	{ "an rsa signature without digest",      sign_rsa_digest, DIGEST_NONE },
	{ "an rsa signature with sha1",           sign_rsa_digest, 1 },
	{ "a signature for another session",      verify_other_session, 0xee },
	{ "KEY_LOGIN without a signature",        key_login_unproven, 0 },
	{ "KEY_LOGIN after a bad signature",      key_login_badly_proven, 0 },
	{ "KEY_LOGIN as another user",            key_login_as_another, 1 },
	{ "a password login, then another's key", password_then_claim, REQ_KEY_LOGIN },
	{ "a password login, then another's",     password_then_claim, REQ_PASSWORD },
	{ "an offer, then another's password",    another_login, REQ_PASSWORD },
	{ "an attach before any list",            attach_unlisted, 0 },
	{ "an attach to another's container",     attach_unlisted, 1 },
	{ "an attach to an invented container",   attach_invented, 0 },
	{ "an attach of kind 0",                  attach_kind, 0 },
	{ "an attach of kind 3",                  attach_kind, 3 },
	{ "a shell with a command",               attach_shell_with_command, ATTACH_SHELL },
	{ "33 environment variables",             attach_much_environment, MAX_ENV + 1 },
	{ "a command of 128 KiB and one byte",    attach_long_command, MAX_COMMAND + 1 },
	{ "1025 attaches at once",                too_many_attaches, MAX_ATTACHES },
	{ "a log level of no name",               log_level, 17 },
};
/* clang-format on */

static void
report(const char *name, const char *problem)
{
	printf("%-5s %s%s%s\n", problem == NULL ? "ok" : "FAIL", name, problem == NULL ? "" : ": ",
	    problem == NULL ? "" : problem);
	fflush(stdout);
	lab.failed += problem != NULL;
}

/* No answer to the attack, then the end. What was asked before may still be answered. */
static const char *
ends(struct peer *p)
{
	struct msg m;
	int r;

	while ((r = get_msg(p, &m)) == 0) {
		if (m.type != REP_ATTACH && m.id == p->id) {
			msg_release(&m);
			return "it was answered";
		}
		msg_release(&m);
	}
	msg_release(&m);
	return r == JB_UNAVAILABLE ? NULL : "the pair lives";
}

static void
play(const struct hostile *h)
{
	struct peer p = peer_open(), bystander = peer_open();
	const char *problem = NULL;
	unsigned n;

	logged(" "); /* from here on */
	if (!kex(&bystander))
		problem = "a bystander was not served before";
	else if (!h->play(&p, h->arg))
		problem = "the case could not be prepared";
	else if ((problem = ends(&p)) == NULL && (n = logged(" broker.protocol ")) != 1)
		problem = n == 0 ? "the log does not say so" : "the log says so more than once";
	else if (problem == NULL && !kex(&bystander))
		problem = "a bystander was disturbed";
	peer_close(&p);
	peer_close(&bystander);
	report(h->name, problem);
}

/* ---- and what must work ------------------------------------------------------------------- */

static void
good_key_login(void)
{
	struct peer p = peer_open();
	bool good = kex(&p);
	char byte = 0;

	verify(&p, "alice", p.hash, true);
	good = good && answer(&p, REP_VERIFY) == 1;
	ask_strings(&p, REQ_KEY_LOGIN, "alice", NULL);
	good = good && answer(&p, REP_AUTH) == AUTH_OK && read(p.status, &byte, 1) == 1 &&
	    byte == STATUS_LOGIN && list(&p, 1) && kex(&p);
	peer_close(&p);
	report("a key login, a list and a rekey work", good ? NULL : "refused");
}

/* While a password is checked and its refusal waits, host-key signatures go on. */
static void
sign_while_checking(void)
{
	struct peer p = peer_open();
	bool good = kex(&p);
	int64_t start = now_mono_ms(), took;

	ask_strings(&p, REQ_PASSWORD, "alice", "wrong");
	good = good && kex(&p);
	took = now_mono_ms() - start;
	good = good && took < 400 && answer(&p, REP_AUTH) == AUTH_DENIED;
	took = now_mono_ms() - start;
	peer_close(&p);
	report("a signature does not wait for a password", good ? NULL : "it did");
	report("a refusal leaves at its instant",
	    took >= 500 && took % 500 < 60 ? NULL : "too early or late");
}

/* An engine that never answers delays nothing else on the same connection. */
static void
slow_engine(void)
{
	struct peer p = peer_open();
	bool good = login(&p, "alice", AUTH_OK) && list(&p, 1);
	uint32_t id;
	int64_t start;

	attach(&p, lab.mine, ATTACH_SHELL, 0, "");
	id = p.id;
	start = now_mono_ms();
	good = good && kex(&p) && list(&p, 1) && now_mono_ms() - start < 300;
	numbers(&p, REQ_CANCEL, 1, id);
	good = good && answer(&p, REP_ATTACH) == -JB_TRY_AGAIN;
	peer_close(&p);
	report("a hung engine delays neither rekey nor list, and is cancelled",
	    good ? NULL : "it did");
}

static void
stop(void)
{
	char command[128];
	int status = 0, i;

	close(lab.control);
	for (i = 0; i < 100 && waitpid(lab.zygote, &status, WNOHANG) == 0; i++)
		poll(NULL, 0, 50);
	report(
	    "the zygote ends with its supervisor", i < 100 && status == 0 ? NULL : "it does not");
	if (lab.failed > 0) {
		printf("hostile: log and database are in %s\n", lab.dir);
		return;
	}
	snprintf(command, sizeof(command), "rm -rf %s", lab.dir);
	must(system(command) == 0, command);
}

int
main(int argc, char **argv)
{
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: hostile PATH/jumpbox-broker\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	lab.broker = argv[1];
	start_broker();
	good_key_login();
	sign_while_checking();
	slow_engine();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		play(&cases[i]);
	good_key_login();
	stop();
	EVP_PKEY_free(lab.key);
	printf("hostile: %u failed\n", lab.failed);
	return lab.failed > 0;
}
