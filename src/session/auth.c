/*
 * SSH authentication requests: asked of the broker, answered when it has
 * decided.  jumpbox-session.
 *
 * One request is open at a time; while it is, serve.c reads nothing more from
 * the client.
 *
 * A wrong signature, or a key of a kind that libssh cannot read, is dropped
 * by libssh without a word, and the client would wait for the login deadline.
 * The first is known from sign.c; the second shows only as a packet, at a
 * point where a key may be offered, of which nothing comes.  Both are refused
 * through a request that was answered before: libssh takes no other way.
 */
#include "conn.h"

#include "jumpbox/util.h"

#include <libssh/server.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_FAILURES = 6,
	MAX_REQUESTS = 200, /* with every key of a well-filled agent */
	STALL_MS = 1000,
};

static int
methods(const struct conn *c)
{
	if (c->auth.second)
		return SSH_AUTH_METHOD_INTERACTIVE;
	return SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE;
}

static void
refuse(struct conn *c, enum word w)
{
	struct errtext why;

	err_words(&why, JB_DENIED, w, NULL, NULL, NULL);
	conn_refuse(c, &why);
}

/* Answered.  The first one without a secret is kept. */
static void
done_with(struct conn *c, ssh_message m)
{
	unsigned method = (unsigned)ssh_message_subtype(m);

	c->auth.keys = method == SSH_AUTH_METHOD_NONE || method == SSH_AUTH_METHOD_PUBLICKEY;
	if (c->auth.keys && c->auth.kept == NULL)
		c->auth.kept = m;
	else
		ssh_message_free(m);
}

static void
count_failure(struct conn *c)
{
	if (++c->auth.failures >= MAX_FAILURES)
		refuse(c, W_TOO_MANY_TRIES);
}

static void
reject(struct conn *c, ssh_message m, bool counts)
{
	ssh_message_auth_set_methods(m, methods(c));
	ssh_message_reply_default(m);
	done_with(c, m);
	if (counts)
		count_failure(c);
}

/* Sends the request; its answer goes to the client's message. */
static void
ask(struct conn *c, ssh_message m, struct msg *request)
{
	c->auth.waiting = m;
	c->auth.request = request->id;
	link_send(request);
}

static void
ask_password(struct conn *c, ssh_message m, const char *password)
{
	struct msg request;

	if (password == NULL || strlen(password) > MAX_PASSWORD) {
		reject(c, m, true);
		return;
	}
	msg_init(&request, REQ_PASSWORD, link_id());
	msg_put_str(&request, c->auth.login);
	msg_put_str(&request, password);
	ask(c, m, &request);
}

static void
ask_code(struct conn *c, ssh_message m, const char *code)
{
	struct msg request;

	if (code == NULL || strlen(code) > MAX_CODE) {
		reject(c, m, true);
		return;
	}
	msg_init(&request, REQ_CODE, link_id());
	msg_put_str(&request, code);
	ask(c, m, &request);
}

static void
on_password(struct conn *c, ssh_message m)
{
	if (c->auth.second)
		reject(c, m, true);
	else
		ask_password(c, m, ssh_message_auth_password(m));
}

/* One prompt: for the password, or for the code when one factor is given. */
static void
prompt(struct conn *c, ssh_message m)
{
	char text[64];
	const char *prompts[] = { words(
	    text, sizeof(text), c->auth.second ? W_CODE_PROMPT : W_PASSWORD, NULL, NULL, NULL) };
	char echo[] = { 0 };

	ssh_message_auth_interactive_request(m, "", "", 1, prompts, echo);
	done_with(c, m);
	c->auth.interactive = true;
}

static void
on_interactive(struct conn *c, ssh_message m)
{
	char *answer;

	if (!ssh_message_auth_kbdint_is_response(m)) {
		prompt(c, m);
		return;
	}
	if (!c->auth.interactive || ssh_userauth_kbdint_getnanswers(c->ssh) != 1) {
		reject(c, m, true);
		return;
	}
	c->auth.interactive = false;
	answer = (char *)(uintptr_t)ssh_userauth_kbdint_getanswer(c->ssh, 0);
	if (c->auth.second)
		ask_code(c, m, answer);
	else
		ask_password(c, m, answer);
	if (answer != NULL) /* libssh would keep it for as long as the session lasts */
		wipe(answer, strlen(answer));
}

