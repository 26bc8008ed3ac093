/*
 * What the files of one broker share: the state of its connection.  One
 * process, one connection, one poll loop (broker.c).  Only SQLite and a
 * signature block it; whatever may take time is a child (child.h).
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "jumpbox/config.h"
#include "jumpbox/docker.h"
#include "jumpbox/keys.h"
#include "jumpbox/msg.h"
#include "jumpbox/policy.h"
#include "jumpbox/proto.h"
#include "jumpbox/store.h"
#include "jumpbox/target.h"
#include "jumpbox/zygote.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Bits, because a request names the states that allow it. */
enum broker_state {
	STATE_KEX = 1 << 0,	    /* no host-key signature yet, so no session id */
	STATE_PREAUTH = 1 << 1,	    /* nobody yet */
	STATE_CHECKING = 1 << 2,    /* a password is being checked or made */
	STATE_MUST_CHANGE = 1 << 3, /* logged in, but needs a new password first */
	STATE_AUTHED = 1 << 4,
	STATE_ENDING = 1 << 5, /* EVT_END was sent */
	STATE_SECOND = 1 << 6, /* nobody yet: one factor is proven, a one-time code is awaited */
	STATE_MUST_ENROL = 1 << 7, /* logged in, but must enrol for one-time codes first */
};

enum {
	END_LIMIT_MS = 2000, /* from EVT_END or EVT_DETACH until the session must have obeyed */
	CLEANUP_LIMIT_MS = 12000, /* for ending what still runs after the session has gone */
	ENROL_LIMIT_MS = 600000,  /* for who must enrol: an app has to be found */
	SHUTDOWN_LIMIT_MS = 7000, /* the same, when the host shuts down */
	GRACE_MARGIN_MS = 3000,	  /* beyond login-grace-time, which the session keeps first */
	EPOCH_POLL_MS = 2000,	  /* while there is no supervisor to tell of changes */
	REST_MS = 2500,		  /* without work; a menu may have some each second */
	MAX_PENDING_LISTS = 256,
	COMMAND_KEPT = 4096, /* bytes of a command line in the audit */
};

/* Failed passwords are answered at a multiple of this after the request, whatever the reason was.
 */
#ifndef ANSWER_EVERY_MS
#define ANSWER_EVERY_MS 500
#endif

struct child;
struct attached;
struct listing;
struct auth;
struct held_node;
struct unclosed;
struct action;
struct passwd;

struct outgoing {
	struct msg m;
	struct outgoing *next;
};

struct broker {
	const struct config *cfg;
	/* the connection */
	uint64_t conn;
	char peer[64], local[64];
	unsigned peer_port, local_port;
	int64_t grace_from; /* when the time to log in began, on the monotonic clock */
	int pair, status;   /* to the session; to the supervisor (-1: gone) */
	enum broker_state state;
	uint32_t last_id;
	bool done;	    /* the loop ends after this turn */
	bool unsent;	    /* an answer cannot be sent: so does the pair */
	bool shutting_down; /* the host is: there is less time for everything */
	struct outgoing *out, **out_tail;

	struct host_key *key[CONFIG_LIST_MAX]; /* loaded when first used */
	uint8_t session_id[MAX_SIGN_DATA];
	size_t session_id_len;

	/* who */
	struct auth *auth;   /* until logged in (auth.h) */
	struct enrol *enrol; /* a secret that is not confirmed yet (do_enrol.c) */
	unsigned wrong_codes;
	char user[NAME_MAX_LEN + 1];
	int64_t user_id;
	struct target target;
	bool language_set;     /* by the user's own setting */
	int64_t session_row;   /* 0: none */
	int64_t told_expires;  /* when the account does, as the session knows it */
	int64_t told_access;   /* the same of what it was listed */
	char how[MAX_HOW + 1]; /* how the session ended, for its row */

