/*
 * REQ_CODE: the second factor of a login; and the one judge of one-time and
 * recovery codes.  Broker.
 *
 * Only whoever has proven the first factor is asked, so that a stranger learns
 * neither who is enrolled nor how to keep anybody's codes away: failures count
 * by a name of their own.  A wrong code is answered like a wrong password, at
 * a fixed instant.
 */
#include "auth.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <string.h>

enum { MAX_WRONG_CODES = 5 }; /* of one connection */

bool
code_waits(struct broker *b, const char *user)
{
	int64_t until = 0;

	if (b->cfg->backoff_after == 0 || broker_store(b) == NULL)
		return false;
	backoff_until(b->st, BACKOFF_CODE, user, &until);
	return until > now_unix();
}

/* One that is right is used up before anybody is let in. */
static int
try_one_time(
    struct broker *b, int64_t user_id, const struct totp *t, const char *code, struct errtext *why)
{
	int64_t counter;
	int r = totp_match(t, now_unix(), code, &counter);

	if (r == 0 && (r = totp_use(b->st, user_id, counter)) == JB_NOT_FOUND)
		r = JB_EXISTS;
	if (r == JB_EXISTS)
		return err_set(why, JB_DENIED, "a code that was used before");
	return r == JB_DENIED ? err_set(why, r, "wrong code") : r;
}

static int
try_recovery(struct broker *b, int64_t user_id, const char *code, struct errtext *why)
{
	uint8_t hash[RECOVERY_HASH];
	int r = recovery_hash(code, hash);

	if (r == 0)
		r = totp_use_recovery(b->st, user_id, hash);
	wipe(hash, sizeof(hash));
	return r == JB_DENIED || r == JB_NOT_FOUND ? err_set(why, JB_DENIED, "wrong code") : r;
}

int
code_judge(struct broker *b, int64_t user_id, const char *user, const char *code,
    const char **factor, struct errtext *why)
{
	bool one_time = totp_is_code(code);
	struct totp t = { 0 };
	int r = broker_store(b) != NULL ? totp_get(b->st, user_id, &t) : JB_UNAVAILABLE;

	*factor = one_time ? "totp" : "recovery";
	if (r == JB_NOT_FOUND)
		r = err_set(why, JB_DENIED, "the user is not enrolled any more");
	else if (r == 0 && one_time)
		r = try_one_time(b, user_id, &t, code, why);
	else if (r == 0)
		r = try_recovery(b, user_id, code, why);
	wipe(&t, sizeof(t));
	if (r == JB_DENIED)
		auth_count(b, BACKOFF_CODE, user);
	else if (r != 0)
		r = broker_no_database(why);
	return r;
}

static void
refuse(struct broker *b, const char *why)
{
	const struct auth *a = b->auth;
	char method[32], text[320];

	snprintf(method, sizeof(method), "%s+totp", a->method);
	snprintf(text, sizeof(text), "%s%s", why,
	    !a->waits && code_waits(b, a->target.user) ? "; further codes have to wait" : "");
	auth_failed(b, method, text);
	b->wrong_codes++;
	auth_refuse_later(b, STATE_SECOND);
}

void
code_limit(struct broker *b)
{
	struct errtext why;

	if (b->wrong_codes < MAX_WRONG_CODES)
		return;
	err_words(&why, JB_DENIED, W_TOO_MANY_CODES, NULL, NULL, NULL);
	broker_end(b, JB_DENIED, "refused", &why);
}

const char *
do_code(struct broker *b, struct msg *m)
{
	struct auth *a = b->auth;
	char code[MAX_CODE + 1];
	const char *factor, *key = a->key[0] != '\0' ? a->key : NULL;
	struct errtext why = { 0 };
	int r;

	a->asked = now_mono_ms();
	a->id = m->id;
	msg_get_str(m, code, sizeof(code));
	if (!msg_end(m))
		return "malformed";
	a->waits = code_waits(b, a->target.user);
	if (a->waits)
		r = err_set(&why, JB_DENIED, "too many wrong codes lately");
	else
		r = code_judge(b, a->user_id, a->target.user, code, &factor, &why);
	wipe(code, sizeof(code));
	if (r == 0)
		r = auth_proven(b, m->id, a->method, key, factor, &why);
	if (r != 0 && !auth_unable(b, "totp", r, &why))
		refuse(b, why.s);
	return NULL;
}
