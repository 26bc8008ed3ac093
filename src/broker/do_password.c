/*
 * REQ_PASSWORD and REQ_NEW_PASSWORD.  Broker.
 *
 * The hash is computed by a child, so host-key signatures go on meanwhile and
 * no broker keeps the memory it took.  It is computed also for a user who does
 * not exist or may not log in, but not for a source that has to wait; what is
 * wrong is only ever told to the operator, and a refusal leaves at a fixed
 * instant (answer_at.c).
 */
#include "auth.h"

#include "child.h"
#include "jumpbox/cidr.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>

enum { HASH_LIMIT_MS = 30000 };

/* ---- in the child ------------------------------------------------------------- */

static void
tell_hash(int fd, int code, const char *hash, const struct errtext *why)
{
	struct msg m;

	msg_init(&m, CHILD_HASH, 0);
	msg_put_u32(&m, (uint32_t)-code);
	msg_put_str(&m, hash);
	child_put_why(&m, why);
	msg_send(fd, &m);
	msg_release(&m);
}

static void
run_check(int fd, const struct broker *b, const void *owner)
{
	const struct auth *a = owner;
	const struct config *cfg = b->cfg;
	const struct errtext none = { 0 };
	char fresh[PASSWORD_HASH_MAX] = "";
	int r = password_verify(a->hash, cfg->run_directory, a->password);

	if (r == 0 && a->why.s[0] == '\0' && password_stale(a->hash, cfg->password_hash) &&
	    password_hash(cfg->password_hash, cfg->run_directory, a->password, fresh, sizeof(fresh),
		NULL) != 0)
		fresh[0] = '\0';
	tell_hash(fd, r, fresh, &none);
}

static void
run_renew(int fd, const struct broker *b, const void *owner)
{
	const struct auth *a = owner;
	const struct config *cfg = b->cfg;
	char fresh[PASSWORD_HASH_MAX] = "";
	struct errtext e = { 0 };
	int r = JB_DENIED;

	if (a->hash != NULL)
		r = password_verify(a->hash, cfg->run_directory, a->password);
	if (r == 0)
		r = err_words(&e, JB_BAD_INPUT, W_PASSWORD_SAME, NULL, NULL, NULL);
	else if (r == JB_DENIED)
		r = password_hash(cfg->password_hash, cfg->run_directory, a->password, fresh,
		    sizeof(fresh), NULL);
	if (r != 0)
		fresh[0] = '\0';
	tell_hash(fd, r, fresh, &e);
}

/* ---- a child's answer ------------------------------------------------------------ */

static void
hash_message(struct broker *b, void *owner, struct msg *m)
{
	struct auth *a = owner;
	int code = -(int)msg_get_u32(m);
	struct errtext why;

	(void)b;
	msg_get_str(m, a->fresh, sizeof(a->fresh));
	child_get_why(m, &why);
	if (m->type != CHILD_HASH || !msg_end(m)) {
		wipe(a->fresh, sizeof(a->fresh));
		return;
	}
	a->result = code;
	if (a->why.s[0] == '\0')
		a->why = why;
}

static void check_ended(struct broker *b, void *owner, bool late);
static void renew_ended(struct broker *b, void *owner, bool late);

static const struct child_kind checker = { HASH_LIMIT_MS, run_check, hash_message, check_ended };
static const struct child_kind renewer = { HASH_LIMIT_MS, run_renew, hash_message, renew_ended };

static void
hash_start(struct broker *b, struct msg *m, const struct child_kind *kind)
{
	struct auth *a = b->auth;

	a->id = m->id;
	a->result = JB_TRY_AGAIN; /* a child that dies has not checked it */
	a->fresh[0] = '\0';
	b->state = STATE_CHECKING;
	a->hasher = child_start(b, kind, a);
	free_secret(a->password);
	a->password = NULL;
	if (a->hasher == NULL)
		kind->ended(b, a, false);
}

/* ---- REQ_PASSWORD ------------------------------------------------------------------ */

static const char *
counted_source(const struct broker *b, char text[static SOURCE_MAX])
{
	return address_source(b->peer, text, SOURCE_MAX) == 0 ? text : b->peer;
}

