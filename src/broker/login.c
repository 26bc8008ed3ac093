/*
 * The end of every login, good or bad: the account, the session's row, the
 * limits, the record.  Broker.
 */
#include "auth.h"

#include "child.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
auth_claim(struct broker *b, const char *login)
{
	struct auth *a = b->auth;

	if (a->login[0] == '\0' && login[0] != '\0') {
		snprintf(a->login, sizeof(a->login), "%s", login);
		a->named = target_parse(login, &a->target) == 0;
	}
	return strcmp(a->login, login) == 0 ? NULL : "another login on the same connection";
}

/* One that is longer than any that there is is none. */
static void
setting(char dst[static MAX_SETTING + 1], const char *value)
{
	if (value == NULL || str_copy(dst, MAX_SETTING + 1, value) != 0)
		dst[0] = '\0';
}
struct loading {
	const struct broker *b;
	struct account *account;
};

static int
take_account(const struct user *u, void *arg)
{
	struct loading *l = arg;
	struct account *a = l->account;
	const struct config *cfg = l->b->cfg;

	a->hash = u->hash != NULL ? xstrdup(u->hash) : NULL;
	a->id = u->id;
	a->standing = u->standing;
	a->must_change = u->must_change;
	a->max_sessions = u->max_sessions;
	a->recovery_codes = u->recovery_codes;
	setting(a->language, u->language);
	setting(a->menu, u->menu);
	a->need = second_need((enum second_factor)cfg->second_factor,
	    cidr_list_contains(cfg->second_factor_exempt_from, l->b->peer), u);
	return str_copy(a->name, sizeof(a->name), u->name);
}

int
account_load(struct broker *b, const char *user, struct account *a)
{
	struct loading l = { b, a };

	*a = (struct account){ 0 };
	return broker_store(b) == NULL ? JB_UNAVAILABLE : user_get(b->st, user, take_account, &l);
}

void
account_release(struct account *a)
{
	free_secret(a->hash);
	*a = (struct account){ 0 };
}

static unsigned
user_limit(const struct broker *b, const struct account *a)
{
	if (a->max_sessions > 0)
		return a->max_sessions > UINT32_MAX ? UINT32_MAX : (unsigned)a->max_sessions;
	return b->cfg->max_sessions_per_user;
}

static int
open_session(struct broker *b, const struct account *a, const char *method, const char *key,
    struct errtext *why)
{
	const struct session s = {
		.conn = b->conn,
		.user = a->name,
		.source = b->peer,
		.method = method,
		.key = key,
		.host = host_name(),
		.boot_id = boot_id(),
		.pid = getpid(),
		.pid_start = proc_start_time(getpid()),
	};
	int r = session_open(b->st, &s, b->cfg->max_sessions, user_limit(b, a), &b->session_row);

	if (r == 0 || !store_failed(b->st)) {
		*why = *store_why(b->st);
		return r;
	}
	log_error(
	    "login.not_recorded", F_STR("source", b->peer), F_STR("reason", store_error(b->st)));
	if (r == JB_TRY_AGAIN)
		return err_words(why, r, W_LOGIN_BUSY, NULL, NULL, NULL);
	return err_words(why, JB_UNAVAILABLE, W_LOGIN_UNRECORDED, NULL, NULL, NULL);
}

/* Who it is and what is due, from the account as it is now. */
static void
become(struct broker *b, struct account *a)
{
	str_copy(b->user, sizeof(b->user), a->name);
	b->user_id = a->id;
	b->target = b->auth->target;
	b->auth->must_change = a->must_change;
	b->auth->must_enrol = a->need == NEED_ENROLMENT;
	if (b->auth->hash == NULL) { /* logged in by key: a new password differs from it */
		b->auth->hash = a->hash;
		a->hash = NULL;
	}
	store_policy_epoch(b->st, &b->epoch);
	recheck_until(b, a->standing.expires);
}

static int
log_in(struct broker *b, struct account *a, const char *method, const char *key, const char *second,
    struct errtext *why)
{
	char both[64];
	int r;

	snprintf(both, sizeof(both), "%s%s%s", method, second != NULL ? "+" : "",
	    second != NULL ? second : "");
	if ((r = open_session(b, a, both, key, why)) != 0)
		return r;
	become(b, a);
	if (key == NULL)
		backoff_clear(b->st, BACKOFF_USER, a->name);
	if (second != NULL)
		backoff_clear(b->st, BACKOFF_CODE, a->name);
	log_info("login.ok", F_STR("user", b->user), F_STR("source", b->peer),
	    F_STR("method", both), F_STR("key", key), F_NUM("session", b->session_row));
	broker_tell_supervisor(b, STATUS_LOGIN);
	return 0;
}

