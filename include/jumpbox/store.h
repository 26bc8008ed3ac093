/*
 * The database, and all that knows SQL.  One engine today (SQLite, WAL);
 * nothing outside src/store names it.  Every call is one short transaction
 * with a busy timeout.  0 or an enum jb_err: JB_NOT_FOUND, JB_EXISTS,
 * JB_BAD_INPUT (a constraint), JB_TRY_AGAIN (locked), JB_UNAVAILABLE
 * (unreadable, corrupt, disk full, newer schema).  store_error() is the
 * sentence for the last failure.
 *
 * Rows go to a callback as structs whose strings live until it returns; a
 * callback returning non-zero ends the walk and is what the walk returns.
 * A callback makes no store call that writes.  Strings in structs that a
 * caller fills in are only read.  NULL is "not set" where a comment says so.
 *
 * Admin changes write their audit row in the same transaction: they take the
 * `struct actor` that does it.
 */
#ifndef JUMPBOX_STORE_H
#define JUMPBOX_STORE_H

#include "jumpbox/errors.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct store;

struct actor {
	const char *name;   /* "alice", or "operator:root(uid 0, sudo bob)" from jumpboxctl */
	const char *source; /* client address, or "local" */
	uint64_t conn;	    /* connection id, 0 for jumpboxctl */
};

/* ---- opening ---------------------------------------------------------- */

enum store_mode {
	STORE_OPEN,   /* must exist; migrates an older schema */
	STORE_CREATE, /* made if missing, 0600, owned by the caller */
};
int store_open(const char *path, enum store_mode mode, struct store **st, struct errtext *e);
/* The same for who has no time to wait: each call waits at most busy_ms for other processes. */
int store_open_busy(
    const char *path, enum store_mode mode, int busy_ms, struct store **st, struct errtext *e);
/*
 * From now on, after one call has waited in vain the others wait no more, until
 * the next store_turn(): many waits in a row must not hold up who serves others.
 */
void store_turn(struct store *st);
/* From now on nobody is waited for, until it is taken back. */
void store_hasty(struct store *st, bool hasty);
/*
 * What is read between the two is of one moment, and the file is locked and looked at once and not
 * for each row.  Not for long: what others write meanwhile cannot go into the file itself.
 */
int store_read_begin(struct store *st);
void store_read_end(struct store *st);
/*
 * NULL is fine.  Gives the memory back: opening is cheap (0.3 ms), so who is
 * about to wait for long closes.
 */
void store_close(struct store *st);
const char *store_error(const struct store *st);
/* The same, and what of it a user may be told. */
const struct errtext *store_why(const struct store *st);
/* The last failure was the database's own (locked, full disk, damaged), not an answer of it; its
 * sentence names files and is for the operator. */
bool store_failed(const struct store *st);
/* A consistent copy to a new file (0600), page by page, while in use. JB_EXISTS if the file is
 * there. */
int store_backup(struct store *st, const char *file);
/*
 * Integrity of the file itself: page structure, foreign keys, and that tables
 * and triggers are as they were made.  The first problem goes to e.
 */
int store_integrity(struct store *st, struct errtext *e);

/* ---- policy epoch: bumped by triggers on users, keys, groups, nodes, grants, kill requests --- */

int store_policy_epoch(struct store *st, int64_t *epoch);

/* ---- users ------------------------------------------------------------ */

enum user_role {
	ROLE_NONE,
	ROLE_USER,
	ROLE_ADMIN
}; /* NONE: unknown text in the row, reaches nothing */

/* Whether the account may be used at all: policy.h decides. */
struct standing {
	enum user_role role;
	bool locked;
	int64_t expires; /* 0: never */
};

struct user {
	int64_t id;
	const char *name;
	const char *hash; /* password hash; NULL: no password login */
	struct standing standing;
	bool must_change;
	const char *language, *menu; /* NULL: not set */
	int64_t max_sessions;	     /* 0: as configured */
	int64_t created, last_login; /* 0: never */
	bool totp_required;	     /* by `user set`, whatever is configured */
	bool totp;		     /* enrolled */
	int64_t recovery_codes;	     /* that are left */
};

int user_add(struct store *st, const struct actor *by, const struct user *u);
int user_get(struct store *st, const char *name, int (*fn)(const struct user *, void *), void *arg);
int user_each(struct store *st, int (*fn)(const struct user *, void *), void *arg); /* by name */
int user_set_hash(
    struct store *st, const struct actor *by, const char *name, const char *hash, bool must_change);