bool
auth_blocked(struct broker *b, const char *user, bool *by_source)
{
	char from[SOURCE_MAX];
	int64_t until = 0, until_source = 0, now = now_unix();

	*by_source = false;
	if (b->cfg->backoff_after == 0 || broker_store(b) == NULL)
		return false;
	backoff_until(b->st, BACKOFF_USER, user, &until);
	backoff_until(b->st, BACKOFF_SOURCE, counted_source(b, from), &until_source);
	*by_source = until_source > now;
	return until > now || *by_source;
}

void
auth_count(struct broker *b, enum backoff_kind kind, const char *user)
{
	char from[SOURCE_MAX];

	if (broker_store(b) != NULL)
		backoff_fail(b->st, kind, user, counted_source(b, from), b->cfg->backoff_after);
}

/*
 * Why it is refused whatever the password is, or nothing; and the hash to
 * check it against.  False: no hash needs to be computed, since that source is
 * refused for every user alike.
 */
static bool
consider(struct broker *b)
{
	struct auth *a = b->auth;
	struct account account = { 0 };
	struct errtext e = { 0 };
	int r = JB_NOT_FOUND;
	bool source;

	a->counts = true;
	a->unable = 0;
	if (!a->named)
		err_set(&e, 0, "malformed name");
	else if ((r = account_load(b, a->target.user, &account)) == JB_NOT_FOUND)
		err_set(&e, 0, "no such user");
	else if (r != 0)
		broker_no_database(&e);
	else if (standing_check(&account.standing, now_unix(), &e) == 0 && account.hash == NULL)
		err_set(&e, 0, "the user has no password");
	a->exists = r == 0;
	a->waits = auth_blocked(b, a->target.user, &source);
	if (a->waits) {
		err_set(&e, 0, "too many failed passwords lately");
		a->counts = false; /* whoever waits is not punished for waiting */
	}
	if (r != 0 && r != JB_NOT_FOUND)
		a->unable = JB_UNAVAILABLE;
	a->why = e;
	free_secret(a->hash);
	a->hash = account.hash;
	account.hash = NULL;
	account_release(&account);
	return !source || a->unable != 0;
}

/*
 * All that differs from one refusal to another is done before the answer is
 * due.  Tries while one has to wait leave nothing in the database: the failure
 * that began it has said so.
 */
static void
refuse(struct broker *b, const char *why)
{
	struct auth *a = b->auth;
	char text[sizeof(a->why.s) + 32];
	bool all;

	if (a->counts)
		auth_count(b, BACKOFF_USER, a->exists ? a->target.user : NULL);
	snprintf(text, sizeof(text), "%s%s", why,
	    !a->waits && auth_blocked(b, a->target.user, &all) ? "; further tries have to wait"
							       : "");
	auth_failed(b, "password", text);
	auth_refuse_later(b, STATE_PREAUTH);
}

void
auth_refuse_later(struct broker *b, enum broker_state after)
{
	struct auth *a = b->auth;

	a->waits = false;
	a->answer_at = auth_answer_at(a->asked, now_mono_ms(), ANSWER_EVERY_MS);
	a->after = after;
	b->state = STATE_CHECKING;
}

const char *
do_password(struct broker *b, struct msg *m)
{
	struct auth *a = b->auth;
	char login[MAX_LOGIN + 1];
	const char *wrong;

	a->asked = now_mono_ms();
	msg_get_str(m, login, sizeof(login));
	a->password = msg_dup_str(m, MAX_PASSWORD);
	if (!msg_end(m))
		return "malformed";
	if ((wrong = auth_claim(b, login)) != NULL)
		return wrong;
	if (consider(b)) {
		hash_start(b, m, &checker);
		return NULL;
	}
	free_secret(a->password);
	a->password = NULL;
	a->id = m->id;
	refuse(b, a->why.s);
	return NULL;
}

/* The password is right: one whose hash is out of date is stored anew. */
static void
rehash(struct broker *b)
{
	struct auth *a = b->auth;

	if (a->fresh[0] != '\0' && broker_store(b) != NULL &&
	    user_rehash(b->st, a->target.user, a->hash, a->fresh) == 0) {
		log_info("login.rehash", F_STR("user", a->target.user));
		free_secret(a->hash);
		a->hash = xstrdup(a->fresh);
	}
	wipe(a->fresh, sizeof(a->fresh));
}