	/* the database; NULL while there is nothing to do */
	struct store *st;
	bool no_store; /* it could not be opened in this turn */
	int64_t epoch; /* policy epoch that recheck last saw; 0: unknown */
	int64_t mark;  /* the same of the inventory, while there is no supervisor to tell of it */

	/* what runs */
	struct child *children;
	struct attached *attached, **attached_tail;
	unsigned nattached;
	bool queue_moves; /* an attach may start that waited */
	bool lost;	  /* the connection, with something open: the session said so */
	uint32_t last_attach, last_action;
	struct action *actions; /* action.c */
	unsigned nactions;
	struct passwd *passwd; /* being changed (do_passwd.c); NULL */
	struct held_node *nodes;
	struct unclosed *unclosed; /* ended, and not recorded yet (closing.c) */
	struct listing *listing;   /* do_list.c */
	bool following;		   /* a menu is open: it wants to hear of changes */
	int64_t notes, notes_at; /* taken beyond what is due, and when that was so (do_helper.c) */
	int64_t notes_late;	 /* when one was waited for in vain, 0: one was taken since */
	bool shown;		 /* it was given a recording: for administrators alone */

	int clock; /* a timer on the wall clock for recheck_until(); -1: none was needed yet */
	int64_t clock_at; /* what it is set to, 0: off */

	/* timers on the monotonic clock, 0: off */
	int64_t rest_at, recheck_at, epoch_at, end_at, closing_at;
};

/* ---- broker.c --------------------------------------------------------- */

/* Serves one connection until it ends; never returns. fds are the broker's now. */
_Noreturn void broker_run(struct broker *b);

/* Queues a message and releases it. */
void broker_send(struct broker *b, struct msg *m);
/* A reply with nothing but one u32. */
void broker_reply_u32(struct broker *b, uint32_t type, uint32_t id, uint32_t value);
/* The session broke the protocol: says so once and ends the pair. */
void broker_protocol(struct broker *b, uint32_t type, const char *what);
/* u32 code, str message: how a reply says what became of a request. why NULL: nothing is to be said.
 */
void broker_put_why(struct msg *m, int code, const struct errtext *why);
/* EVT_END; the connection ends soon. how: for the session's row. */
void broker_end(struct broker *b, int code, const char *how, const struct errtext *why);

/* The open database, or NULL after logging why not. */
struct store *broker_store(struct broker *b);
/* JB_UNAVAILABLE and the sentence for a user whose request needs it. */
int broker_no_database(struct errtext *e);
/* What has waited for the database in vain may wait again. */
void broker_store_turn(struct broker *b);
/*
 * The user who logged in, or the sentence that says why not.  JB_DENIED: gone, whoever has the
 * name by now, and the session is about to be ended for it.
 */
int broker_subject(struct broker *b, struct subject *s, struct errtext *e);
/* The account is still good, and an administrator's if `admin`; else a sentence says what it is not. */
int broker_standing(const struct subject *s, bool admin, struct errtext *e);
/* Before a child that opens the database itself is forked. */
void broker_store_close(struct broker *b);
struct actor broker_actor(const struct broker *b);
void broker_tell_supervisor(struct broker *b, enum status_byte what);

/* ---- dispatch.c ------------------------------------------------------- */

void dispatch(struct broker *b, struct msg *m);

/* ---- do_*.c: one request each --------------------------------------------- */