/* Certificates are not checked by anybody, and security keys sign something else: neither is taken. */
static bool
key_acceptable(ssh_key key)
{
	static const enum ssh_keytypes_e kinds[] = { SSH_KEYTYPE_ED25519, SSH_KEYTYPE_RSA,
		SSH_KEYTYPE_ECDSA_P256, SSH_KEYTYPE_ECDSA_P384, SSH_KEYTYPE_ECDSA_P521 };

	for (size_t i = 0; key != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (ssh_key_type(key) == kinds[i])
			return true;
	return false;
}

/* The wire form of a key, which libssh gives as base64. */
static bool
put_key(struct msg *request, ssh_key key)
{
	uint8_t blob[MAX_KEY_BLOB + 3];
	char *base64 = NULL;
	size_t n;
	int len = -1;

	if (!key_acceptable(key) || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
		return false;
	n = strlen(base64);
	if (n > 0 && n / 4 * 3 <= MAX_KEY_BLOB)
		len = EVP_DecodeBlock(blob, (const unsigned char *)base64, (int)n);
	for (; len > 0 && base64[n - 1] == '='; n--)
		len--; /* DecodeBlock counts the padding */
	if (len > 0)
		msg_put_bytes(request, blob, (size_t)len);
	ssh_string_free_char(base64);
	return len > 0;
}

static void
on_publickey(struct conn *c, ssh_message m)
{
	enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(m);
	struct msg request;

	if (c->auth.second) {
		reject(c, m, false);
		return;
	}
	switch (state) {
	case SSH_PUBLICKEY_STATE_NONE:
		msg_init(&request, REQ_OFFER, link_id());
		msg_put_str(&request, c->auth.login);
		if (put_key(&request, ssh_message_auth_pubkey(m))) {
			ask(c, m, &request);
		} else {
			msg_release(&request);
			reject(c, m, false);
		}
		break;
	case SSH_PUBLICKEY_STATE_VALID:
		msg_init(&request, REQ_KEY_LOGIN, link_id());
		msg_put_str(&request, c->auth.login);
		ask(c, m, &request);
		break;
	default:
		reject(c, m, true);
		break;
	}
}

/* The first name is the name: another one later is another person. */
static bool
same_login(struct conn *c, const char *login)
{
	if (login == NULL || strlen(login) > MAX_LOGIN)
		return false;
	if (c->auth.login[0] == '\0')
		return str_copy(c->auth.login, sizeof(c->auth.login), login) == 0 &&
		    login[0] != '\0';
	if (strcmp(c->auth.login, login) == 0)
		return true;
	refuse(c, W_NAME_CHANGED);
	return false;
}

/* A client takes a banner only between its first request and the answer to it. */
static void
send_banner(struct conn *c)
{
	ssh_string banner;

	if (c->banner == NULL || (banner = ssh_string_from_char(c->banner)) == NULL)
		return;
	ssh_send_issue_banner(c->ssh, banner);
	ssh_string_free(banner);
	c->banner = NULL;
}

void
auth_request(struct conn *c, ssh_message m)
{
	/* The answer to a prompt carries no name of its own. */
	bool response = ssh_message_subtype(m) == SSH_AUTH_METHOD_INTERACTIVE &&
	    ssh_message_auth_kbdint_is_response(m);

	if (++c->auth.requests > MAX_REQUESTS) {
		ssh_message_free(m);
		refuse(c, W_TOO_MANY_TRIES);
		return;
	}
	if (c->auth.done || (!response && !same_login(c, ssh_message_auth_user(m)))) {
		reject(c, m, !c->auth.done);
		return;
	}
	send_banner(c);
	switch (ssh_message_subtype(m)) {
	case SSH_AUTH_METHOD_PASSWORD:
		on_password(c, m);
		break;
	case SSH_AUTH_METHOD_INTERACTIVE:
		on_interactive(c, m);
		break;
	case SSH_AUTH_METHOD_PUBLICKEY:
		on_publickey(c, m);
		break;
	default: /* the probe for what there is */
		reject(c, m, false);
		break;
	}
}

static void
on_offer(struct conn *c, struct msg *m)
{
	bool good = msg_get_u32(m) != 0;
	ssh_message waiting = c->auth.waiting;

	c->auth.waiting = NULL;
	if (!good || !msg_end(m)) {
		reject(c, waiting, false);
		return;
	}
	ssh_message_auth_reply_pk_ok_simple(waiting);
	done_with(c, waiting);
}

/* Known by one factor: a dialogue goes on with the next prompt, another method begins one. */
static void
on_second(struct conn *c, ssh_message waiting)
{
	c->auth.second = true;
	language_setting(c);
	c->started = now_mono_ms(); /* as long again */
	ssh_set_auth_methods(c->ssh, methods(c));
	if (ssh_message_subtype(waiting) == SSH_AUTH_METHOD_INTERACTIVE) {
		prompt(c, waiting);
		return;
	}
	ssh_message_auth_reply_success(waiting, 1);
	done_with(c, waiting);
}

static void
on_outcome(struct conn *c, struct msg *m)
{
	enum auth_outcome outcome = (enum auth_outcome)msg_get_u32(m);
	ssh_message waiting = c->auth.waiting;

	msg_get_str(m, c->user, sizeof(c->user));
	msg_get_str(m, c->language, sizeof(c->language));
	msg_get_str(m, c->menu, sizeof(c->menu));
	c->recovery = msg_get_u32(m);
	c->auth.waiting = NULL;
	if (!msg_end(m) || outcome == AUTH_DENIED) {
		reject(c, waiting, true);
		return;
	}
	if (outcome == AUTH_SECOND) {
		on_second(c, waiting);
		return;
	}
	c->auth.done = true;
	c->auth.must_change = outcome == AUTH_MUST_CHANGE;
	c->auth.must_enrol = outcome == AUTH_MUST_ENROL;
	language_setting(c);
	ssh_message_auth_reply_success(waiting, 0);
	ssh_message_free(waiting);
	auth_release(c);
	c->last_in = now_mono_ms();
	timers_active(c);
}

bool
auth_answer(struct conn *c, struct msg *m)
{
	if (c->auth.waiting == NULL || m->id != c->auth.request)
		return false;
	if (m->type == REP_OFFER)
		on_offer(c, m);
	else if (m->type == REP_AUTH)
		on_outcome(c, m);
	else
		return false;
	return true;
}

/* ---- what libssh dropped --------------------------------------------- */

static void
answer_dropped(struct conn *c, bool counts)
{
	c->auth.stalled_at = 0;
	if (c->auth.kept == NULL || ++c->auth.requests > MAX_REQUESTS) {
		refuse(c, c->auth.kept == NULL ? W_UNUSABLE_KEY : W_TOO_MANY_TRIES);
		return;
	}
	ssh_message_auth_set_methods(c->auth.kept, methods(c));
	ssh_message_reply_default(c->auth.kept);
	if (counts)
		count_failure(c);
}

/* A packet that is dropped may have come together with one that is not. */
void
auth_watch(struct conn *c, unsigned messages, bool deaf, int64_t now)
{
	struct auth *a = &c->auth;
	bool more = c->packets.in_packets - a->packets > messages;

	a->packets = c->packets.in_packets;
	if (c->ended)
		return;
	if (sign_refused())
		answer_dropped(c, true);
	else if (deaf || a->waiting != NULL)
		a->stalled_at = 0;
	else if (more && a->keys)
		a->stalled_at = now + STALL_MS;
	else if (messages > 0)
		a->stalled_at = 0;
	else if (a->stalled_at != 0 && now >= a->stalled_at)
		answer_dropped(c, false);
}

void
auth_release(struct conn *c)
{
	if (c->auth.waiting != NULL)
		ssh_message_free(c->auth.waiting);
	ssh_message_free(c->auth.kept);
	c->auth.waiting = c->auth.kept = NULL;
}
