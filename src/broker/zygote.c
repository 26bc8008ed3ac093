/*
 * jumpbox-broker zygote: warmed once, then forks one broker a connection
 * (common/zygote.c).  Holds no key, no database handle and no client's
 * descriptor.
 *
 *	fd 3   the supervisor (SOCK_SEQPACKET)      fd 4   the configuration (memfd)
 *
 * Also looks after what brokers left running in containers: it forks a
 * cleaner at its start and when a child was killed by a signal, both times
 * again soon after, and once a minute for brokers that were another zygote's.
 */
#include "broker.h"

#include "jumpbox/log.h"
#include "jumpbox/privs.h"
#include "jumpbox/role.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <curl/curl.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SWEEP_MS = 60000,
	SOON_MS = 3000, /* what kills one broker often kills others, which another zygote had */
};

static struct {
	struct config cfg;
	pid_t cleaner;	  /* 0: none runs */
	int64_t clean_at; /* when the next is due */
	bool settled;	  /* the one after a start or a death was the last */
} zyg;

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

/* ---- brokers ------------------------------------------------------------------------ */

static void
run_broker(const struct zygote_conn *c)
{
	int64_t age = now_unix_ms() - (int64_t)c->accepted;
	struct broker b = { .cfg = &zyg.cfg,
		.conn = c->conn,
		.peer_port = c->peer_port,
		.local_port = c->local_port,
		.pair = c->fd[0],
		.status = c->fd[1] };

	prctl(PR_SET_NAME, "jb-broker"); /* for ps: the zygote keeps the program's name */
	str_copy(b.peer, sizeof(b.peer), c->peer);
	str_copy(b.local, sizeof(b.local), c->local);
	b.grace_from = now_mono_ms() - (age > 0 && age < 60000 ? age : 0);
	broker_run(&b);
}

/* ---- the cleaner ---------------------------------------------------------------------- */

static void
died(pid_t pid, int status)
{
	if (pid == zyg.cleaner) {
		zyg.cleaner = 0;
	} else if (WIFSIGNALED(status)) {
		zyg.clean_at = now_mono_ms();
		zyg.settled = false;
	}
}

/* One at a time: what became due meanwhile starts when it has ended. */
static int64_t
tick(int64_t now)
{
	if (zyg.cleaner == 0 && zyg.clean_at <= now) {
		zyg.clean_at = now + (zyg.settled ? SWEEP_MS : SOON_MS);
		zyg.settled = true;
		zyg.cleaner = zygote_fork(-1, -1);
		if (zyg.cleaner == 0) {
			prctl(PR_SET_NAME, "jb-cleaner");
			cleaner(&zyg.cfg);
		}
		if (zyg.cleaner < 0)
			zyg.cleaner = 0;
	}
	return zyg.cleaner == 0 ? zyg.clean_at : 0;
}

int
zygote(void)
{
	static const struct zygote_role role = { run_broker, died, tick };

	role_begin("broker", &zyg.cfg);
	close_range(ROLE_CONFIG_FD, ~0U, 0); /* nothing else is ours */
	umask(077);
	role_confine(SERVICE_USER, NULL);
	warm_up();
	zygote_run(&role);
}
