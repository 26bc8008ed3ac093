/*
 * REQ_SIGN and REQ_VERIFY: the long-term keys are used here and nowhere else.
 * Broker.
 *
 * The first exchange hash that is signed is the session id (RFC 4253 section
 * 7.2), and only a signature over that very id proves a login on this connection.
 */
#include "auth.h"

#include "jumpbox/log.h"

#include <string.h>

/* Kept once loaded: a rekey must be signed by the same key, whatever has become of the file. */
static struct host_key *
key_at(struct broker *b, uint32_t index)
{
	struct errtext e = { 0 };

	if (b->key[index] == NULL &&
	    host_key_load(b->cfg->host_key.item[index], &b->key[index], &e) != 0)
		log_error("broker.no_key", F_STR("reason", e.s));
	return b->key[index];
}

const char *
do_sign(struct broker *b, struct msg *m)
{
	uint32_t index = msg_get_u32(m), digest = msg_get_u32(m);
	uint8_t sig[1024];
	size_t n, sig_len = sizeof(sig);
	const uint8_t *data = msg_get_bytes(m, &n, MAX_SIGN_DATA);
	struct host_key *key;
	struct msg reply;

	if (!msg_end(m) || index >= b->cfg->host_key.n)
		return "malformed";
	if ((key = key_at(b, index)) == NULL) {
		b->done = true;
		return NULL;
	}
	if (host_key_sign(key, digest, data, n, sig, &sig_len) != 0)
		return "not an exchange hash for this key";
	if (b->state == STATE_KEX) {
		memcpy(b->session_id, data, n);
		b->session_id_len = n;
		b->state = STATE_PREAUTH;
	}
	msg_init(&reply, REP_SIGN, m->id);
	msg_put_bytes(&reply, sig, sig_len);
	broker_send(b, &reply);
	return NULL;
}

/* A client may send a bad signature; only a session that was taken over names another session. */
const char *
do_verify(struct broker *b, struct msg *m)
{
	struct auth_request r;
	const uint8_t *sig, *tbs;
	size_t sig_len, n;
	bool whole, good;

	sig = msg_get_bytes(m, &sig_len, MAX_KEY_BLOB);
	tbs = msg_get_bytes(m, &n, MAX_TBS);
	if (!msg_end(m))
		return "malformed";
	auth_unprove(b);
	whole = auth_request_parse(tbs, n, &r) == 0;
	if (whole &&
	    (r.session_id_len != b->session_id_len ||
		memcmp(r.session_id, b->session_id, r.session_id_len) != 0))
		return "a signature for another session";
	good = whole && auth_request_verify(&r, tbs, n, sig, sig_len) == 0;
	if (good)
		auth_prove(b, r.user, r.blob, r.blob_len);
	broker_reply_u32(b, REP_VERIFY, m->id, good);
	if (whole && !good)
		auth_bad_signature(b, r.user, r.blob, r.blob_len);
	return NULL;
}
