/*
 * One connection of hostile.c: a session that says whatever it likes.  Tests
 * only.
 */
#include "hostile_lab.h"

#include "jumpbox/errors.h"
#include "jumpbox/policy.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a connection -------------------------------------------------------------------- */

struct peer
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

void
peer_close(struct peer *p)
{
	close(p->pair);
	close(p->status);
}

void
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
int
get_msg(struct peer *p, struct msg *m)
{
	msg_init(m, 0, 0);
	return readable(p->pair, WAIT_MS) ? msg_recv(p->pair, m) : JB_TRY_AGAIN;
}

/* The first u32 of the next message if it is of that type, else -1. */
int64_t
answer(struct peer *p, uint32_t type)
{
	struct msg m;
	int64_t v = -1;

	if (get_msg(p, &m) == 0 && m.type == type)
		v = msg_get_u32(&m);
	msg_release(&m);
	return v;
}

void
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

void
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

bool
kex(struct peer *p)
{
	sign(p, 0, DIGEST_NONE, sizeof(p->hash));
	return answer(p, REP_SIGN) == 64;
}

bool
login(struct peer *p, const char *user, enum auth_outcome want)
{
	if (!kex(p))
		return false;
	ask_strings(p, REQ_PASSWORD, user, "correct horse");
	return answer(p, REP_AUTH) == want;
}

/* A signature of alice's key over a login as `user` in the session `hash`. */
void
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

void
attach(struct peer *p, uint64_t ref, uint32_t kind, uint32_t nenv, const char *command)
{
	attach_by(p, ref, kind, nenv, command, 0);
}

void
attach_by(struct peer *p, uint64_t ref, uint32_t kind, uint32_t nenv, const char *command,
    uint32_t helper)
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
	msg_put_str(&m, "");
	msg_put_str(&m, "");
	msg_put_u32(&m, helper);
	put_msg(p, &m);
}

bool
list(struct peer *p, int64_t want)
{
	struct msg m;

	msg_init(&m, REQ_LIST, 0);
	msg_put_u32(&m, 0);
	msg_put_u64(&m, 0);
	put_msg(p, &m);
	return answer(p, REP_LIST) == want;
}

void
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

void
on_container(struct peer *p, uint32_t type, uint64_t ref, unsigned n, uint32_t first)
{
	struct msg m;

	msg_init(&m, type, 0);
	msg_put_u64(&m, ref);
	for (unsigned i = 0; i < n; i++)
		msg_put_u32(&m, first);
	put_msg(p, &m);
}

void
query(struct peer *p, uint32_t what, uint32_t offset)
{
	struct msg m;

	msg_init(&m, REQ_QUERY, 0);
	msg_put_u32(&m, what);
	msg_put_u32(&m, offset);
	put_msg(p, &m);
}

void
change(struct peer *p, uint32_t what, const char *arg, const char *text)
{
	struct msg m;

	msg_init(&m, REQ_CHANGE, 0);
	msg_put_u32(&m, what);
	msg_put_str(&m, arg);
	msg_put_str(&m, text);
	put_msg(p, &m);
}

void
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
		msg_put_bytes(&m, lab.blob, sizeof(lab.blob));
		put_msg(p, &m);
		break;
	case REQ_KEY_LOGIN:
	case REQ_NEW_PASSWORD:
	case REQ_CODE:
	case REQ_ENROL:
	case REQ_CONFIRM:
		ask_strings(p, type, "alice", NULL);
		break;
	case REQ_TARGET:
		ask_strings(p, type, "", NULL);
		break;
	case REQ_PASSWD:
		ask_strings(p, type, "correct horse", "battery staple");
		break;
	case REQ_LOGS:
		on_container(p, type, lab.mine, 2, 1);
		break;
	case REQ_STATS:
	case REQ_DETAILS:
		on_container(p, type, lab.mine, 0, 0);
		break;
	case REQ_POWER:
		on_container(p, type, lab.mine, 1, POWER_START);
		break;
	case REQ_QUERY:
		query(p, QUERY_KEYS, 0);
		break;
	case REQ_CHANGE:
		change(p, CHANGE_KEY_DEL, "SHA256:x", "");
		break;
	case REQ_ATTACH:
		attach(p, lab.mine, ATTACH_SHELL, 0, "");
		break;
	case REQ_HELPER:
		on_container(p, type, lab.mine, 1, PERM_FILES);
		break;
	case REQ_NOTE:
		msg_init(&m, type, 0);
		msg_put_u32(&m, 1);
		msg_put_str(&m, "open path=\"/x\" for=read");
		put_msg(p, &m);
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
		msg_put_u32(&m, 0);
		put_msg(p, &m);
		break;
	case REQ_LIST:
		msg_init(&m, type, 0);
		msg_put_u32(&m, 0);
		msg_put_u64(&m, 0);
		put_msg(p, &m);
		break;
	default: /* CANCEL, STATUS, FOLLOW */
		numbers(p, type, 1, 1);
	}
}
