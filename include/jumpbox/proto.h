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
 *	REQ_NEW_PASSWORD    str password                               REP_NEW_PASSWORD u32 outcome, str why
 *	REQ_TARGET          str text ("" the login name's, else
 *	                    NAME or NODE+NAME)                         REP_TARGET
 *	REQ_LIST            u32 offset, u64 since                      REP_LIST
 *	REQ_ATTACH          u64 ref, u32 kind, u32 tty, u32 cols,
 *	                    u32 rows, str term, u32 nenv,
 *	                    nenv x (str name, str value), str command,
 *	                    str run-as, str shell ("": the grant's,
 *	                    the login shell), u32 helper (that is to
 *	                    carry it; 0: none)                         REP_ATTACH (+ stream fd)
 *	REQ_CANCEL          u32 request: of an ATTACH that is not open - (it is answered),
 *	                    or of any of DETAILS to POWER (not answered any more, figures and logs end)
 *	REQ_RESIZE          u32 attach, u32 cols, u32 rows             -
 *	REQ_SIGNAL          u32 attach, str name ("TERM")              -
 *	REQ_STATUS          u32 attach                                 REP_STATUS
 *	REQ_DETACH          u32 attach, u64 in, u64 out, str how,
 *	                    u32 exit (what a helper carried: its code
 *	                    and 1; 0: not known)                       -
 *	REQ_LOG             u32 level, str event, str text             -
 *	REQ_LANGUAGE        u32 language (enum language of words.h)    -
 *	REQ_DETAILS         u64 ref                                    REP_DETAILS
 *	REQ_STATS           u64 ref                                    REP_STATS, then EVT_STATS
 *	REQ_LOGS            u64 ref, u32 tail, u32 follow              REP_LOGS (+ stream fd)
 *	REQ_POWER           u64 ref, u32 what                          REP_POWER
 *	REQ_QUERY           u32 what, u32 offset                       REP_QUERY
 *	REQ_CHANGE          u32 what, str arg, str text                REP_CHANGE
 *	REQ_PASSWD          str old, str new                           REP_NEW_PASSWORD
 *	REQ_FOLLOW          u32 on                                     - (EVT_CHANGED while on)
 *	REQ_REPLAY          u64 session, u32 number (0: its only one),
 *	                    u32 watch (one that is being made)         REP_REPLAY (+ the recording's fd)
 *	REQ_CODE            str code                                   REP_AUTH
 *	REQ_ENROL           str code ("" none yet)                     REP_ENROL
 *	REQ_CONFIRM         str code                                   REP_CONFIRM
 *	REQ_HELPER          u64 ref, u32 want (one of enum perm)       REP_HELPER (+ stream fd)
 *	REQ_NOTE            u32 helper, str line: what its container says of files   -
 *
 *	broker -> session
 *	REP_AUTH            u32 outcome, str user, str language, str menu,   (the user's settings, "" none)
 *	                    u32 recovery                               (a recovery code was used: 1 + those left)
 *	REP_TARGET          u32 code, str message, u64 ref, u32 n, n x str candidate
 *	REP_LIST            u32 total, u32 offset, u64 mark, u32 n, n x row,
 *	                    u32 ngone, ngone x u64 ref                 (total LIST_FAILED: nothing more)
 *	row                 u64 ref, str id, str name, str node, str state, str health, str image,
 *	                    str service, str labels, str owner, str ports, str region, u64 created,
 *	                    u64 started, u64 finished, u64 node_seen, u64 used, u32 exit_code,
 *	                    u32 perms, u32 flags
 *	REP_ATTACH          u32 code, str message, u32 recorded,
 *	                    u32 carried, u32 nenv, nenv x str          (code 0: the stream's fd; carried: none, but
 *	                                                                NAME=VALUE for OPEN_EXEC on the helper's;
 *	                                                                recorded: and the recording's, to append to)
 *	REP_STATUS          u32 state, u32 code                        (see enum run_state)
 *	REP_ENROL           u32 code, str message, str secret, str url,
 *	                    u32 side, bytes modules                    (a picture of url; code ENROL_CODE: ask for one)
 *	REP_CONFIRM         u32 outcome, str why, u32 n, n x str recovery code
 *	EVT_END             u32 code, str reason, str English    say it everywhere and leave; for log and disconnect
 *	EVT_DETACH          u32 request, u32 code, str reason   end that one attach, or figures, or logs
 *	REP_DETAILS         u32 code, str message, u32 n, n x (u32 key, str value)   (enum detail_key)
 *	REP_STATS           u32 code, str message, str name             (the container's, now)
 *	EVT_STATS           u32 request, u64 cpu (1/100 %), u64 mem, u64 mem-limit, u64 net-rx, u64 net-tx,
 *	                    u64 blk-read, u64 blk-write, u32 pids       once a second until CANCEL
 *	REP_LOGS            u32 code, str message, u32 framed           (code 0: one fd)
 *	REP_POWER           u32 code, str message                       (code 0: what was done)
 *	REP_QUERY           u32 code, str message, u32 total, u32 offset, u32 ncols, u32 n, n x ncols x str
 *	REP_CHANGE          u32 code, str message                       (code 0: what was done)
 *	REP_REPLAY          u32 code, str message, str user, str node/container, u64 opened   (code 0: one fd)
 *	EVT_NOTICE          u32 attach, u64 when       it ends then; 0: the account does (when 0: never)
 *	EVT_ENDING          u64 when, str name, u32 more   so does access to what is listed: to that
 *	                                               container and to so many more (when 0: to none soon)
 *	EVT_CHANGED         u32 anew                   something changed; anew 1: marks are void
 *	REP_HELPER          u32 code, str message, u32 perms           (code 0: the stream's fd; HELLO of
 *	                                                                mux.h is on it; then it is an ATTACH)
 *
 * LIST since 0 is everything; since the mark of an earlier answer it is what
 * changed after it: rows, and the refs that are no more.  Pages are asked for
 * while offset + LIST_PAGE < total; of a page some rows may have gone.  A row's
 * state is docker's word ("running", "exited", ...), or "unreachable" while its
 * node is; node_seen is when the node last answered, used when this user was
 * last in the container (0: never), labels a JSON object, cut at a whole pair,
 * region the node's, "" where none is set.
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
	REQ_DETAILS,
	REQ_STATS,
	REQ_LOGS,
	REQ_POWER,
	REQ_QUERY,
	REQ_CHANGE,
	REQ_PASSWD,
	REQ_FOLLOW,
	REQ_REPLAY,
	REQ_CODE,
	REQ_ENROL,
	REQ_CONFIRM,
	REQ_HELPER,
	REQ_NOTE,

	REP_SIGN = 101,
	REP_VERIFY,
	REP_AUTH,
	REP_OFFER,
	REP_NEW_PASSWORD,
	REP_TARGET,
	REP_LIST,
	REP_ATTACH,
	REP_STATUS,
	REP_DETAILS,
	REP_STATS,
	REP_LOGS,
	REP_POWER,
	REP_QUERY,
	REP_CHANGE,
	REP_REPLAY,
	REP_ENROL,
	REP_CONFIRM,
	REP_HELPER,

	EVT_END = 201,
	EVT_DETACH,
	EVT_STATS,
	EVT_CHANGED,
	EVT_NOTICE,
	EVT_ENDING,
};

/* REQ_SIGN's digest: what EVP_DigestSign was initialised with. */
enum proto_digest { DIGEST_NONE = 0, DIGEST_SHA256 = 256, DIGEST_SHA512 = 512 };

/* REP_AUTH; of REP_NEW_PASSWORD and REP_CONFIRM, too: what is due after it, or that it was refused. */
enum auth_outcome {
	AUTH_DENIED = 0,
	AUTH_OK,
	AUTH_MUST_CHANGE, /* logged in, but a new password is due first */
	AUTH_SECOND,	  /* not logged in yet: a one-time code is wanted, too */
	AUTH_MUST_ENROL,  /* logged in, but must enrol for one-time codes first */
};

/* REP_ENROL's code: whoever is enrolled proves it first. Otherwise 0 or -enum jb_err. */
enum { ENROL_CODE = 1 };

/* REQ_ATTACH; the last one is REQ_HELPER's. */
enum attach_kind { ATTACH_SHELL = 1, ATTACH_EXEC, ATTACH_HELPER };

/* DETACH's how, when the client has gone. */
#define HOW_LOST "lost connection"

/* REP_STATUS; code is the exit code when RUN_EXITED */
enum run_state { RUN_RUNNING = 1, RUN_EXITED, RUN_UNKNOWN };

/* REP_TARGET's code when the login named no container; otherwise 0 or -enum jb_err. */
enum { TARGET_NONE = 1 };

/* REP_DETAILS: what a row is.  Times are Unix seconds; those marked * may repeat. */
enum detail_key {
	DETAIL_NAME = 1,
	DETAIL_ID,
	DETAIL_NODE,
	DETAIL_STATE,
	DETAIL_HEALTH,
	DETAIL_EXIT_CODE,
	DETAIL_OOM, /* "yes", or no such row */
	DETAIL_IMAGE,
	DETAIL_COMMAND,
	DETAIL_USER, /* the image's, or what the container was made with */
	DETAIL_WORKDIR,
	DETAIL_CREATED,
	DETAIL_STARTED,
	DETAIL_FINISHED,
	DETAIL_RESTART,
	DETAIL_GPU,	/* * */
	DETAIL_PORT,	/* * */
	DETAIL_NETWORK, /* * */
	DETAIL_MOUNT,	/* * */
	DETAIL_LABEL,	/* * KEY=VALUE */
	DETAIL_ENV,	/* * the name alone */
	DETAIL_RUN_AS,	/* * a run-as that ATTACH may ask for; "*": any */
	DETAIL_CUT, /* "yes": a value was, or rows beyond DETAIL_ROWS were left out; or no such row */
	DETAIL_KEYS, /* not a key */
};

/* REQ_POWER */
enum power { POWER_START = 1, POWER_STOP, POWER_RESTART };

/*
 * REQ_QUERY: the columns of each.  WHO, NODES and RECORDED (the newest
 * RECORDINGS_SHOWN) are for administrators.
 * Times are Unix seconds, "0": never.
 *
 *	QUERY_WHO      id user source method started container host
 *	QUERY_NODES    name state state-since last-seen address region enabled error
 *	QUERY_KEYS     fingerprint algorithm comment from until created
 *	QUERY_ACCOUNT  key value: name, role, ... in the order of do_query.c
 *	QUERY_RECORDED session number user container opened closed
 */
enum query { QUERY_WHO = 1, QUERY_NODES, QUERY_KEYS, QUERY_ACCOUNT, QUERY_RECORDED };

/* REQ_CHANGE: the user's own keys; KILL is for administrators. */
enum change_what {
	CHANGE_KEY_ADD = 1, /* arg: the line of an id_*.pub file */
	CHANGE_KEY_DEL,	    /* arg: the fingerprint */
	CHANGE_KILL,	    /* arg: the session's number, text: the reason or "" */
};
/* A row's flags. */
enum row_flag { ROW_OOM = 1 << 0, ROW_GPU = 1 << 1 };

/* REP_LIST's total when the database does not answer: that is not an empty list. */
#define LIST_FAILED UINT32_MAX

enum {
	MAX_LOGIN = 256, /* USER+NODE+CONTAINER as the client sent it */
	MAX_PASSWORD = 1024,
	MAX_CODE = 63, /* one-time or recovery */
	MAX_QR_SIDE = 57,
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
	LIST_PAGE = 100,     /* REP_LIST rows a message */
	GONE_PAGE = 1000,    /* and refs that are no more */
	MAX_ROW_LABELS = 512,
	MAX_ROW_PORTS = 128,
	MAX_CANDIDATES = 20,
	MAX_ACTIONS = 64, /* DETAILS to POWER that are unanswered or go on, of one connection */
	DETAIL_ROWS = 200,
	DETAIL_MAX = 512, /* bytes of one value */
	QUERY_PAGE = 40,
	QUERY_COLS = 8,
	QUERY_CELL = 256, /* bytes of one cell */
	MAX_RUN_AS = 65,
	MAX_SHELL = 128,
	MAX_TAIL = 100000, /* lines of a log that are asked for */
	MAX_KEY_LINE = 8192,
	MAX_FINGERPRINT = 128, /* of a key that is to be removed */
	MAX_SESSION_ID = 24,   /* digits of the one to be ended */
	MAX_NOTE = 4096,
	MAX_AGENT_PATH = 107,	 /* of a unix socket */
	MAX_NOTES = 200,	 /* that are taken in a second, */
	MAX_NOTES_AHEAD = 10000, /* and so many more at once */
	DEFAULT_COLS = 80,
	DEFAULT_ROWS = 24,
	MAX_SIDE = 1000, /* of a terminal */
};

#endif