/* The user's own new password, if the hash is still `old` (NULL: none). JB_NOT_FOUND: it is not. */
int user_change_hash(
    struct store *st, const struct actor *by, const char *name, const char *old, const char *hash);
/* Re-hash at login: not an admin change, no audit row; only if the hash is still `old`. */
int user_rehash(struct store *st, const char *name, const char *old, const char *hash);
/* Unlocking also ends the user's back-off. */
int user_set_locked(struct store *st, const struct actor *by, const char *name, bool locked);
/*
 * key: role (user admin), language (en zh), menu (full plain), max-sessions,
 * expires (as when_parse), totp (required, or off, which also removes the
 * enrolment); "" is "not set" for language, menu, expires and totp.
 * JB_BAD_INPUT for an unknown key or value.
 */
int user_set(
    struct store *st, const struct actor *by, const char *name, const char *key, const char *value);
int user_del(struct store *st, const struct actor *by,
    const char *name); /* with keys, grants, memberships */

/* ---- the second factor: one-time codes -------------------------------- */

enum { TOTP_SECRET = 20, RECOVERY_CODES = 8, RECOVERY_HASH = 32 };

struct totp {
	uint8_t secret[TOTP_SECRET];
	int64_t last; /* counter of the last code accepted: neither it nor an older one is again */
};

/* The enrolment, to be wiped; JB_NOT_FOUND: the user is not enrolled. */
int totp_get(struct store *st, int64_t user_id, struct totp *t);
/* Uses up a code and all before it, or a recovery code. JB_NOT_FOUND: somebody else did. */
int totp_use(struct store *st, int64_t user_id, int64_t counter);
int totp_use_recovery(struct store *st, int64_t user_id, const uint8_t hash[RECOVERY_HASH]);
/* old: the enrolment that this one replaces; NULL: none.  JB_EXISTS: the user has another. */
int totp_enrol(struct store *st, const struct actor *by, int64_t user_id, const struct totp *t,
    uint8_t recovery[RECOVERY_CODES][RECOVERY_HASH], const struct totp *old);

/* ---- public keys ------------------------------------------------------ */

struct user_key {
	const char *user;
	const char *algorithm;	 /* "ssh-ed25519" */
	const char *blob;	 /* base64 */
	const char *fingerprint; /* "SHA256:..." */
	const char *comment;
	const char *from; /* CIDR list, NULL: anywhere */
	int64_t until;	  /* 0: for ever */
	int64_t created;
};

int key_add(struct store *st, const struct actor *by, const struct user_key *k);
int key_each(
    struct store *st, const char *user, int (*fn)(const struct user_key *, void *), void *arg);
int key_del(struct store *st, const struct actor *by, const char *user, const char *fingerprint);

/* ---- groups ----------------------------------------------------------- */

int group_add(struct store *st, const struct actor *by, const char *name);
int group_del(struct store *st, const struct actor *by, const char *name);
int group_join(struct store *st, const struct actor *by, const char *group, const char *user);
int group_leave(struct store *st, const struct actor *by, const char *group, const char *user);
/* Once per member; user is NULL for a group without members. */
int group_each(struct store *st, int (*fn)(const char *group, const char *user, void *), void *arg);

/* ---- nodes ------------------------------------------------------------ */

struct node {
	int64_t id;
	const char *name, *url;
	const char *ca, *cert, *key; /* PEM, NULL: none */
	bool insecure, enabled;
	const char *region;	/* NULL: not set */
	const char *state;	/* "connected" "failed" "unknown" */
	int64_t last_seen;	/* 0: never */
	const char *last_error; /* NULL: none */
	int64_t state_since;	/* 0: since it was added */
	int64_t revision;	/* another one: its name, address or keys changed, or its use */
	const char *record;	/* "on" "off", NULL: the configuration's */
	const char *helper;	/* "off": none is put into its containers; "on", NULL */
};

