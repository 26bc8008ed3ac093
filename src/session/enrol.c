/*
 * The dialogue in which a user sets up one-time codes: before anything else
 * where they are required, or by the command `totp`.  jumpbox-session.
 *
 *	PROOF ─► (a new secret is shown) ─► CONFIRM ─► (recovery codes are shown) ─► SHOWN
 *
 * One channel of a connection at a time; none may begin while an answer is on
 * its way.  Only whoever has a device already is asked for the proof.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"
#include "qr.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	ENROL_TRIES = 5,
	ROWS_LEFT = 3, /* below the picture: the secret and the prompt */
	GROUP = 4,     /* letters of the secret, for the eye */
	PICTURE_MAX = 256 * 1024,
	MAX_SECRET = 64,
	MAX_URL = 512,
};

/* ---- asking ------------------------------------------------------------------ */

static void
request(struct channel *ch, uint32_t type, const char *code)
{
	struct msg m;

	ch->request = ch->conn->enrolment = link_id();
	ch->state = CH_ASKING;
	msg_init(&m, type, ch->request);
	msg_put_str(&m, code);
	link_send(&m);
	line_init(&ch->line, ch->tty, false);
}

static void
ask(struct channel *ch, enum enrol_step step, enum word w)
{
	ch->conn->step = step;
	ch->state = CH_CODE;
	front_prompt(ch, w, false);
}

static void
leave(struct channel *ch, uint32_t code)
{
	ch->conn->enrolling = NULL;
	chan_end(ch, code);
}

void
enrol_failed(struct channel *ch)
{
	leave(ch, ch->conn->step == ENROL_SHOWN ? 0 : -JB_DENIED);
}

/* The same prompt again, so many times. */
static void
again(struct channel *ch, enum enrol_step step, enum word w)
{
	chan_words(ch, W_WRONG_CODE, NULL, NULL, NULL);
	if (++ch->tries < ENROL_TRIES) {
		ask(ch, step, w);
		return;
	}
	chan_words(ch, W_ENROL_GIVE_UP, NULL, NULL, NULL);
	enrol_failed(ch);
}

void
enrol_start(struct channel *ch)
{
	struct conn *c = ch->conn;
	bool due = c->auth.must_enrol;

	if (!ch->tty || c->enrolling != NULL || c->enrolment != 0) {
		chan_words(ch,
		    ch->tty   ? W_ENROL_ELSEWHERE
			: due ? W_ENROL_TERMINAL
			      : W_TOTP_TERMINAL,
		    NULL, NULL, NULL);
		chan_end(ch, due ? -JB_DENIED : -JB_USAGE);
		return;
	}
	c->enrolling = ch;
	c->enrol_due = due;
	ch->tries = 0;
	if (due)
		chan_words(ch, W_ENROL_DUE, NULL, NULL, NULL);
	request(ch, REQ_ENROL, "");
}

void
enrol_line(struct channel *ch, const char *text)
{
	struct conn *c = ch->conn;

	if (c->step == ENROL_SHOWN && c->enrol_due) {
		c->enrolling = NULL;
		front_start(ch);
	} else if (c->step == ENROL_SHOWN) {
		leave(ch, 0);
	} else if (text[0] == '\0' || strlen(text) > MAX_CODE) {
		again(ch, c->step, c->step == ENROL_PROOF ? W_PRESENT_CODE : W_NEW_CODE);
	} else {
		request(ch, c->step == ENROL_PROOF ? REQ_ENROL : REQ_CONFIRM, text);
	}
}

/* ---- a new secret -------------------------------------------------------------- */

/* Half blocks need it.  A client that says nothing of its locale is taken to have it, as all have today. */
static bool
speaks_utf8(const struct channel *ch)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && value == NULL; i++)
		value = chan_variable(ch, names[i]);
	return value == NULL || strcasestr(value, "utf-8") != NULL ||
	    strcasestr(value, "utf8") != NULL;
}

