/*
 * How a connection becomes somebody's: what the two ways of logging in share.
 * The login string is fixed by its first mention: a connection tries to be
 * one user, never another.
 */
#ifndef BROKER_AUTH_H
#define BROKER_AUTH_H

#include "broker.h"

#include "jumpbox/password.h"

/* What a login needs of its user's row. */
struct account {
	int64_t id;
	char name[NAME_MAX_LEN + 1];
	char *hash; /* NULL: none */
	struct standing standing;
	bool must_change;
	char language[MAX_SETTING + 1], menu[MAX_SETTING + 1]; /* empty: not set */
	int64_t max_sessions;
};

struct auth {
	char login[MAX_LOGIN + 1]; /* empty: none yet */
	struct target target;
	bool named; /* target.user is a well-formed name */
	/* set by auth_login() */
	bool must_change;
	char language[MAX_SETTING + 1], menu[MAX_SETTING + 1];
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
};

/* NULL, or what is wrong: the connection was somebody else's. */
const char *auth_claim(struct broker *b, const char *login);

/* JB_NOT_FOUND: no such user. Release it always. */
int account_load(struct broker *b, const char *user, struct account *a);
void account_release(struct account *a);

/*
 * Opens the session of the claimed user, who has proven it: 0, or why not.  key: the fingerprint
 * that goes into the record; NULL.  The state is then STATE_AUTHED.  JB_TRY_AGAIN, JB_UNAVAILABLE:
 * see auth_unable().
 */
int auth_login(struct broker *b, const char *method, const char *key, struct errtext *why);
/*
 * Nothing is wrong with the login, but the jump host cannot serve it now: that is said, and the
 * connection ends.  For r of auth_login() and of account_load(); false: it is no such failure.
 */
bool auth_unable(struct broker *b, const char *method, int r, const struct errtext *why);
/* For the operator alone: the log and the audit. */
void auth_failed(struct broker *b, const char *method, const char *why);
void auth_reply(struct broker *b, uint32_t id, enum auth_outcome outcome);
/* The good end, after auth_login(): the session may go on, or must set a new password first. */
void auth_admit(struct broker *b, uint32_t id);

/* do_password.c */
/* That user or this source has to wait; *by_source: this source, whoever is asked for. */
bool auth_blocked(struct broker *b, const char *user, bool *by_source);
/* A failed password; user NULL: there is none of that name. */
void auth_count(struct broker *b, const char *user);

/* do_key.c */
void auth_prove(struct broker *b, const char *user, const uint8_t *blob, size_t n);
void auth_unprove(struct broker *b);
void auth_bad_signature(struct broker *b, const char *login, const uint8_t *blob, size_t n);

/* The instant of a refusal: the first multiple of `every` after `asked` that is still to come.
 * Pure. */
int64_t auth_answer_at(int64_t asked, int64_t now, int64_t every);

#endif