int node_add(struct store *st, const struct actor *by, const struct node *n);
int node_get(struct store *st, const char *name, int (*fn)(const struct node *, void *), void *arg);
int node_get_id(struct store *st, int64_t id, int (*fn)(const struct node *, void *), void *arg);
int node_each(struct store *st, int (*fn)(const struct node *, void *), void *arg); /* by name */
/* A copy that outlives the callback. */
struct node *node_dup(const struct node *n);
void node_free(struct node *n); /* wipes the key; NULL is fine */
/* key: url region insecure(yes|no) ca cert key (PEM text; empty removes) record(on|off|empty)
 * helper(on|off|empty) */
int node_set(
    struct store *st, const struct actor *by, const char *name, const char *key, const char *value);
int node_enable(struct store *st, const struct actor *by, const char *name, bool enabled);
int node_del(struct store *st, const struct actor *by, const char *name);
/* Inserts node `name` only while there is none at all (first start). JB_EXISTS otherwise. */
int node_add_first(struct store *st, const struct actor *by, const struct node *n);
/* It answers: state "connected". */
int node_set_connected(struct store *st, int64_t id);
/* It does not: state "failed" and the reason; its containers stay as last seen. */
int node_set_failed(struct store *st, int64_t id, const char *error);
/* 0: it is in use, and still as n says; JB_NOT_FOUND: gone, disabled or changed. */
int node_current(struct store *st, const struct node *n);
/* Those in use that nobody has looked at since they were added. */
int node_count_unseen(struct store *st, int64_t *n);

/* ---- containers, as last seen ----------------------------------------- */

struct container {
	int64_t ref; /* row id, stable while the container exists; what proto.h calls ref */
	int64_t node_id;
	const char *node;	/* node's name */
	const char *node_state; /* node's state */
	const char *region;	/* node's; NULL: not set */
	bool node_enabled;
	const char *id, *name, *image, *state;
	const char *labels; /* JSON object text */
	const char *
	    owner; /* value of the owner label, from the container itself and not its image; NULL */
	const char *service; /* "project/service" (Compose), "SERVICE.SLOT" (Swarm), "" */
	const char *ports;   /* "8080->80/tcp, ..." */
	int64_t created;
	int64_t seen; /* when its node last answered */
	/* Known by looking at it alone.  To store: not inspected leaves the row's as they are. */
	bool inspected;
	const char *health; /* "" "starting" "healthy" "unhealthy" */
	const char *gpus;   /* "all", "count=2", device ids; "" */
	int64_t started, finished;
	int exit_code;
	bool oom;
};

/*
 * Replaces one node's rows by these n, and its state by "connected": one
 * transaction; rows keep their ref.  The other one replaces only those of the
 * ids: what was asked about and is not among the rows is gone.
 */
int container_replace(struct store *st, int64_t node_id, const struct container *c, size_t n);
int container_change(struct store *st, int64_t node_id, const char *const *ids, size_t nids,
    const struct container *c, size_t n);
/* All rows of enabled nodes, by node and name. */
int container_each(struct store *st, int (*fn)(const struct container *, void *), void *arg);
int container_get(
    struct store *st, int64_t ref, int (*fn)(const struct container *, void *), void *arg);
/*
 * The mark counts what changed in the inventory.  With the mark of an earlier
 * moment: the rows that have changed since, those of disabled nodes too; and the
 * refs that are gone, or JB_NOT_FOUND when that long ago is not known any more.
 */
int inventory_mark(struct store *st, int64_t *mark);
int container_each_since(
    struct store *st, int64_t mark, int (*fn)(const struct container *, void *), void *arg);
int container_each_gone(struct store *st, int64_t mark, int (*fn)(int64_t ref, void *), void *arg);
/* When the user was last in it (unix s); 0: never. */
int container_used(struct store *st, const char *user, const struct container *c, int64_t *at);

/* ---- grants ----------------------------------------------------------- */

struct grant {
	int64_t id;
	const char *user; /* exactly one of user and group is set */
	const char *group;
	const char *selector; /* "[NODE/]NAME", "label:K=V", "image:GLOB" */
	const char *allow;    /* "shell,exec,files,forward,logs" */
	const char *run_as;   /* "USER[:GROUP]", NULL: the image's */
	int64_t until;	      /* 0: for ever */
	const char *record;   /* "on" "off", NULL: the node's or the configuration's */
	int64_t created;
};

int grant_add(struct store *st, const struct actor *by, const struct grant *g, int64_t *id);
int grant_each(struct store *st, int (*fn)(const struct grant *, void *), void *arg);
/* Those of the user and of the user's groups, by id. JB_NOT_FOUND: no such user. */
int grant_each_of(
    struct store *st, const char *user, int (*fn)(const struct grant *, void *), void *arg);
