/*
 * A laboratory for hostile sessions: the real broker on a database of its
 * own, and connections to it that say whatever they like.  Tests only.
 */
#ifndef HOSTILE_LAB_H
#define HOSTILE_LAB_H

#include "jumpbox/log.h"
#include "jumpbox/msg.h"
#include "jumpbox/proto.h"
#include "jumpbox/util.h"
#include "jumpbox/zygote.h"

#include <openssl/evp.h>
#include <sys/types.h>

enum { WAIT_MS = 30000 };

struct lab {
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
};
extern struct lab lab;

/* One connection as its session sees it. */
struct peer {
	int pair, status;
	uint32_t id;
	uint8_t hash[32]; /* the session id */
};

/* ---- hostile_lab.c ------------------------------------------------------- */

_Noreturn void die(const char *what);
void must(bool good, const char *what);
void start_broker(void);
/* Asks the zygote to end, by end of file: whether it did. */
bool stop_broker(void);
/* How many lines of that event were logged since the last time. */
unsigned logged(const char *event);

/* ---- hostile_peer.c ------------------------------------------------------ */

struct peer peer_open(void);
void peer_close(struct peer *p);
void put_msg(struct peer *p, struct msg *m);
/* The next message: 0, or JB_UNAVAILABLE at the end. */
int get_msg(struct peer *p, struct msg *m);
/* The first u32 of the next message if it is of that type, else -1. */
int64_t answer(struct peer *p, uint32_t type);
void sign(struct peer *p, uint32_t key, uint32_t digest, size_t n);
void ask_strings(struct peer *p, uint32_t type, const char *a, const char *b);
bool kex(struct peer *p);
bool login(struct peer *p, const char *user, enum auth_outcome want);
/* A signature of alice's key over a login as `user` in the session `hash`. */
void verify(struct peer *p, const char *user, const uint8_t *hash, bool good);
void attach(struct peer *p, uint64_t ref, uint32_t kind, uint32_t nenv, const char *command);
/* ... to be carried by that helper. */
void attach_by(struct peer *p, uint64_t ref, uint32_t kind, uint32_t nenv, const char *command,
    uint32_t helper);
bool list(struct peer *p, int64_t want);
void numbers(struct peer *p, uint32_t type, unsigned n, uint32_t first);
/* n numbers behind the ref, all the same. */
void on_container(struct peer *p, uint32_t type, uint64_t ref, unsigned n, uint32_t first);
void query(struct peer *p, uint32_t what, uint32_t offset);
void change(struct peer *p, uint32_t what, const char *arg, const char *text);
/* A well-formed request of each type. */
void well_formed(struct peer *p, uint32_t type);

/* ---- hostile_cases.c ----------------------------------------------------- */

struct hostile {
	const char *name;
	/* Prepares and attacks; false when the preparation itself failed. */
	bool (*play)(struct peer *p, uint32_t arg);
	uint32_t arg;
};
extern const struct hostile hostile_cases[]; /* the last has no name */

#endif
