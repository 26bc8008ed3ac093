/*
 * What the files of jumpbox-session share.  One process serves one
 * connection; the zygote (zygote.c) makes it.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "jumpbox/config.h"
#include "jumpbox/msg.h"

/* libssh calls its message queue deprecated; only there can an answer wait for the broker. */
#define SSH_SUPPRESS_DEPRECATED
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- link.c: the session's end of the pair with its broker ------------- */

void link_init(int fd);
int link_fd(void);
bool link_lost(void);	/* the broker is gone; what is sent goes nowhere */
uint32_t link_id(void); /* the next request id: 1, 2, 3 ... */
/* Sends (waiting if the socket is full) and releases. A broker that is gone ends the process. */
void link_send(struct msg *m);
/*
 * Sends and waits for the message that carries the same id, at most
 * timeout_ms; what else arrives meanwhile is queued for link_next().  The
 * reply is initialised here, released by the caller.  Ends the process if the broker is gone or silent.
 */
void link_call(struct msg *request, struct msg *reply, int timeout_ms);
/* The next queued or received message into an initialised m; false: none now. */
bool link_next(struct msg *m);
/* Messages are queued: poll() would not tell. */
bool link_queued(void);

/* ---- sign.c: EVP_DigestSign and EVP_DigestVerify, as libssh calls them -- */

/* How often libssh called each before link_init(), when they are libcrypto's own. */
struct sign_counts {
	unsigned sign, verify;
};
struct sign_counts sign_counts(void);
/* A signature of the client's was refused since the last call: libssh tells nobody. */
bool sign_refused(void);

/* ---- host_keys.c: the host keys, without their secrets ------------------ */

/* Reads ROLE_KEYS_FD. */
int host_keys_load(int fd, struct errtext *e);
/* A session that answers on fd (owned by the session from here on), with those keys; key exchange not begun. */
ssh_session host_keys_accept(int fd);
/* The number (from 0) of the key in use that has this type, an EVP_PKEY_*; -1: none. */
int host_keys_index(int type);
/* What both are made of, for warmup.c and its own keys; NULL: out of memory. */
ssh_bind host_keys_bind_new(void);
ssh_session host_keys_bind_accept(ssh_bind bind, int fd);

/* ---- warmup.c ---------------------------------------------------------- */

/*
 * Logs in to itself, for each kind of key.  JB_INTERNAL if a signature was
 * made or verified without sign.c: the session must not be served then.
 */
int warmup(struct errtext *e);

/* ---- sandbox.c --------------------------------------------------------- */

int sandbox_prepare(struct errtext *e); /* once, in the zygote */
void sandbox_enter(
    const struct config *cfg); /* in the child: rlimits, seccomp, no log; failure is fatal */

/* ---- serve.c: the connection's loop ------------------------------------ */

/* What the operator has to say: before the login, and in the menu, there as safe text; NULL: nothing. */
struct texts {
	char *banner, *motd;
};

_Noreturn void serve(
    const struct config *cfg, const struct texts *texts, ssh_session ssh, int client);

#endif
