/*
 * One connection inside jumpbox-session: what serve.c, auth.c and the channel
 * files share.
 */
#ifndef SESSION_CONN_H
#define SESSION_CONN_H

#include "session.h"

#include "channel.h"

#include "jumpbox/proto.h"
#include "jumpbox/target.h"

struct auth {
	char login[MAX_LOGIN + 1]; /* fixed by the first request */
	unsigned failures;
	ssh_message waiting; /* unanswered while the broker decides; NULL: none */
	uint32_t request;
	bool interactive; /* the client got our prompt */
	bool done;
	bool must_change;
};

struct conn {
	const struct config *cfg;
	const char *banner;
	ssh_session ssh;
	ssh_event event;
	int client;
	struct auth auth;
	char user[NAME_MAX_LEN + 1];
	struct channel *channels;
	bool ended;	     /* leave as soon as everything said is flushed */
	bool gone;	     /* the client is not there any more */
	int64_t started;     /* monotonic ms */
	int64_t last_in;     /* the client's last byte */
	int64_t last_probe;  /* the last keepalive */
	int64_t last_active; /* the last byte of a person's or container's */
	unsigned unanswered; /* keepalives */
	bool warned;	     /* of the idle time-out */
	int64_t end_at;	     /* leave anyway; 0: not ending */
};

/* ---- auth.c ----------------------------------------------------------- */

void auth_request(struct conn *c, ssh_message m); /* takes the message */
/* REP_OFFER, REP_AUTH; false: not an answer to the pending request. */
bool auth_answer(struct conn *c, struct msg *m);
void auth_release(struct conn *c);

/* ---- serve.c ---------------------------------------------------------- */

/* Disconnects with a reason; the loop ends. */
void conn_refuse(struct conn *c, const char *reason);

#endif