int grant_del(struct store *st, const struct actor *by, int64_t id);

/* ---- login failures --------------------------------------------------- */

/*
 * Back-off, of a user, of a user's one-time codes or of an address.  From
 * `after` failures on (0: off), they wait 1 s, 2 s, 4 s ... up to 300 s.  An
 * hour without failures forgets.
 */
enum backoff_kind { BACKOFF_USER, BACKOFF_SOURCE, BACKOFF_CODE };
/* A failed password (BACKOFF_USER) or code (BACKOFF_CODE) adds one to the user's and one to the
 * source's; user is NULL if there is none of that name. */
int backoff_fail(
    struct store *st, enum backoff_kind kind, const char *user, const char *source, unsigned after);
/* 0: not blocked; unix seconds */
int backoff_until(struct store *st, enum backoff_kind kind, const char *name, int64_t *until);
int backoff_clear(struct store *st, enum backoff_kind kind, const char *name);
/* jumpboxctl unlock: clears and audits. JB_NOT_FOUND if there was nothing. */
int backoff_unlock(
    struct store *st, const struct actor *by, enum backoff_kind kind, const char *name);

/* ---- sessions and attaches -------------------------------------------- */

struct session {
	int64_t id;
	uint64_t conn;
	const char *user, *source, *method; /* method: "password", "publickey" */
	const char *key; /* for session_open()'s audit row: the key's fingerprint; NULL */
	const char *host, *boot_id; /* where the broker runs */
	int64_t pid;
	uint64_t pid_start;
	int64_t started, ended; /* ended 0: live */
	const char *how;	/* NULL while live: "logout" "killed" "lost" "idle" ... */
	int64_t bytes_in, bytes_out;
	const char *container;	 /* "node/name" of the newest attach, live: open attach; NULL */
	const char *kill_reason; /* NULL: no kill was asked for; "": without a reason */
	int64_t recordings;	 /* so many of its attaches have one */
};

/* Its broker runs on this host: the very process that the row names, not one of the same number. */
bool session_alive(const struct session *s);
/*
 * Opens a session row and its login.ok audit row in one transaction, unless
 * the live rows of this host and boot reach a limit (0: none): JB_TRY_AGAIN and
 * a sentence then, not before session_close_lost().  Sets last_login.
 * JB_NOT_FOUND: the user is gone.
 */
int session_open(
    struct store *st, const struct session *s, unsigned max_total, unsigned max_user, int64_t *id);
/* With a session.close audit row. JB_NOT_FOUND if it is not live. */
int session_close(struct store *st, int64_t id, const char *how);
/* Closes those of this host whose process is gone, with how "lost"; *n: so many. */
int session_close_lost(struct store *st, size_t *n);
int session_each(struct store *st, bool all, int (*fn)(const struct session *, void *), void *arg);
int session_get(struct store *st, int64_t id, int (*fn)(const struct session *, void *), void *arg);
/* Asks for it; the session's broker does it. reason NULL: none. JB_NOT_FOUND if it is not live. */
int session_kill(struct store *st, const struct actor *by, int64_t id, const char *reason);

struct attach {
	int64_t id;
	int64_t session_id;
	uint64_t conn;
	uint32_t request;   /* the ATTACH's id on its connection */
	const char *marker; /* value of the environment variable that finds its main process */
	int64_t node_id;
	const char *node, *container_id, *container; /* names as at the attach */
	const char *run_as;			     /* NULL: the image's */
	const char *exec_id;			     /* NULL until known */
	const char *kind;			     /* "shell" "exec" "helper" */
	const char *command;			     /* NULL for a shell */
	bool tty;
	const char *recording;	/* the file's name; NULL: none */
	int64_t opened, closed; /* closed 0: open */
};

/* The row and its attach.open audit row in one transaction. No row, no attach. */
int attach_open(struct store *st, const struct actor *by, const struct attach *a, int64_t *id);
int attach_set_exec(struct store *st, int64_t id, const char *exec_id); /* JB_NOT_FOUND: closed */
/* Its stream is there, so long after it was asked for. */
int attach_set_opened(struct store *st, int64_t id, int64_t ms);
/* What is known of one that may run on, and so stays open. The session gets the bytes, as below. */
int attach_leave(
    struct store *st, int64_t id, int64_t bytes_in, int64_t bytes_out, const char *how);
