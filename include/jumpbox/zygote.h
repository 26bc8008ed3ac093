/*
 * What the supervisor and its zygotes say to each other, over a
 * SOCK_SEQPACKET pair, the descriptors every role is started with, and what
 * the zygotes share.
 *
 *	supervisor -> zygote   ZYG_CONN   u64 conn, str peer, u32 peer port,
 *	                                  str local, u32 local port, u64 accepted (unix ms)
 *	                                  fds to the session zygote: client, pair end
 *	                                  fds to the broker zygote: pair end, status end
 *	zygote -> supervisor   ZYG_READY  -
 *	                       ZYG_EXIT   u64 conn, u32 wait status, for each that was forked
 *
 * Status socket (SOCK_STREAM, single bytes):
 *	broker -> supervisor   STATUS_LOGIN     the connection is authenticated
 *	                       STATUS_MENU      a menu is open: it wants to hear of the inventory
 *	                       STATUS_NO_MENU   it no longer does
 *	supervisor -> broker   STATUS_POLICY    the database's policy epoch moved
 *	                       STATUS_INVENTORY containers or nodes changed (to those with a menu)
 *	                       STATUS_DROP      leave now, silently (a limit)
 *	                       STATUS_SHUTDOWN  leave within 10 s, with a reason
 * End of file towards the supervisor: the broker is gone.  Towards the
 * broker: the supervisor restarted; the broker goes on and reads the policy
 * epoch itself.
 *
 *	watcher -> supervisor  WATCH_ALIVE      -
 *	                       WATCH_POLICY     -
 *	                       WATCH_INVENTORY  -
 *	                       WATCH_NODES      n x (u64 id, u64 revision)
 *
 * The watcher of the database says what it sees change, and at its start that
 * everything did: the policy epoch, the inventory's mark, and the nodes that
 * are in use, each of which the supervisor gives a watcher of its own
 * (`jumpbox-watcher ID`), and another one when its revision moves.  All of them
 * say that they are alive; one that is silent for too long is replaced.
 */
#ifndef JUMPBOX_ZYGOTE_H
#define JUMPBOX_ZYGOTE_H

#include "jumpbox/msg.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum zygote_type { ZYG_CONN = 1, ZYG_READY, ZYG_EXIT };

enum role_fd {
	ROLE_CONTROL_FD = 3, /* SEQPACKET to the supervisor; its end of file is the role's end */
	ROLE_CONFIG_FD = 4,  /* the effective configuration as text (sealed memfd) */
	ROLE_KEYS_FD = 5,    /* host keys without their secrets, as private key files, each with a
				NUL at its end: the session zygote reads them, prepare writes them */
};

enum status_byte {
	STATUS_LOGIN = 'L',
	STATUS_MENU = 'M',
	STATUS_NO_MENU = 'N',
	STATUS_POLICY = 'P',
	STATUS_INVENTORY = 'I',
	STATUS_DROP = 'X',
	STATUS_SHUTDOWN = 'S',
};

enum watch_type { WATCH_ALIVE = 1, WATCH_POLICY, WATCH_INVENTORY, WATCH_NODES };

enum {
	WATCH_MAX_NODES = 8192,	      /* in one message */
	WATCH_DATABASE_SILENT_S = 30, /* it looks each second, and says so every ten */
	WATCH_NODE_SILENT_S = 120,    /* an engine may take long over everything */
};

/* ---- ZYG_CONN ----------------------------------------------------------- */

struct zygote_conn {
	uint64_t conn;
	char peer[64], local[64];
	unsigned peer_port, local_port;
	uint64_t accepted; /* unix ms */
	int fd[2];	   /* session: client, pair end; broker: pair end, status end */
};

/* The message owns the descriptors from here on. */
void zygote_conn_put(struct msg *m, const struct zygote_conn *c);
/* False: it is no ZYG_CONN.  The descriptors are the caller's. */
bool zygote_conn_get(struct msg *m, struct zygote_conn *c);

/* ---- a zygote ----------------------------------------------------------- */

struct zygote_role {
	/* In a fresh process, with nothing open but 0, 1, 2 and the two; does not return. */
	void (*child)(const struct zygote_conn *c);
	/* A child has ended; NULL: it does not matter. */
	void (*died)(pid_t pid, int status);
	/* Once at the start and after whatever happened; returns when it wants to be called at
	 * the latest (monotonic ms, 0: never).  NULL: there is nothing to do by time. */
	int64_t (*tick)(int64_t now);
};

/* Reports ready, serves the supervisor until it lets go, and exits. */
_Noreturn void zygote_run(const struct zygote_role *role);

/*
 * Another child, for died() and tick(): as fork(), with no signal blocked and
 * nothing open but 0, 1, 2 and these two (-1: none).  Logs why there is none.
 */
pid_t zygote_fork(int a, int b);

#endif
