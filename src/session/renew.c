/*
 * The dialogue for a new password: one that must be had before anything else,
 * or is wished for.
 * jumpbox-session.
 *
 * The broker takes one change of a connection and no other after it: one
 * channel asks for it, and none may begin while an answer is on its way.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <string.h>

enum { NEW_PASSWORD_TRIES = 3 };

/* It is not due: `passwd` asks. */
static bool
is_own(const struct channel *ch)
{
	return ch->invocation != NULL;
}

void
renew_failed(struct channel *ch)
{
	ch->conn->renewing = NULL;
	chan_end(ch, -JB_DENIED);
}

static void
password_again(struct channel *ch)
{
	free_secret(ch->first_password);
	ch->first_password = NULL;
	if (++ch->tries >= NEW_PASSWORD_TRIES) {
		chan_words(ch, W_PASSWORD_GIVE_UP, NULL, NULL, NULL);
		renew_failed(ch);
		return;
	}
	ch->state = CH_PASSWORD;
	front_prompt(ch, W_NEW_PASSWORD, false);
}

static void
change(struct channel *ch, const char *text)
{
	struct msg m;

	ch->request = ch->conn->renewal = link_id();
	ch->state = CH_ASKING;
	msg_init(&m, is_own(ch) ? REQ_PASSWD : REQ_NEW_PASSWORD, ch->request);
	if (is_own(ch))
		msg_put_str(&m, ch->old_password);
	msg_put_str(&m, text);
	link_send(&m);
	line_init(&ch->line, ch->tty, false);
}

void
renew_line(struct channel *ch, const char *text)
{
	if (strlen(text) > MAX_PASSWORD) {
		chan_words(ch, W_PASSWORD_TOO_LONG, NULL, NULL, NULL);
		password_again(ch);
		return;
	}
	if (is_own(ch) && ch->old_password == NULL) {
		ch->old_password = xstrdup(text);
		front_prompt(ch, W_NEW_PASSWORD, false);
		return;
	}
	if (ch->first_password == NULL) {
		ch->first_password = xstrdup(text);
		front_prompt(ch, W_NEW_PASSWORD_AGAIN, false);
		return;
	}
	if (strcmp(ch->first_password, text) != 0) {
		chan_words(ch, W_PASSWORDS_DIFFER, NULL, NULL, NULL);
		password_again(ch);
		return;
	}
	change(ch, text);
}

/* The channel may have gone meanwhile; the password has changed none the less. */
void
renew_answer(struct conn *c, struct msg *m)
{
	struct channel *ch = c->renewing;
	enum auth_outcome outcome = (enum auth_outcome)msg_get_u32(m);
	char why[MAX_REASON + 1];

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m) || m->id != c->renewal)
		fatal(JB_INTERNAL, "the broker's NEW_PASSWORD answer is malformed");
	c->renewal = 0;
	if (outcome != AUTH_DENIED) {
		c->auth.must_change = false;
		c->auth.must_enrol = outcome == AUTH_MUST_ENROL;
	}
	if (ch == NULL || ch->state != CH_ASKING)
		return;
	if (outcome == AUTH_DENIED) {
		chan_reason(ch, why);
		if (is_own(ch)) /* which of the two was wrong is said */
			renew_failed(ch);
		else
			password_again(ch);
		return;
	}
	c->renewing = NULL;
	free_secret(ch->first_password);
	ch->first_password = NULL;
	chan_words(ch, W_PASSWORD_CHANGED, NULL, NULL, NULL);
	if (is_own(ch)) {
		chan_end(ch, 0);
	} else {
		chan_say(ch, "\n");
		front_start(ch);
	}
}

/* Whether this channel may have its turn; if not, it ends. */
static bool
may_ask(struct channel *ch, bool able, enum word unable, enum word elsewhere)
{
	struct conn *c = ch->conn;

	if (able && c->renewing == NULL && c->renewal == 0) {
		c->renewing = ch;
		ch->state = CH_PASSWORD;
		return true;
	}
	chan_words(ch, able ? elsewhere : unable, NULL, NULL, NULL);
	chan_end(ch, is_own(ch) ? -JB_USAGE : -JB_DENIED);
	return false;
}

void
renew_own(struct channel *ch)
{
	if (may_ask(ch, ch->tty, W_PASSWD_TERMINAL, W_PASSWD_ELSEWHERE))
		front_prompt(ch, W_OLD_PASSWORD, false);
}

void
renew_given(struct channel *ch, const char *old, const char *new)
{
	bool fit = strlen(old) <= MAX_PASSWORD && strlen(new) <= MAX_PASSWORD;

	if (!may_ask(ch, fit, W_PASSWORD_TOO_LONG, W_PASSWD_ELSEWHERE))
		return;
	ch->old_password = xstrdup(old);
	change(ch, new);
}

void
renew_start(struct channel *ch)
{
	if (!may_ask(ch, ch->tty, W_NEW_PASSWORD_TERMINAL, W_NEW_PASSWORD_ELSEWHERE))
		return;
	chan_words(ch, W_NEW_PASSWORD_DUE, NULL, NULL, NULL);
	front_prompt(ch, W_NEW_PASSWORD, false);
}