static void
ask_for_code(struct broker *b, const struct account *a, const char *method, const char *key)
{
	struct auth *auth = b->auth;

	auth->method = method;
	str_copy(auth->key, sizeof(auth->key), key != NULL ? key : "");
	auth->user_id = a->id;
	b->state = STATE_SECOND;
	b->grace_from = now_mono_ms(); /* as long again */
	log_info("login.second", F_STR("user", a->name), F_STR("source", b->peer),
	    F_STR("method", method), F_STR("key", key));
}

/* What the first factor was proven by may have been taken back while the second was awaited. */
static int
first_stands(struct broker *b, const struct account *a, const char *key, struct errtext *why)
{
	const char *proven = b->auth->hash;

	if (key != NULL)
		return auth_key_stands(b, key, why);
	if (a->hash != NULL && proven != NULL && strcmp(a->hash, proven) == 0)
		return 0;
	return err_set(why, JB_DENIED, "the password was changed meanwhile");
}

/* The account is read again here: it may have changed while a password or a code was awaited. */
int
auth_proven(struct broker *b, uint32_t id, const char *method, const char *key, const char *second,
    struct errtext *why)
{
	struct account a;
	int r = account_load(b, b->auth->target.user, &a);

	if (r == JB_NOT_FOUND || (r == 0 && second != NULL && a.id != b->auth->user_id))
		r = err_set(why, JB_NOT_FOUND, "no such user");
	else if (r != 0)
		r = broker_no_database(why);
	else
		r = standing_check(&a.standing, now_unix(), why);
	if (r == 0 && second != NULL)
		r = first_stands(b, &a, key, why);
	if (r == 0) {
		setting(b->auth->language, a.language);
		setting(b->auth->menu, a.menu);
		if (second != NULL && strcmp(second, "recovery") == 0)
			b->auth->recovery = 1 + (uint32_t)a.recovery_codes;
		language_setting(b, a.language);
	}
	if (r == 0 && a.need == NEED_CODE && second == NULL) {
		ask_for_code(b, &a, method, key);
		auth_reply(b, id, AUTH_SECOND);
	} else if (r == 0 && (r = log_in(b, &a, method, key, second, why)) == 0) {
		auth_reply(b, id, auth_go_on(b));
		auth_settle(b);
		notice_account(b, a.standing.expires);
	}
	account_release(&a);
	return r;
}

bool
auth_unable(struct broker *b, const char *method, int r, const struct errtext *why)
{
	if (r != JB_TRY_AGAIN && r != JB_UNAVAILABLE)
		return false;
	broker_end(b, r, "refused", why);
	auth_failed(b, method, why->s); /* may wait for the database; the sentence does not */
	return true;
}

void
auth_failed(struct broker *b, const char *method, const char *why)
{
	const struct auth *a = b->auth;
	const char *user = a->target.user[0] != '\0' ? a->target.user : NULL;
	const struct actor by = { user != NULL ? user : "-", b->peer, b->conn };
	char *detail = xasprintf("method=%s reason=%s", method, why);

	log_info("login.fail", F_STR("user", user), F_STR("source", b->peer),
	    F_STR("method", method), F_STR("reason", why));
	if (!a->waits &&
	    (broker_store(b) == NULL ||
		audit_add(b->st, &by, "login.fail", user, NULL, detail) != 0))
		log_error("login.not_recorded", F_STR("source", b->peer));
	free(detail);
}

void
auth_reply(struct broker *b, uint32_t id, enum auth_outcome outcome)
{
	bool in = outcome != AUTH_DENIED;
	struct msg m;

	msg_init(&m, REP_AUTH, id);
	msg_put_u32(&m, outcome);
	msg_put_str(&m, in ? b->user : "");
	msg_put_str(&m, in ? b->auth->language : "");
	msg_put_str(&m, in ? b->auth->menu : "");
	msg_put_u32(&m, in ? b->auth->recovery : 0);
	broker_send(b, &m);
}

enum auth_outcome
auth_go_on(struct broker *b)
{
	const struct auth *a = b->auth;

	b->grace_from = now_mono_ms(); /* as long again */
	if (a->must_change) {
		b->state = STATE_MUST_CHANGE;
		return AUTH_MUST_CHANGE;
	}
	if (a->must_enrol) {
		b->state = STATE_MUST_ENROL;
		return AUTH_MUST_ENROL;
	}
	b->state = STATE_AUTHED;
	return AUTH_OK;
}

void
auth_settle(struct broker *b)
{
	if (b->state == STATE_AUTHED)
		auth_release(b);
}

void
auth_release(struct broker *b)
{
	struct auth *a = b->auth;

	if (a == NULL)
		return;
	child_stop(a->hasher);
	free_secret(a->password);
	free_secret(a->hash);
	wipe(a->fresh, sizeof(a->fresh));
	free(a->blob);
	free(a);
	b->auth = NULL;
}
