/*
 * What a channel says before there is a stream, and between two: the target
 * in the login name, the list, and which menu has the terminal.
 * jumpbox-session.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_ASKING = 64, /* of a connection: channels can be many, and the broker has a limit */
	FULL_COLS = 60,	 /* a smaller terminal gets the plain menu */
	FULL_ROWS = 12,
};

/* ---- asking ------------------------------------------------------------------ */

bool
front_ask(struct channel *ch)
{
	struct msg m;

	if (ch->wish == 0 || ch->conn->asking >= MAX_ASKING ||
	    (ch->wish == REQ_LIST && !list_begin(ch, ch->wish_offset)))
		return false;
	ch->request = link_id();
	msg_init(&m, ch->wish, ch->request);
	if (ch->wish == REQ_LIST) {
		msg_put_u32(&m, ch->wish_offset);
		msg_put_u64(&m, ch->since);
	} else {
		msg_put_str(&m, ch->wish_text != NULL ? ch->wish_text : "");
	}
	link_send(&m);
	ch->wish = 0;
	ch->conn->asking++;
	return true;
}

/* Whoever has the terminal meanwhile keeps it. */
static void
ask(struct channel *ch, uint32_t type, uint32_t offset)
{
	if (!menu_full_on(ch))
		ch->state = CH_ASKING;
	ch->request = 0;
	ch->wish = type;
	ch->wish_offset = offset;
	front_ask(ch);
}

void
front_resolve(struct channel *ch, const char *text)
{
	char name[64], message[MAX_REASON + 1];

	if (text != NULL && strlen(text) > MAX_LOGIN) { /* nothing has such a name */
		text_safe(name, sizeof(name), text);
		chan_reason(ch,
		    words(message, sizeof(message), W_TARGET_UNKNOWN, name, ch->conn->user, NULL));
		chan_end(ch, -JB_NOT_FOUND);
		return;
	}
	ch->wish_text = text;
	ask(ch, REQ_TARGET, 0);
}

/* Asks the broker what the login name means. */
static void
ask_target(struct channel *ch)
{
	front_resolve(ch, NULL);
}

/* A container of that name may have been made anew a moment ago, as `docker compose up` does. */
void
front_again(struct channel *ch)
{
	ch->named = false;
	ch->looked_again = true;
	ask_target(ch);
}

void
front_list(struct channel *ch)
{
	ch->anew |= !menu_full_on(ch); /* all of it */
	ask(ch, REQ_LIST, 0);
}

static void
drop_candidates(struct channel *ch)
{
	for (size_t i = 0; i < ch->ncandidates; i++)
		free(ch->candidate[i]);
	free(ch->candidate);
	ch->candidate = NULL;
	ch->ncandidates = 0;
}

void
front_forget(struct channel *ch)
{
	drop_candidates(ch);
	free_secret(ch->first_password);
	free_secret(ch->old_password);
	ch->first_password = ch->old_password = NULL;
}

/* ---- the menu -------------------------------------------------------------------- */

void
front_prompt(struct channel *ch, enum word w, bool echo)
{
	chan_words(ch, w, NULL, NULL, NULL);
	line_init(&ch->line, ch->tty, echo);
}

/* Which face the menu has: this alone decides. */
static bool
wants_full(const struct channel *ch)
{
	static const char *const plain[] = { "", "dumb", "unknown" };

	if (!ch->menu || ch->plain || strcmp(ch->conn->menu, "plain") == 0 ||
	    ch->cols < FULL_COLS || ch->rows < FULL_ROWS)
		return false;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(ch->term, plain[i]) == 0)
			return false;
	return true;
}

/* said: what happened last, for a face that hides it; NULL: nothing. */
static void
open_menu(struct channel *ch, const char *said)
{
	char safe[256];

	if (wants_full(ch)) {
		if (menu_full_open(ch, said))
			return;
		ch->plain = true;
		chan_words(ch, W_UI_NO_TERM, text_safe(safe, sizeof(safe), ch->term), NULL, NULL);
	}
	front_list(ch);
}

void
front_back(struct channel *ch, const char *how)
{
	open_menu(ch, how);
}

void
front_resume(struct channel *ch, const char *said)
{
	if (!menu_full_returned(ch)) {
		menu_plain_resume(ch);
		return;
	}
	open_menu(ch, said);
	menu_full_sessions(ch); /* where that was chosen */
}

void
front_everything(struct channel *ch)
{
	drop_candidates(ch);
	ui_model_filter(&ch->model, NULL, 0);
}

void
front_warn(struct channel *ch, enum word w)
{
	if (menu_full_on(ch))
		menu_full_say(ch, w);
	else
		chan_words(ch, w, NULL, NULL, NULL);
}

void
front_connect(struct channel *ch, const struct ui_entry *e)
{
	char safe[160];

	text_safe(safe, sizeof(safe), e->name);
	if (ch->tty)
		chan_words(ch, W_CONNECTING, safe, NULL, NULL);
	relay_attach(ch, e->ref, safe);
}

void
front_start(struct channel *ch)
{
	language_locale(ch);
	if (ch->conn->auth.must_change)
		renew_start(ch);
	else if (ch->conn->auth.must_enrol)
		enrol_start(ch);
	else
		ask_target(ch);
}

/* ---- input ------------------------------------------------------------------------------ */