/*
 * Closes with byte counts, exit code (-1: unknown) and how; the attach.close
 * audit row with it.  What attach_leave() said stays.  The bytes are added to
 * the session's.  JB_NOT_FOUND if it is not open.
 */
int attach_close(struct store *st, const struct actor *by, int64_t id, int64_t bytes_in,
    int64_t bytes_out, int exit_code, const char *how);
/* An audit row about files.  who: "said", in the words of the container; "lost", in ours. */
int attach_note(
    struct store *st, const struct actor *by, int64_t id, const char *who, const char *line);
/* Of a session those that have a recording, oldest first, open ones too. */
int attach_each_recorded(
    struct store *st, int64_t session_id, int (*fn)(const struct attach *, void *), void *arg);
/* The newest of all, newest first. */
struct recording_row {
	int64_t session, n; /* which of the session's, from 1 on */
	const char *user, *node, *container;
	int64_t opened, closed;
};
enum { RECORDINGS_SHOWN = 200 };
int recording_each(struct store *st, int (*fn)(const struct recording_row *, void *), void *arg);
/* Its attach has none after all. */
int attach_unrecorded(struct store *st, int64_t id);
/* That file is to go: no attach names it any more, and an audit row says so. */
int recording_forget(struct store *st, const struct actor *by, const char *name);
/* Open attaches of one session, or of all sessions when session_id is 0. */
int attach_each_open(
    struct store *st, int64_t session_id, int (*fn)(const struct attach *, void *), void *arg);

/* Those that are open though their session, of this host, has ended. */
int attach_each_left(
    struct store *st, const char *host, int (*fn)(const struct attach *, void *), void *arg);

/* ---- audit ------------------------------------------------------------ */

struct audit_event {
	int64_t id;
	int64_t at;	   /* unix ms */
	const char *event; /* "login.fail" */
	const char *actor, *source;
	uint64_t conn;
	const char *user;   /* the user concerned, NULL */
	const char *target; /* "node/container", a grant number, ...; NULL */
	const char *detail; /* command line, reason, counts: free text; NULL */
};

int audit_add(struct store *st, const struct actor *by, const char *event, const char *user,
    const char *target, const char *detail);
/* Oldest first, from `since` (unix s), of `user` (actor or concerned; NULL: all), the newest
 * `limit` (0: all). */
int audit_each(struct store *st, int64_t since, const char *user, int64_t limit,
    int (*fn)(const struct audit_event *, void *), void *arg);
/* Walks the hash chain from the last checkpoint. JB_BAD_INPUT and the first bad row in e. *n: rows
 * verified. */
int audit_verify(struct store *st, int64_t *n, struct errtext *e);
/*
 * The one maintenance path: removes the oldest stretch of audit rows older
 * than `before` (unix s) and leaves a checkpoint so that the chain still
 * verifies; also ended sessions older than that, and forgotten login failures.
 * At most 1000 rows of each a call, so that nobody waits for it long: call
 * again until *removed is 0.
 */
int store_maintain(struct store *st, int64_t before, int64_t *removed);

/* ---- numbers: what has happened since the beginning, whatever retention removed ----------- */

struct counter {
	const char *node; /* "": none */
	const char *what, *result;
	int64_t value;
};
/* name: logins lockouts attaches attach_failures bytes recordings. Those of nodes that still exist. */
int counter_each(
    struct store *st, const char *name, int (*fn)(const struct counter *, void *), void *arg);
/* An attach came to no stream; reason is one of a few words, node "" when it was not found. */
int counter_attach_failed(struct store *st, const char *node, const char *reason);

/* How long attaches took until their stream: so many of at most le_ms and of more than the one before. */
struct latency {
	int64_t le_ms; /* INT64_MAX: the last, without a bound */
	int64_t n, sum_ms;
};
int latency_each(struct store *st, int (*fn)(const struct latency *, void *), void *arg);

/* What is so now; without the nodes' keys. */
int node_each_state(struct store *st,
    int (*fn)(const char *name, const char *state, bool enabled, int64_t last_seen, void *),
    void *arg);
int session_count(struct store *st, int64_t *live); /* of this host, since its boot */

#endif
