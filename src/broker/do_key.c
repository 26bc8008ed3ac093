/*
 * REQ_OFFER and REQ_KEY_LOGIN: public keys.  Broker.
 *
 * A session says which login it wants; that the client made it is known here
 * from the signature that VERIFY checked, and from nothing else.
 */
#include "auth.h"

#include "jumpbox/cidr.h"
#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

void
auth_unprove(struct broker *b)
{
	struct auth *a = b->auth;

	a->signer[0] = '\0';
	free(a->blob);
	a->blob = NULL;
	a->blob_len = 0;
}

void
auth_prove(struct broker *b, const char *user, const uint8_t *blob, size_t n)
{
	struct auth *a = b->auth;

	if (str_copy(a->signer, sizeof(a->signer), user) != 0)
		return;
	a->blob = xcalloc(n, 1);
	memcpy(a->blob, blob, n);
	a->blob_len = n;
}

/* ---- is this key the user's, here and now ------------------------------------ */

struct looking {
	const struct broker *b;
	const char *blob;	 /* base64 */
	const char *fingerprint; /* without a blob */
	bool found;
	const char *flaw; /* of the one found: why it opens nothing; NULL: it does */
};

static const char *
key_flaw(const struct broker *b, const struct user_key *k)
{
	if (k->until != 0 && k->until <= now_unix())
		return "the key has expired";
	if (k->from != NULL && !cidr_list_contains(k->from, b->peer))
		return "the key is not accepted from this address";
	return NULL;
}

static int
look_at_key(const struct user_key *k, void *arg)
{
	struct looking *l = arg;
	bool same = l->blob != NULL ? strcmp(k->blob, l->blob) == 0
				    : strcmp(k->fingerprint, l->fingerprint) == 0;

	if (same) {
		l->found = true;
		l->flaw = key_flaw(l->b, k);
	}
	return 0;
}

/* 0: the account may log in and has this key. *known: it has it, whatever else is wrong. */
static int
key_opens(struct broker *b, const uint8_t *blob, size_t n, bool *known, struct errtext *why)
{
	char text[MAX_KEY_BLOB / 3 * 4 + 8];
	struct looking l = { .b = b, .blob = text };
	struct account account = { 0 };
	const char *user = b->auth->target.user;
	int r = JB_DENIED;

	*known = false;
	err_set(why, r, "no such key");
	if (n == 0 || n > MAX_KEY_BLOB)
		return r;
	EVP_EncodeBlock((unsigned char *)text, blob, (int)n);
	if (!b->auth->named)
		err_set(why, r, "malformed name");
	else if ((r = account_load(b, user, &account)) == JB_NOT_FOUND)
		err_set(why, r, "no such user");
	else if (r != 0 || (r = key_each(b->st, user, look_at_key, &l)) != 0)
		r = broker_no_database(why);
	else if ((r = standing_check(&account.standing, now_unix(), why)) == 0 && !l.found)
		r = JB_DENIED;
	else if (r == 0 && l.flaw != NULL)
		r = err_set(why, JB_DENIED, "%s", l.flaw);
	account_release(&account);
	*known = l.found;
	return r;
}

int
auth_key_stands(struct broker *b, const char *fingerprint, struct errtext *why)
{
	struct looking l = { .b = b, .fingerprint = fingerprint };

	if (key_each(b->st, b->auth->target.user, look_at_key, &l) != 0)
		return broker_no_database(why);
	return l.found && l.flaw == NULL
	    ? 0
	    : err_set(why, JB_DENIED, "the key was taken back meanwhile");
}

/*
 * Never counted: clients try all the keys they have.  Recorded once a connection, and only if the key
 * is that user's: whoever has none must not fill the database.
 */
static void
key_failed(struct broker *b, bool known, const char *why)
{
	struct auth *a = b->auth;

	if (known && !a->key_failed)
		auth_failed(b, "publickey", why);
	else
		log_debug("login.key_refused", F_STR("user", a->target.user), F_STR("reason", why));
	a->key_failed |= known;
}

/*
 * For whom the client says it is.  libssh drops such a request, so that the
 * session does not know of the name: the next one may be another.
 */
void
auth_bad_signature(struct broker *b, const char *login, const uint8_t *blob, size_t n)
{
	struct auth *a = b->auth;
	bool first = a->login[0] == '\0', known;
	struct errtext why;

	if (!first && strcmp(a->login, login) != 0)
		return;
	if (auth_claim(b, login) == NULL) {
		key_opens(b, blob, n, &known, &why);
		key_failed(b, known, "bad signature");
	}
	if (first)
		a->login[0] = '\0';
}

/* ---- the requests --------------------------------------------------------------- */

/* To record may wait for the database; the answer does not. */
const char *
do_offer(struct broker *b, struct msg *m)
{
	char login[MAX_LOGIN + 1];
	const char *wrong;
	struct errtext why;
	const uint8_t *blob;
	bool known;
	size_t n;
	int r;

	msg_get_str(m, login, sizeof(login));
	blob = msg_get_bytes(m, &n, MAX_KEY_BLOB);
	if (!msg_end(m))
		return "malformed";
	if ((wrong = auth_claim(b, login)) != NULL)
		return wrong;
	r = key_opens(b, blob, n, &known, &why);
	if (auth_unable(b, "publickey", r, &why))
		return NULL;
	broker_reply_u32(b, REP_OFFER, m->id, r == 0);
	if (r != 0)
		key_failed(b, known, why.s);
	return NULL;
}

const char *
do_key_login(struct broker *b, struct msg *m)
{
	char login[MAX_LOGIN + 1], key[64] = "";
	const char *wrong;
	struct errtext why;
	bool known;
	int r;

	msg_get_str(m, login, sizeof(login));
	if (!msg_end(m))
		return "malformed";
	if ((wrong = auth_claim(b, login)) != NULL)
		return wrong;
	if (b->auth->blob == NULL || strcmp(b->auth->signer, login) != 0)
		return "a login that the client did not make";
	r = key_opens(b, b->auth->blob, b->auth->blob_len, &known, &why);
	if (r == 0)
		r = pubkey_fingerprint(b->auth->blob, b->auth->blob_len, key, sizeof(key));
	if (r == 0)
		r = auth_proven(b, m->id, "publickey", key, NULL, &why);
	if (r == 0 || auth_unable(b, "publickey", r, &why))
		return NULL;
	key_failed(b, known, why.s);
	auth_unprove(b);
	auth_reply(b, m->id, AUTH_DENIED);
	return NULL;
}