/* They put the answer: NULL, or what is wrong with the request, which ends the pair. */
const char *do_sign(struct broker *b, struct msg *m);
const char *do_verify(struct broker *b, struct msg *m);
const char *do_password(struct broker *b, struct msg *m);
const char *do_offer(struct broker *b, struct msg *m);
const char *do_key_login(struct broker *b, struct msg *m);
const char *do_new_password(struct broker *b, struct msg *m);
const char *do_target(struct broker *b, struct msg *m);
const char *do_list(struct broker *b, struct msg *m);
const char *do_attach(struct broker *b, struct msg *m);
const char *do_cancel(struct broker *b, struct msg *m);
const char *do_resize(struct broker *b, struct msg *m);
const char *do_signal(struct broker *b, struct msg *m);
const char *do_status(struct broker *b, struct msg *m);
const char *do_detach(struct broker *b, struct msg *m);
const char *do_log(struct broker *b, struct msg *m);
const char *do_replay(struct broker *b, struct msg *m);
const char *do_language(struct broker *b, struct msg *m);
const char *do_details(struct broker *b, struct msg *m);
const char *do_stats(struct broker *b, struct msg *m);
const char *do_logs(struct broker *b, struct msg *m);
const char *do_power(struct broker *b, struct msg *m);
const char *do_query(struct broker *b, struct msg *m);
const char *do_change(struct broker *b, struct msg *m);
const char *do_passwd(struct broker *b, struct msg *m);
const char *do_follow(struct broker *b, struct msg *m);
const char *do_code(struct broker *b, struct msg *m);
const char *do_enrol(struct broker *b, struct msg *m);
const char *do_confirm(struct broker *b, struct msg *m);
const char *do_helper(struct broker *b, struct msg *m);
const char *do_note(struct broker *b, struct msg *m);

/* ---- login.c, do_password.c -------------------------------------------------------- */

void auth_release(struct broker *b);
/* The next instant at which it wants to be called, 0: none; and that call. */
int64_t auth_deadline(const struct broker *b);
void auth_tick(struct broker *b, int64_t now);

/* ---- do_language.c ---------------------------------------------------- */

/* The user's own; "": none. */
void language_setting(struct broker *b, const char *setting);
/* ---- do_enrol.c ------------------------------------------------------- */

void enrol_release(struct broker *b);

/* ---- do_list.c -------------------------------------------------------- */

bool list_knows(const struct broker *b, uint64_t ref);
/* To a session that follows.  anew: what may be reached may have changed, too. */
void list_changed(struct broker *b, bool anew);
void list_rest(struct broker *b);
void list_release(struct broker *b);

/* ---- waiting.c -------------------------------------------------------- */

int64_t waiting_deadline(const struct broker *b);
void waiting_tick(struct broker *b, int64_t now);
void waiting_release(struct broker *b);

/* ---- do_passwd.c ------------------------------------------------------- */

void passwd_release(struct broker *b);

/* ---- recheck.c -------------------------------------------------------- */

/* The account, a wish to kill the session, and every attach, decided anew. */
void recheck(struct broker *b);
/* Reads the policy epoch; recheck() if it moved. */
void recheck_epoch(struct broker *b);
/* A decision may change by time alone at `until` (unix s, 0: never): sets the timer. */
void recheck_until(struct broker *b, int64_t until);

/* ---- notice.c --------------------------------------------------------- */

/* Tells the session when the account expires, if it does not know. */
void notice_account(struct broker *b, int64_t expires);

/* The access that ends first, of all that is listed. */
struct first_end {
	int64_t when; /* unix s, 0: none does */
	char name[256];
	uint32_t more; /* containers, beside that one */
};
/* until: when what may be done there changes. */
void notice_consider(
    struct first_end *e, const struct subject *s, const struct facts *f, int64_t until);
/* After a whole list: tells the session, in time, if it does not know. */
void notice_access(struct broker *b, const struct first_end *e);

/* ---- closing.c -------------------------------------------------------- */

/* Tries again what could not be recorded. */
void closing_again(struct broker *b);
/* The last of a connection: blocks until its rows are closed, or it is no use. */
void closing_session(struct broker *b, const sigset_t *mask);

/* ---- processes of their own: prepare.c, zygote.c, cleaner.c, shutdown.c -- */

int prepare(void);
int prepare_check(void);
int zygote(void);
int shutdown_sessions(void);
/* Ends what dead brokers of this host left running. */
_Noreturn void cleaner(const struct config *cfg);

#endif