static void
say_picture(struct channel *ch, const uint8_t *modules, unsigned side)
{
	struct buf picture;
	unsigned rows = ch->rows > ROWS_LEFT ? ch->rows - ROWS_LEFT : 0;

	buf_init(&picture, PICTURE_MAX);
	if (qr_draw(modules, side, ch->cols, rows, speaks_utf8(ch), &picture))
		chan_say_bytes(ch, buf_ptr(&picture), buf_len(&picture));
	else
		chan_words(ch, W_QR_TOO_BIG, NULL, NULL, NULL);
	buf_release(&picture);
}

static void
say_secret(struct channel *ch, const char *secret)
{
	char grouped[2 * MAX_SECRET] = "";
	size_t n = 0;

	for (size_t i = 0; secret[i] != '\0'; i++) {
		if (i > 0 && i % GROUP == 0)
			grouped[n++] = ' ';
		grouped[n++] = secret[i];
	}
	grouped[n] = '\0';
	chan_words(ch, W_ENROL_SECRET, grouped, NULL, NULL);
	wipe(grouped, sizeof(grouped));
}

static void
on_enrol(struct channel *ch, struct msg *m)
{
	uint32_t code = msg_get_u32(m), side;
	char why[MAX_REASON + 1], secret[MAX_SECRET + 1], url[MAX_URL + 1];
	const uint8_t *modules;
	size_t n;

	msg_get_str(m, why, sizeof(why));
	msg_get_str(m, secret, sizeof(secret));
	msg_get_str(m, url, sizeof(url));
	side = msg_get_u32(m);
	modules = msg_get_bytes(m, &n, MAX_QR_SIDE * MAX_QR_SIDE);
	if (!msg_end(m) || side > MAX_QR_SIDE || n != (size_t)side * side)
		fatal(JB_INTERNAL, "the broker's ENROL answer is malformed");
	if (ch == NULL || ch->state != CH_ASKING)
		; /* it has gone */
	else if (code == ENROL_CODE && why[0] != '\0')
		again(ch, ENROL_PROOF, W_PRESENT_CODE);
	else if (code == ENROL_CODE)
		ask(ch, ENROL_PROOF, W_PRESENT_CODE);
	else if (code != 0) {
		chan_reason(ch, why);
		leave(ch, code);
	} else {
		chan_words(ch, W_ENROL_URL, url, NULL, NULL);
		say_picture(ch, modules, side);
		say_secret(ch, secret);
		ask(ch, ENROL_CONFIRM, W_NEW_CODE);
	}
	wipe(secret, sizeof(secret));
	wipe(url, sizeof(url));
}

/* ---- the end ------------------------------------------------------------------------ */

static void
say_recovery(struct channel *ch, struct msg *m, uint32_t n)
{
	char code[MAX_CODE + 1];

	chan_words(ch, W_RECOVERY_CODES, NULL, NULL, NULL);
	for (; n > 0 && !m->bad; n--) {
		msg_get_str(m, code, sizeof(code));
		chan_say(ch, "    ");
		chan_say(ch, code);
		chan_say(ch, "\n");
	}
	wipe(code, sizeof(code));
	ask(ch, ENROL_SHOWN, W_RECOVERY_KEEP);
}

/* The channel may have gone meanwhile; the device is the user's none the less. */
static void
on_confirm(struct channel *ch, struct conn *c, struct msg *m)
{
	enum auth_outcome outcome = (enum auth_outcome)msg_get_u32(m);
	char why[MAX_REASON + 1];
	uint32_t n;

	msg_get_str(m, why, sizeof(why));
	n = msg_get_u32(m);
	if (m->bad)
		fatal(JB_INTERNAL, "the broker's CONFIRM answer is malformed");
	if (outcome == AUTH_OK)
		c->auth.must_enrol = false;
	if (ch == NULL || ch->state != CH_ASKING)
		return;
	if (outcome == AUTH_OK) {
		say_recovery(ch, m, n);
	} else if (why[0] != '\0') {
		chan_reason(ch, why);
		enrol_failed(ch);
	} else {
		again(ch, ENROL_CONFIRM, W_NEW_CODE);
	}
}

void
enrol_answer(struct conn *c, struct msg *m)
{
	if (m->id != c->enrolment)
		fatal(JB_INTERNAL, "the broker answers an enrolment that nobody asked for");
	c->enrolment = 0;
	if (m->type == REP_ENROL)
		on_enrol(c->enrolling, m);
	else
		on_confirm(c->enrolling, c, m);
}
