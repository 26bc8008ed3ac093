/*
 * How a connection becomes somebody's: what the two ways of logging in share.
 * The login string is fixed by its first mention: a connection tries to be
 * one user, never another.
 */
#ifndef BROKER_AUTH_H
#define BROKER_AUTH_H

#include "broker.h"

#include "jumpbox/cidr.h"
#include "jumpbox/password.h"
#include "jumpbox/totp.h"

/* What a login needs of its user's row. */
struct account {
	int64_t id;
	char name[NAME_MAX_LEN + 1];
	char *hash; /* NULL: none */
	struct standing standing;
	bool must_change;
	char language[MAX_SETTING + 1], menu[MAX_SETTING + 1]; /* empty: not set */
	enum second_need need;
	int64_t max_sessions, recovery_codes;
};

struct auth {
	char login[MAX_LOGIN + 1]; /* empty: none yet */
	struct target target;
	bool named; /* target.user is a well-formed name */
	/* set by auth_proven() */
	bool must_change, must_enrol;
	uint32_t recovery; /* as REP_AUTH has it */
	char language[MAX_SETTING + 1], menu[MAX_SETTING + 1];
	/* the first factor that was proven, while the second is awaited (do_code.c) */
	const char *method; /* NULL: none */
	char key[64];	    /* the fingerprint; empty: by password */
	int64_t user_id;
	/* proven by VERIFY: this signer, with this key */
	char signer[MAX_LOGIN + 1];
	uint8_t *blob;
	size_t blob_len;
	bool key_failed; /* a key was refused, and that is recorded */
	/* a password in the hands of a child */
	struct child *hasher;
	uint32_t id;		       /* of the request */
	int64_t asked;		       /* when, monotonic ms */
	char *password;		       /* wiped as soon as the child has its copy */
	char *hash;		       /* to check against; NULL: none */
	struct errtext why;	       /* refused whatever the password is; empty: not */
	int unable;		       /* enum jb_err: the database did not answer; 0 */
	bool exists;		       /* there is such a user */
	bool waits;		       /* refused by the back-off, which has its record */
	bool counts;		       /* a failure adds to the back-off */
	int result;		       /* the child's answer: see password_verify() */
	char fresh[PASSWORD_HASH_MAX]; /* a new hash to store; empty: none */
	int64_t answer_at;	       /* when the refusal is due; 0: none */
	enum broker_state after;       /* the state then */
};

/* NULL, or what is wrong: the connection was somebody else's. */
const char *auth_claim(struct broker *b, const char *login);

/* JB_NOT_FOUND: no such user. Release it always. */
int account_load(struct broker *b, const char *user, struct account *a);
void account_release(struct account *a);

/*
 * The claimed user has proven one factor, or the second, too, which is then "totp" or "recovery".
 * 0: that is answered; the user is in, with what is due first, or is asked for a one-time code.
 * Else why not.  key: the fingerprint that goes into the record; NULL.  JB_TRY_AGAIN,
 * JB_UNAVAILABLE: see auth_unable().
 */
int auth_proven(struct broker *b, uint32_t id, const char *method, const char *key,
    const char *second, struct errtext *why);
/*
 * Nothing is wrong with the login, but the jump host cannot serve it now: that is said, and the
 * connection ends.  For r of auth_login() and of account_load(); false: it is no such failure.
 */
bool auth_unable(struct broker *b, const char *method, int r, const struct errtext *why);
/* For the operator alone: the log and the audit. */
void auth_failed(struct broker *b, const char *method, const char *why);
void auth_reply(struct broker *b, uint32_t id, enum auth_outcome outcome);
/* What the user who is in has to do first, or nothing: the state, and what the session is told. */
enum auth_outcome auth_go_on(struct broker *b);
/* After the answer that says so: there may be nothing more to remember. */
void auth_settle(struct broker *b);
/* A failed password or code leaves at its instant; the state is `after` then. */
void auth_refuse_later(struct broker *b, enum broker_state after);

/* do_code.c: whether the user's codes are refused for a while, whatever they are. */
bool code_waits(struct broker *b, const char *user);
/* After a refusal: the last that a connection may have is its end. */
void code_limit(struct broker *b);
/* 0: it was right, and is used up; *factor says what it was.  JB_DENIED, counted; JB_UNAVAILABLE. */
int code_judge(struct broker *b, int64_t user_id, const char *user, const char *code,
    const char **factor, struct errtext *why);

/* do_password.c */
/* That user or this source has to wait; *by_source: this source, whoever is asked for. */
bool auth_blocked(struct broker *b, const char *user, bool *by_source);
/* A failed password or code; user NULL: there is none of that name. */
void auth_count(struct broker *b, enum backoff_kind kind, const char *user);

/* do_key.c */
/* The user still has that key, for here and now. */
int auth_key_stands(struct broker *b, const char *fingerprint, struct errtext *why);
void auth_prove(struct broker *b, const char *user, const uint8_t *blob, size_t n);
void auth_unprove(struct broker *b);
void auth_bad_signature(struct broker *b, const char *login, const uint8_t *blob, size_t n);

/* The instant of a refusal: the first multiple of `every` after `asked` that is still to come.
 * Pure. */
int64_t auth_answer_at(int64_t asked, int64_t now, int64_t every);

#endif