static void
line_ended(struct channel *ch, enum line_event event)
{
	bool done = event == LINE_DONE;

	if (done && ch->state == CH_PASSWORD)
		renew_line(ch, ch->line.text);
	else if (done && ch->state == CH_CODE)
		enrol_line(ch, ch->line.text);
	else if (ch->state == CH_MENU && ch->invocation != NULL)
		command_line(ch, done ? ch->line.text : NULL);
	else if (ch->state == CH_MENU && !ch->tty)
		menu_plain_pick(ch, done ? ch->line.text : NULL);
	else if (done)
		menu_plain_line(ch, ch->line.text);
	else if (ch->state == CH_PASSWORD)
		renew_failed(ch);
	else if (ch->state == CH_CODE)
		enrol_failed(ch);
	else if (event == LINE_INTERRUPT)
		menu_plain_interrupted(ch);
	else
		chan_end(ch, 0);
}

bool
front_input(struct channel *ch, int64_t now)
{
	enum line_event event = LINE_MORE;
	bool any = false;
	uint8_t byte;

	if (menu_full_on(ch))
		return menu_full_work(ch, now);
	while (buf_len(&ch->in) > 0 && event == LINE_MORE) {
		byte = *buf_ptr(&ch->in);
		if (ch->state != CH_MENU) /* it would stay in the storage */
			wipe(ch->in.data + ch->in.off, 1);
		buf_consume(&ch->in, 1);
		event = line_feed(&ch->line, byte, &ch->say);
		any = true;
	}
	if (event == LINE_MORE && ch->in_eof && !ch->held && buf_len(&ch->in) == 0) {
		event = LINE_EOF;
		any = true;
	}
	if (event != LINE_MORE)
		line_ended(ch, event);
	return any;
}

/* ---- answers ------------------------------------------------------------------------------ */

/* The menu stays, to be asked again. */
static void
no_list(struct channel *ch)
{
	if (menu_full_on(ch)) {
		menu_full_unlisted(ch);
		return;
	}
	chan_words(ch, W_NO_LIST, NULL, NULL, NULL);
	if (ch->menu)
		menu_plain_resume(ch);
	else
		chan_end(ch, -JB_UNAVAILABLE);
}

static void
listed(struct channel *ch)
{
	ch->request = 0;
	if (ch->command != NULL)
		command_listed(ch);
	else if (menu_full_on(ch))
		menu_full_listed(ch);
	else
		menu_plain_show(ch);
}

static void
more_rows(struct channel *ch, uint32_t next)
{
	if (menu_full_on(ch))
		menu_full_rows(ch);
	ask(ch, REQ_LIST, next);
}

static void
on_list(struct channel *ch, struct msg *m)
{
	uint32_t next;

	if (!list_take(ch, m, &next))
		no_list(ch);
	else if (next != 0)
		more_rows(ch, next);
	else
		listed(ch);
}

static void
take_candidates(struct channel *ch, struct msg *m)
{
	uint32_t n = msg_get_u32(m);

	if (n > MAX_CANDIDATES)
		fatal(JB_INTERNAL, "the broker's TARGET answer is malformed");
	drop_candidates(ch);
	ch->candidate = xcalloc(n + 1, sizeof(*ch->candidate));
	for (ch->ncandidates = 0; ch->ncandidates < n; ch->ncandidates++)
		if ((ch->candidate[ch->ncandidates] = msg_dup_str(m, 255)) == NULL)
			fatal(JB_INTERNAL, "the broker's TARGET answer is malformed");
}

/* No one container: the menu for a person, candidates and a status for a program. */
static void
no_target(struct channel *ch, uint32_t code, const char *message)
{
	char safe[256];

	if (code == (uint32_t)-JB_USAGE && ch->tty && ch->command == NULL) {
		text_safe(ch->notice, sizeof(ch->notice), message);
		ch->menu = true;
		open_menu(ch, message);
		return;
	}
	chan_reason(ch, message);
	for (size_t i = 0; i < ch->ncandidates; i++) {
		chan_say(ch, "  ");
		chan_say(ch, text_safe(safe, sizeof(safe), ch->candidate[i]));
		chan_say(ch, "\n");
	}
	chan_end(ch, code);
}

static void
on_target(struct channel *ch, struct msg *m)
{
	uint32_t code = msg_get_u32(m);
	char message[MAX_REASON + 1];
	uint64_t ref;

	msg_get_str(m, message, sizeof(message));
	ref = msg_get_u64(m);
	take_candidates(ch, m);
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's TARGET answer is malformed");
	if (code == 0 && ch->invocation != NULL) {
		command_target(ch, ref);
	} else if (code == 0 && ch->sftp) {
		carry_sftp(ch, ref);
	} else if (code == 0) {
		ch->named = !ch->looked_again;
		relay_attach(ch, ref, ""); /* named for the menu alone */
	} else if (code != TARGET_NONE) {
		no_target(ch, code, message);
	} else if (ch->sftp) {
		chan_words(ch, W_SFTP_NO_CONTAINER, NULL, NULL, NULL);
		chan_end(ch, -JB_USAGE);
	} else if (ch->command != NULL) {
		command_start(ch);
	} else {
		ch->menu = ch->tty;
		open_menu(ch, NULL);
	}
}

bool
front_answer(struct channel *ch, struct msg *m)
{
	if ((ch->state != CH_ASKING && ch->state != CH_MENU) || m->id != ch->request)
		return false;
	if (m->type == REP_TARGET)
		on_target(ch, m);
	else if (m->type == REP_LIST)
		on_list(ch, m);
	else
		return false;
	return true;
}
