/*
 * One connection inside jumpbox-session: what serve.c, auth.c and the channel
 * files share.
 */
#ifndef SESSION_CONN_H
#define SESSION_CONN_H

#include "session.h"

#include "channel.h"

#include "jumpbox/errors.h"
#include "jumpbox/proto.h"
#include "jumpbox/target.h"

struct auth {
	char login[MAX_LOGIN + 1]; /* fixed by the first request */
	unsigned failures, requests;
	ssh_message waiting; /* unanswered while the broker decides; NULL: none */
	ssh_message kept;    /* an answered one, through which libssh can be told to refuse again */
	bool keys;	     /* the last answer went to a request that a key may follow */
	int64_t stalled_at;  /* monotonic ms: something came and nothing came of it; 0: no */
	uint64_t packets;    /* of the client when that was last looked at */
	uint32_t request;
	bool interactive; /* the client got our prompt */
	bool second;	  /* one factor is given: a one-time code is wanted now */
	bool done;
	bool must_change, must_enrol; /* before anything else */
};

struct conn {
	const struct config *cfg;
	const char *banner;
	int64_t expires; /* of the account (unix s), 0: never */
	struct {
		int64_t when; /* unix s, 0: nothing does */
		char name[256];
		uint32_t more;
	} ending;	   /* access that ends soon: to that container and so many more */
	uint32_t recovery; /* what is to be said of recovery codes: 1 + those left; 0: nothing */
	const char *motd;  /* safe text, whole lines; NULL: none */
	ssh_session ssh;
	ssh_event event;
	int client;
	struct auth auth;
	char user[NAME_MAX_LEN + 1];
	char language[MAX_SETTING + 1],
	    menu[MAX_SETTING + 1]; /* the user's settings; empty: none */
	bool language_known;
	struct channel *channels;
	struct mux *muxes;	   /* mux_client.c */
	struct forwards *forwards; /* forward.c; NULL: nothing was ever forwarded */
	unsigned nchannels;
	unsigned asking;	   /* TARGETs and LISTs of channels that wait for their answer */
	struct channel *lister;	   /* whose list the broker has in hand; NULL: nobody's */
	unsigned followers;	   /* menus that want to hear of changes */
	struct channel *renewing;  /* asks its user for a new password */
	uint32_t renewal;	   /* NEW_PASSWORD that the broker has not answered; 0: none */
	struct channel *enrolling; /* sets up one-time codes */
	uint32_t enrolment;	   /* ENROL or CONFIRM that the broker has not answered; 0: none */
	enum enrol_step { ENROL_PROOF, ENROL_CONFIRM, ENROL_SHOWN } step;
	bool enrol_due;				  /* it was not the user's wish */
	struct ssh_counter_struct bytes, packets; /* libssh counts */
	uint64_t seen;				  /* of those bytes, when last looked at */
	bool backlog;				  /* messages are left for the next turn */
	int64_t unsent;	     /* monotonic ms: since when the client leaves bytes untaken; 0: no */
	bool flooded;	     /* the client ignores its window */
	bool ended;	     /* leave when everything said is flushed */
	bool gone;	     /* the client is not there any more */
	int64_t started;     /* monotonic ms */
	int64_t last_in;     /* the client's last byte */
	int64_t last_probe;  /* the last keepalive */
	int64_t last_active; /* the last byte into or out of a channel */
	unsigned unanswered; /* keepalives */
	bool warned;	     /* of the idle time-out */
	int64_t end_at;	     /* leave anyway; 0: not ending */
};

/* ---- auth.c ----------------------------------------------------------- */

void auth_request(struct conn *c, ssh_message m); /* takes the message */
/* REP_OFFER, REP_AUTH; false: not an answer to the pending request. */
bool auth_answer(struct conn *c, struct msg *m);
/* After each look for requests: refuses what libssh dropped without an answer. */
void auth_watch(struct conn *c, unsigned messages, bool deaf, int64_t now);
void auth_release(struct conn *c);

/* ---- language.c ------------------------------------------------------- */

void language_setting(struct conn *c); /* the login has told it */
void language_locale(struct channel *ch);

/* ---- notices.c -------------------------------------------------------- */

void notices_take(struct conn *c, struct msg *m);   /* EVT_NOTICE */
void notices_ending(struct conn *c, struct msg *m); /* EVT_ENDING */
/* What stands above the list of the plain menu. */
void notices_head(struct channel *ch);
/* That the account expires within days, as a line; false: it does not. */
bool notices_account(const struct conn *c, char *dst, size_t size);
/* The same of access to a container of the list, within minutes. */
bool notices_access(const struct conn *c, char *dst, size_t size);
/* How many recovery codes are left after one let in, once, as a line; false: none did. */
bool notices_recovery(struct conn *c, char *dst, size_t size);
/* The same on the terminal of a shell that was not chosen in a menu. */
void notices_shell(struct channel *ch);

/* ---- serve.c ---------------------------------------------------------- */

/* Disconnects with a reason; the loop ends. */
void conn_refuse(struct conn *c, const struct errtext *why);
/* Says it on every channel, too, and leaves when they are flushed. */
void conn_expel(struct conn *c, int code, const struct errtext *why);

/* ---- timers.c --------------------------------------------------------- */

/* What is due now: login deadline, idle time-out, keepalive, and the watchdog's next term. */
void timers(struct conn *c, int64_t now);
/* When timers() or a channel wants its turn (monotonic ms); 0: never. */
int64_t timers_next(const struct conn *c);
/* A byte went into or out of a channel: the connection is not idle. */
void timers_active(struct conn *c);
/* Ends this process if one turn of the loop takes that much processor time. */
void timers_watchdog(int64_t now);

/* ---- renew.c ---------------------------------------------------------- */

void renew_answer(struct conn *c, struct msg *m); /* REP_NEW_PASSWORD */

/* ---- enrol.c ---------------------------------------------------------- */

void enrol_answer(struct conn *c, struct msg *m); /* REP_ENROL, REP_CONFIRM */

#endif
