/*
 * jumpbox-broker zygote: warmed once, then forks one broker a connection.
 * Holds no key, no database handle and no client's descriptor.
 *
 *	fd 3   the supervisor (SOCK_SEQPACKET)      fd 4   the configuration (memfd)
 *
 * Also looks after what brokers that died left in containers: it forks a
 * cleaner at its start, when a child was killed by a signal, and once a
 * minute for brokers that were another zygote's.
 */
#include "broker.h"

#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SWEEP_MS = 60000 };

struct forked {
	pid_t pid;
	uint64_t conn;
};

static struct {
	struct config cfg;
	struct forked *child;
	size_t n, room;
	pid_t cleaner; /* 0: none runs */
	bool clean_again;
	int64_t sweep_at;
} zyg;

static volatile sig_atomic_t ended;

static void
on_signal(int sig)
{
	if (sig == SIGTERM)
		ended = 1;
}

/* ---- ordered steps before the first connection ------------------------------------ */

/* One signature by a key that is thrown away: libcrypto looks up its algorithms once. */
static void
warm_up_key(EVP_PKEY *key, const char *digest)
{
	static const uint8_t data[32];
	uint8_t sig[512];
	size_t n = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (key != NULL && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1)
		EVP_DigestSign(ctx, sig, &n, data, sizeof(data));
	if (key != NULL && EVP_MD_CTX_reset(ctx) == 1 &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1)
		EVP_DigestVerify(ctx, sig, n, data, sizeof(data));
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

/* A database that cannot be opened now may be there later: no fault here. */
static void
warm_up_store(void)
{
	struct store *st;
	int64_t epoch;

	if (store_open(zyg.cfg.database, STORE_OPEN, &st, NULL) != 0)
		return;
	store_policy_epoch(st, &epoch);
	store_close(st); /* before any fork */
}

/* What every broker would otherwise do again: shared memory pages instead of private ones. */
static void
warm_up(void)
{
	json_t *json;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	warm_up_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
	warm_up_key(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), "SHA512");
	json = json_loads("{}", 0, NULL);
	json_decref(json);
	boot_id();
	host_name();
	tzset();
	warm_up_store();
	malloc_trim(0);
}

static void
catch_signals(sigset_t *waiting)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked;

	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
	sigdelset(waiting, SIGTERM);
	sigdelset(waiting, SIGCHLD);
}

static int
tell(uint32_t type, uint64_t conn, uint32_t status)
{
	struct msg m;
	int r;

	msg_init(&m, type, 0);
	if (type == ZYG_EXIT) {
		msg_put_u64(&m, conn);
		msg_put_u32(&m, status);
	}
	r = msg_send(ROLE_CONTROL_FD, &m);
	msg_release(&m);
	return r;
}

/* ---- children ------------------------------------------------------------------------ */

/* In the child: as if nobody had been the zygote. */
static void
become_child(const sigset_t *mask)
{
	close(ROLE_CONTROL_FD);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	free(zyg.child);
}

static void
start_cleaner(const sigset_t *mask)
{
	zyg.sweep_at = now_mono_ms() + SWEEP_MS;
	if (zyg.cleaner != 0) {
		zyg.clean_again = true;
		return;
	}
	zyg.clean_again = false;
	zyg.cleaner = fork();
	if (zyg.cleaner == 0) {
		become_child(mask);
		cleaner(&zyg.cfg);
	}
	if (zyg.cleaner < 0) {
		log_error("broker.no_child", F_STR("reason", strerror(errno)));
		zyg.cleaner = 0;
	}
}

static void
forget_child(pid_t pid, int status, const sigset_t *mask)
{
	size_t i;

	if (pid == zyg.cleaner) {
		zyg.cleaner = 0;
		if (zyg.clean_again)
			start_cleaner(mask);
		return;
	}
	for (i = 0; i < zyg.n && zyg.child[i].pid != pid; i++)
		;
	if (i == zyg.n)
		return;
	if (tell(ZYG_EXIT, zyg.child[i].conn, (uint32_t)status) == JB_TRY_AGAIN)
		log_warn("broker.exit_untold", F_NUM("pid", pid));
	zyg.child[i] = zyg.child[--zyg.n];
	if (WIFSIGNALED(status)) {
		log_error("broker.killed", F_NUM("pid", pid), F_NUM("signal", WTERMSIG(status)));
		start_cleaner(mask);
	}
}

