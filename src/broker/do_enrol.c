/*
 * REQ_ENROL and REQ_CONFIRM: a user's own device for one-time codes.  Broker.
 *
 * A new secret is nobody's until a code of it was typed: until then it is kept
 * here and nowhere else.  Whoever has a device proves it before the secret of
 * another replaces it.  The picture is made here and not in the session: it is
 * of our own bytes alone, and 466 KiB a session would grow with that library.
 */
#include "auth.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

struct enrol {
	struct totp totp;
	bool replace;
	struct totp old; /* what was proven, if there was anything: that and no other is replaced */
};

void
enrol_release(struct broker *b)
{
	if (b->enrol == NULL)
		return;
	wipe(b->enrol, sizeof(*b->enrol));
	free(b->enrol);
	b->enrol = NULL;
}

/* ---- REQ_ENROL ------------------------------------------------------------------- */

static void
refuse(struct broker *b, uint32_t id, int code, const struct errtext *why)
{
	struct msg m;

	msg_init(&m, REP_ENROL, id);
	broker_put_why(&m, code, why);
	msg_put_str(&m, "");
	msg_put_str(&m, "");
	msg_put_u32(&m, 0);
	msg_put_bytes(&m, NULL, 0);
	broker_send(b, &m);
}

/* One byte a module, 1 is dark; no picture at all rather than one that is too big. */
static void
put_picture(struct msg *m, const char *url)
{
	QRcode *qr = QRcode_encodeString(url, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	size_t n;

	if (qr == NULL || qr->width > MAX_QR_SIDE) {
		msg_put_u32(m, 0);
		msg_put_bytes(m, NULL, 0);
		QRcode_free(qr);
		return;
	}
	n = (size_t)qr->width * (size_t)qr->width;
	for (size_t i = 0; i < n; i++)
		qr->data[i] &= 1;
	msg_put_u32(m, (uint32_t)qr->width);
	msg_put_bytes(m, qr->data, n);
	wipe(qr->data, n);
	QRcode_free(qr);
}

static void
offer(struct broker *b, uint32_t id, const struct totp *t)
{
	const char *issuer =
	    b->cfg->server_address[0] != '\0' ? b->cfg->server_address : host_name();
	char text[TOTP_TEXT], url[TOTP_URL];
	struct msg m;

	if (totp_text(t->secret, text) != 0 || totp_url(t->secret, issuer, b->user, url) != 0)
		fatal(JB_INTERNAL, "no memory for a new secret");
	msg_init(&m, REP_ENROL, id);
	broker_put_why(&m, 0, NULL);
	msg_put_str(&m, text);
	msg_put_str(&m, url);
	put_picture(&m, url);
	broker_send(b, &m);
	wipe(text, sizeof(text));
	wipe(url, sizeof(url));
}

static void
failed(struct broker *b, const char *why)
{
	struct actor by = broker_actor(b);

	log_info("totp.fail", F_STR("user", b->user), F_STR("reason", why));
	audit_add(b->st, &by, "totp.fail", b->user, NULL, why);
	b->wrong_codes++;
}

/* 0: there is no device, or that code is its; -ENROL_CODE: it is to be proven, and why again. */
static int
proven(struct broker *b, const char *code, struct enrol *e, struct errtext *why)
{
	const char *factor;
	int r = broker_store(b) != NULL ? totp_get(b->st, b->user_id, &e->old) : JB_UNAVAILABLE;

	e->replace = r == 0;
	if (r == JB_NOT_FOUND)
		return 0;
	if (r != 0)
		return broker_no_database(why);
	if (code[0] == '\0')
		return -ENROL_CODE;
	if (code_waits(b, b->user))
		return err_words(why, JB_TRY_AGAIN, W_CODES_WAIT, NULL, NULL, NULL);
	r = code_judge(b, b->user_id, b->user, code, &factor, why);
	if (r != JB_DENIED)
		return r;
	failed(b, why->s);
	return -ENROL_CODE;
}

const char *
do_enrol(struct broker *b, struct msg *m)
{
	char code[MAX_CODE + 1];
	struct errtext why = { 0 };
	int r;

	msg_get_str(m, code, sizeof(code));
	if (!msg_end(m))
		return "malformed";
	enrol_release(b);
	b->enrol = xcalloc(1, sizeof(*b->enrol));
	r = proven(b, code, b->enrol, &why);
	wipe(code, sizeof(code));
	if (r != 0) {
		enrol_release(b);
		refuse(b, m->id, r, &why);
		code_limit(b);
		return NULL;
	}
	if (totp_new(b->enrol->totp.secret) != 0)
		fatal(JB_INTERNAL, "the random generator does not answer");
	offer(b, m->id, &b->enrol->totp);
	return NULL;
}

/* ---- REQ_CONFIRM ----------------------------------------------------------------- */

static void
answer(struct broker *b, uint32_t id, enum auth_outcome outcome, const struct errtext *why,
    char (*recovery)[RECOVERY_TEXT])
{
	struct msg m;

	msg_init(&m, REP_CONFIRM, id);
	msg_put_u32(&m, outcome);
	msg_put_str(&m, why != NULL ? why->say : "");
	msg_put_u32(&m, recovery != NULL ? RECOVERY_CODES : 0);
	for (int i = 0; recovery != NULL && i < RECOVERY_CODES; i++)
		msg_put_str(&m, recovery[i]);
	broker_send(b, &m);
}

static int
store_enrolment(struct broker *b, char recovery[RECOVERY_CODES][RECOVERY_TEXT])
{
	uint8_t hash[RECOVERY_CODES][RECOVERY_HASH];
	struct actor by = broker_actor(b);
	int r = broker_store(b) != NULL ? 0 : JB_UNAVAILABLE;

	for (int i = 0; i < RECOVERY_CODES && r == 0; i++)
		r = recovery_new(recovery[i], hash[i]);
	if (r == 0)
		r = totp_enrol(b->st, &by, b->user_id, &b->enrol->totp, hash,
		    b->enrol->replace ? &b->enrol->old : NULL);
	wipe(hash, sizeof(hash));
	return r;
}

/* The device is the user's: who had to enrol may go on. */
static void
enrolled(struct broker *b, uint32_t id, char recovery[RECOVERY_CODES][RECOVERY_TEXT])
{
	enum auth_outcome outcome = AUTH_OK;

	enrol_release(b);
	if (b->auth != NULL) {
		b->auth->must_enrol = false;
		outcome = auth_go_on(b);
	}
	answer(b, id, outcome, NULL, recovery);
	if (b->auth != NULL)
		auth_settle(b);
}

const char *
do_confirm(struct broker *b, struct msg *m)
{
	char code[MAX_CODE + 1], recovery[RECOVERY_CODES][RECOVERY_TEXT] = { "" };
	struct errtext why;
	int r;

	msg_get_str(m, code, sizeof(code));
	if (!msg_end(m) || b->enrol == NULL)
		return b->enrol == NULL ? "nothing to confirm" : "malformed";
	r = totp_match(&b->enrol->totp, now_unix(), code, &b->enrol->totp.last);
	wipe(code, sizeof(code));
	if (r != 0) {
		answer(b, m->id, AUTH_DENIED, NULL, NULL);
	} else if ((r = store_enrolment(b, recovery)) == 0) {
		enrolled(b, m->id, recovery);
	} else if (r == JB_EXISTS) {
		err_words(&why, JB_DENIED, W_ENROLLED_MEANWHILE, NULL, NULL, NULL);
		broker_end(b, JB_DENIED, "refused", &why);
	} else {
		b->enrol->totp.last = 0; /* the code is not used up */
		err_words(&why, r, W_ENROL_UNSTORED, NULL, NULL, NULL);
		answer(b, m->id, AUTH_DENIED, &why, NULL);
	}
	wipe(recovery, sizeof(recovery));
	return NULL;
}
