/*
 * What session and broker say to each other.  The session asks, the broker
 * decides.  Types, field layouts and limits; docs/ARCHITECTURE.md draws the
 * same table.  Every reply carries the id of its request.  Request ids are
 * chosen by the session: never 0, each greater than the one before; the id of
 * an ATTACH names that attach from then on.
 *
 *	session -> broker   fields                                     reply
 *	REQ_SIGN            u32 key, u32 digest, bytes data            REP_SIGN bytes signature
 *	REQ_VERIFY          bytes signature, bytes tbs                 REP_VERIFY u32 good
 *	REQ_PASSWORD        str login, str password                    REP_AUTH
 *	REQ_OFFER           str login, bytes blob                      REP_OFFER u32 acceptable
 *	REQ_KEY_LOGIN       str login                                  REP_AUTH
 *	REQ_NEW_PASSWORD    str password                               REP_NEW_PASSWORD u32 ok, str why
 *	REQ_TARGET          -                                          REP_TARGET
 *	REQ_LIST            u32 offset                                 REP_LIST
 *	REQ_ATTACH          u64 ref, u32 kind, u32 tty, u32 cols,
 *	                    u32 rows, str term, u32 nenv,
 *	                    nenv x (str name, str value), str command  REP_ATTACH (+ stream fd)
 *	REQ_CANCEL          u32 attach                                 - (the ATTACH is answered)
 *	REQ_RESIZE          u32 attach, u32 cols, u32 rows             -
 *	REQ_SIGNAL          u32 attach, str name ("TERM")              -
 *	REQ_STATUS          u32 attach                                 REP_STATUS
 *	REQ_DETACH          u32 attach, u64 in, u64 out, str how       -
 *	REQ_LOG             u32 level, str event, str text             -
 *	REQ_LANGUAGE        u32 language (enum language of words.h)    -
 *
 *	broker -> session
 *	REP_AUTH            u32 outcome, str user, str language, str menu    (the user's settings, "" none)
 *	REP_TARGET          u32 code, str message, u64 ref, u32 n, n x str candidate
 *	REP_LIST            u32 total, u32 offset, u32 n,
 *	                    n x (u64 ref, str id, str name, str node, str state,
 *	                         str image, u64 since, u32 perms)             (total LIST_FAILED: nothing more)
 *	REP_ATTACH          u32 code, str message                      (code 0: one fd)
 *	REP_STATUS          u32 state, u32 code                        (see enum run_state)
 *	EVT_END             u32 code, str reason, str English    say it everywhere and leave; for log and disconnect
 *	EVT_DETACH          u32 attach, u32 code, str reason    end that one attach
 */
#ifndef JUMPBOX_PROTO_H
#define JUMPBOX_PROTO_H

enum proto_type {
	REQ_SIGN = 1,
	REQ_VERIFY,
	REQ_PASSWORD,
	REQ_OFFER,
	REQ_KEY_LOGIN,
	REQ_NEW_PASSWORD,
	REQ_TARGET,
	REQ_LIST,
	REQ_ATTACH,
	REQ_CANCEL,
	REQ_RESIZE,
	REQ_SIGNAL,
	REQ_STATUS,
	REQ_DETACH,
	REQ_LOG,
	REQ_LANGUAGE,

	REP_SIGN = 101,
	REP_VERIFY,
	REP_AUTH,
	REP_OFFER,
	REP_NEW_PASSWORD,
	REP_TARGET,
	REP_LIST,
	REP_ATTACH,
	REP_STATUS,

	EVT_END = 201,
	EVT_DETACH,
};

/* REQ_SIGN's digest: what EVP_DigestSign was initialised with. */
enum proto_digest { DIGEST_NONE = 0, DIGEST_SHA256 = 256, DIGEST_SHA512 = 512 };

/* REP_AUTH */
enum auth_outcome { AUTH_DENIED = 0, AUTH_OK, AUTH_MUST_CHANGE };

/* REQ_ATTACH */
enum attach_kind { ATTACH_SHELL = 1, ATTACH_EXEC };

/* DETACH's how, when the client has gone. */
#define HOW_LOST "lost connection"

/* REP_STATUS; code is the exit code when RUN_EXITED */
enum run_state { RUN_RUNNING = 1, RUN_EXITED, RUN_UNKNOWN };

/* REP_TARGET's code when the login named no container; otherwise 0 or -enum jb_err. */
enum { TARGET_NONE = 1 };

/* REP_LIST's total when the database does not answer: that is not an empty list. */
#define LIST_FAILED UINT32_MAX

enum {
	MAX_LOGIN = 256, /* USER+NODE+CONTAINER as the client sent it */
	MAX_PASSWORD = 1024,
	MAX_KEY_BLOB = 4096,
	MAX_SIGN_DATA = 64, /* an exchange hash */
	MAX_TBS = 8192,
	MAX_COMMAND = 131072, /* exec strings of 128 KiB work */
	MAX_ENV = 32,
	MAX_ENV_NAME = 64,
	MAX_ENV_VALUE = 1024,
	MAX_TERM = 64,
	MAX_REASON = 256,
	MAX_HOW = 31, /* DETACH's how */
	MAX_SETTING = 15,
	MAX_EVENT = 31, /* LOG */
	MAX_LOG_TEXT = 1024,
	MAX_ATTACHES = 1024, /* open at once on one connection */
	LIST_PAGE = 200,     /* REP_LIST rows a message */
	MAX_CANDIDATES = 20,
	DEFAULT_COLS = 80,
	DEFAULT_ROWS = 24,
	MAX_SIDE = 1000, /* of a terminal */
};

#endif