static void
reap(const sigset_t *mask)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget_child(pid, status, mask);
}

static void
remember_child(pid_t pid, uint64_t conn)
{
	if (zyg.n == zyg.room) {
		zyg.room = zyg.room == 0 ? 64 : zyg.room * 2;
		zyg.child = xreallocarray(zyg.child, zyg.room, sizeof(*zyg.child));
	}
	zyg.child[zyg.n++] = (struct forked){ pid, conn };
}

/* ---- ZYG_CONN ------------------------------------------------------------------------ */

static bool
take_connection(struct msg *m, struct broker *b)
{
	int64_t age;

	b->conn = msg_get_u64(m);
	msg_get_str(m, b->peer, sizeof(b->peer));
	b->peer_port = msg_get_u32(m);
	msg_get_str(m, b->local, sizeof(b->local));
	b->local_port = msg_get_u32(m);
	age = now_unix_ms() - (int64_t)msg_get_u64(m);
	b->accepted_mono = now_mono_ms() - (age > 0 && age < 60000 ? age : 0);
	b->pair = msg_take_fd(m);
	b->status = msg_take_fd(m);
	b->cfg = &zyg.cfg;
	return m->type == ZYG_CONN && msg_end(m);
}

static void
connection(struct msg *m, const sigset_t *mask)
{
	struct broker b = { .pair = -1, .status = -1 };
	pid_t pid;

	if (!take_connection(m, &b))
		fatal(JB_INTERNAL, "the supervisor sent what is no connection");
	pid = fork();
	if (pid == 0) {
		become_child(mask);
		msg_release(m);
		broker_run(&b);
	}
	close(b.pair);
	close(b.status);
	if (pid < 0) {
		log_error("broker.no_child", F_STR("reason", strerror(errno)));
		tell(ZYG_EXIT, b.conn, 0);
	} else {
		remember_child(pid, b.conn);
	}
}

/* False at the end of file: the supervisor wants no more. */
static bool
control_readable(const sigset_t *mask)
{
	struct msg m;
	int r;

	msg_init(&m, 0, 0);
	while ((r = msg_recv(ROLE_CONTROL_FD, &m)) == 0)
		connection(&m, mask);
	msg_release(&m);
	if (r == JB_BAD_INPUT)
		fatal(JB_INTERNAL, "the supervisor sent what is no message");
	return r == JB_TRY_AGAIN;
}

static void
serve(const sigset_t *mask)
{
	struct pollfd pfd = { ROLE_CONTROL_FD, POLLIN, 0 };
	struct timespec ts;
	int64_t left;
	int n;

	for (;;) {
		left = zyg.sweep_at - now_mono_ms();
		ts = (struct timespec){ left < 0 ? 0 : left / 1000 + 1, 0 };
		n = ppoll(&pfd, 1, &ts, mask);
		if (ended || (n > 0 && !control_readable(mask)))
			return;
		reap(mask);
		if (now_mono_ms() >= zyg.sweep_at)
			start_cleaner(mask);
	}
}

int
zygote(void)
{
	sigset_t mask;

	role_begin("broker", &zyg.cfg);
	close_range(ROLE_CONFIG_FD, ~0U, 0); /* nothing else is ours */
	umask(077);
	role_confine(SERVICE_USER, NULL);
	warm_up();
	set_cloexec(ROLE_CONTROL_FD, true);
	set_nonblock(ROLE_CONTROL_FD, true);
	catch_signals(&mask);
	start_cleaner(&mask);
	if (tell(ZYG_READY, 0, 0) < 0)
		fatal(JB_INTERNAL, "the supervisor is gone");
	serve(&mask);
	free(zyg.child);
	config_release(&zyg.cfg);
	return 0;
}
