/*
 * What the supervisor and its zygotes say to each other, over a
 * SOCK_SEQPACKET pair, and the descriptors every role is started with.
 *
 *	supervisor -> zygote   ZYG_CONN   u64 conn, str peer, u32 peer port,
 *	                                  str local, u32 local port, u64 accepted (unix ms)
 *	                                  fds to the session zygote: client, pair end
 *	                                  fds to the broker zygote: pair end, status end
 *	zygote -> supervisor   ZYG_READY  -
 *	                       ZYG_EXIT   u64 conn, u32 wait status
 *
 * Status socket (SOCK_STREAM, single bytes):
 *	broker -> supervisor   STATUS_LOGIN     the connection is authenticated
 *	supervisor -> broker   STATUS_POLICY    the database's policy epoch moved
 *	                       STATUS_DROP      leave now, silently (a limit)
 *	                       STATUS_SHUTDOWN  leave within 10 s, with a reason
 * End of file towards the supervisor: the broker is gone.  Towards the
 * broker: the supervisor restarted; the broker goes on and reads the policy
 * epoch itself.
 *
 * The watcher of the database writes WATCH_POLICY to its WATCH_FD for each
 * change it sees and for what it finds when it starts, and WATCH_ALIVE every
 * 10 s.  One that is silent for 30 s is replaced.
 */
#ifndef JUMPBOX_ZYGOTE_H
#define JUMPBOX_ZYGOTE_H

enum zygote_type { ZYG_CONN = 1, ZYG_READY, ZYG_EXIT };

enum role_fd {
	ROLE_CONTROL_FD = 3, /* zygotes: SEQPACKET to the supervisor; watcher: stream to it */
	ROLE_CONFIG_FD = 4,  /* the effective configuration as text (sealed memfd) */
	ROLE_KEYS_FD =
	    5, /* session zygote: public halves of the host keys, one OpenSSH line each */
};

enum status_byte {
	STATUS_LOGIN = 'L',
	STATUS_POLICY = 'P',
	STATUS_DROP = 'X',
	STATUS_SHUTDOWN = 'S',
};

enum watch_byte { WATCH_ALIVE = 'A', WATCH_POLICY = 'P' };

#endif