static void
check_ended(struct broker *b, void *owner, bool late)
{
	struct auth *a = owner;
	struct errtext why;
	int r;

	(void)late;
	a->hasher = NULL;
	if (b->state != STATE_CHECKING)
		return; /* the connection is ending */
	if (auth_unable(b, "password", a->unable, &a->why))
		return;
	err_words(&why, a->result, W_PASSWORD_UNCHECKED, NULL, NULL, NULL);
	if (auth_unable(b, "password", a->result, &why))
		return;
	if (a->why.s[0] != '\0' || a->result != 0) {
		refuse(b, a->why.s[0] != '\0' ? a->why.s : "wrong password");
		return;
	}
	rehash(b);
	r = auth_proven(b, a->id, "password", NULL, NULL, &why);
	if (r == 0 || auth_unable(b, "password", r, &why))
		return;
	a->counts = false; /* the password was right */
	refuse(b, why.s);
}

int64_t
auth_deadline(const struct broker *b)
{
	return b->auth != NULL ? b->auth->answer_at : 0;
}

void
auth_tick(struct broker *b, int64_t now)
{
	struct auth *a = b->auth;

	if (a == NULL || a->answer_at == 0 || a->answer_at > now)
		return;
	a->answer_at = 0;
	if (b->state != STATE_CHECKING)
		return;
	b->state = a->after;
	auth_reply(b, a->id, AUTH_DENIED);
	code_limit(b);
}

/* ---- REQ_NEW_PASSWORD ----------------------------------------------------------------- */

/* why NULL: it was changed, and outcome says what is due next. */
static void
answer_new(struct broker *b, enum auth_outcome outcome, const struct errtext *why)
{
	struct msg m;

	msg_init(&m, REP_NEW_PASSWORD, b->auth->id);
	msg_put_u32(&m, outcome);
	msg_put_str(&m, why != NULL ? why->say : "");
	broker_send(b, &m);
}

static int
store_new(struct broker *b, const struct auth *a)
{
	struct actor by = broker_actor(b);

	if (broker_store(b) == NULL)
		return JB_UNAVAILABLE;
	return user_change_hash(b->st, &by, b->user, a->hash, a->fresh);
}

static void
renew_ended(struct broker *b, void *owner, bool late)
{
	struct auth *a = owner;
	struct errtext e;
	int r = a->result;

	(void)late;
	a->hasher = NULL;
	if (b->state != STATE_CHECKING)
		return; /* the session was ended meanwhile */
	b->state = STATE_MUST_CHANGE;
	if (r != 0) {
		err_words(&e, r, W_PASSWORD_UNCHANGED, NULL, NULL, NULL);
		answer_new(b, AUTH_DENIED, a->why.s[0] != '\0' ? &a->why : &e);
	} else if ((r = store_new(b, a)) == JB_NOT_FOUND) {
		err_words(&e, JB_DENIED, W_PASSWORD_OVERTAKEN, NULL, NULL, NULL);
		broker_end(b, JB_DENIED, "refused", &e);
	} else if (r != 0) {
		err_words(&e, r, W_PASSWORD_UNSTORED, NULL, NULL, NULL);
		answer_new(b, AUTH_DENIED, &e);
	} else {
		a->must_change = false;
		answer_new(b, auth_go_on(b), NULL);
		auth_settle(b);
	}
}

const char *
do_new_password(struct broker *b, struct msg *m)
{
	struct auth *a = b->auth;
	struct errtext e;

	a->password = msg_dup_str(m, MAX_PASSWORD);
	if (!msg_end(m))
		return "malformed";
	a->id = m->id;
	a->why = (struct errtext){ 0 };
	if (password_acceptable(b->user, a->password, &e) == 0) {
		hash_start(b, m, &renewer);
		return NULL;
	}
	free_secret(a->password);
	a->password = NULL;
	answer_new(b, AUTH_DENIED, &e);
	return NULL;
}
