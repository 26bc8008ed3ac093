/*
 * What a channel says before there is a stream, and between two: the target
 * in the login name, the plain menu, jumpbox's own commands, a new password.
 * jumpbox-session.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "ui_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEW_PASSWORD_TRIES = 3 };

/* ---- asking ------------------------------------------------------------------ */

static void
ask_target(struct channel *ch)
{
	struct msg m;

	ch->request = link_id();
	ch->state = CH_ASKING;
	msg_init(&m, REQ_TARGET, ch->request);
	link_send(&m);
}

static void
ask_list(struct channel *ch, uint32_t offset)
{
	struct msg m;

	if (offset == 0)
		ui_model_begin(&ch->model);
	ch->request = link_id();
	ch->state = CH_ASKING;
	msg_init(&m, REQ_LIST, ch->request);
	msg_put_u32(&m, offset);
	link_send(&m);
}

/* ---- jumpbox's own commands: an exec without a container ------------------------ */

static void
run_help(struct channel *ch)
{
	ch->say_out = true;
	chan_words(ch, W_HELP, NULL, NULL, NULL);
	chan_end(ch, 0);
}

static void
list_first(struct channel *ch)
{
	ask_list(ch, 0);
}

static void
print_rows(struct channel *ch, struct buf *out)
{
	ui_plain_rows(&ch->model, 0, out);
}

static void
print_json(struct channel *ch, struct buf *out)
{
	ui_plain_json(&ch->model, out);
}

static const struct command {
	const char *name;
	void (*start)(struct channel *ch);
	void (*print)(struct channel *ch, struct buf *out); /* once the list is there */
} commands[] = {
	{ "help", run_help, NULL },
	{ "ls", list_first, print_rows },
	{ "ls --json", list_first, print_json },
};

static const struct command *
command_find(const char *text)
{
	for (size_t i = 0; text != NULL && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(text, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static void
run_command(struct channel *ch)
{
	const struct command *command = command_find(ch->command);
	char safe[256];

	if (command != NULL) {
		command->start(ch);
		return;
	}
	chan_words(ch, W_NO_COMMAND, text_safe(safe, sizeof(safe), ch->command), NULL, NULL);
	chan_end(ch, -JB_USAGE);
}

static void
print_list(struct channel *ch, const struct command *command)
{
	struct buf out;

	buf_init(&out, SAY_MAX);
	command->print(ch, &out);
	buf_add(&out, "", 1);
	ch->say_out = true;
	chan_say(ch, (const char *)buf_ptr(&out));
	buf_release(&out);
	chan_end(ch, 0);
}

/* ---- the menu -------------------------------------------------------------------- */

static void
prompt(struct channel *ch, enum word w, bool echo)
{
	chan_words(ch, w, NULL, NULL, NULL);
	line_init(&ch->line, ch->tty, echo);
}

static void
show_menu(struct channel *ch)
{
	size_t n;
	char count[24];
	struct buf rows;

	ui_model_filter(&ch->model, ch->candidate, ch->ncandidates);
	n = ui_model_visible(&ch->model);
	snprintf(count, sizeof(count), "%zu", n);
	if (ch->ncandidates > 0)
		chan_words(ch, W_MENU_FILTERED, ch->notice, NULL, NULL);
	else
		chan_words(ch,
		    n == 0	 ? W_MENU_NONE
			: n == 1 ? W_MENU_HEAD_ONE
				 : W_MENU_HEAD,
		    ch->conn->user, "jumpbox", count);
	buf_init(&rows, SAY_MAX);
	ui_plain_rows(&ch->model, ch->tty ? ch->cols : 0, &rows);
	buf_add(&rows, "", 1);
	chan_say(ch, (const char *)buf_ptr(&rows));
	buf_release(&rows);
	ch->state = CH_MENU;
	prompt(ch, ch->tty ? W_MENU_PROMPT : W_PICK_PROMPT, true);
}

void
front_back(struct channel *ch)
{
	ask_list(ch, 0);
}

/* A typed line: true if it chose a container. */
static bool
pick(struct channel *ch, const char *text)
{
	const struct ui_entry *e;
	char safe[160], count[24];
	size_t n = ui_model_find(&ch->model, text, &e);

	if (n == 1) {
		if (ch->tty)
			chan_words(
			    ch, W_CONNECTING, text_safe(safe, sizeof(safe), e->name), NULL, NULL);
		relay_attach(ch, e->ref, text_safe(safe, sizeof(safe), e->name));
		return true;
	}
	text_safe(safe, sizeof(safe), text);
	snprintf(count, sizeof(count), "%zu", n);
	chan_words(ch, n == 0 ? W_NO_SUCH : W_AMBIGUOUS, safe, count, NULL);
	return false;
}

static void
menu_line(struct channel *ch, const char *text)
{
	if (!ch->tty) { /* one line, no second try: a script may be typing */
		if (!pick(ch, text))
			chan_end(ch, -JB_USAGE);
	} else if (strcmp(text, "q") == 0) {
		chan_end(ch, 0);
	} else if (strcmp(text, "r") == 0) {
		ch->ncandidates = 0;
		ask_list(ch, 0);
	} else if (strcmp(text, "?") == 0) {
		chan_words(ch, W_MENU_HELP, NULL, NULL, NULL);
		prompt(ch, W_MENU_PROMPT, true);
	} else if (text[0] == '\0' || !pick(ch, text)) {
		prompt(ch, W_MENU_PROMPT, true);
	}
}

/* ---- a new password ----------------------------------------------------------------- */

static void
password_again(struct channel *ch)
{
	free_secret(ch->first_password);
	ch->first_password = NULL;
	if (++ch->tries >= NEW_PASSWORD_TRIES) {
		chan_words(ch, W_PASSWORD_GIVE_UP, NULL, NULL, NULL);
		chan_end(ch, -JB_DENIED);
		return;
	}
	ch->state = CH_PASSWORD;
	prompt(ch, W_NEW_PASSWORD, false);
}

static void
password_line(struct channel *ch, const char *text)
{
	struct msg m;

	if (ch->first_password == NULL) {
		ch->first_password = xstrdup(text);
		prompt(ch, W_NEW_PASSWORD_AGAIN, false);
		return;
	}
	if (strcmp(ch->first_password, text) != 0) {
		chan_words(ch, W_PASSWORDS_DIFFER, NULL, NULL, NULL);
		password_again(ch);
		return;
	}
	ch->request = link_id();
	ch->state = CH_ASKING;
	msg_init(&m, REQ_NEW_PASSWORD, ch->request);
	msg_put_str(&m, text);
	link_send(&m);
}

static void
on_new_password(struct channel *ch, struct msg *m)
{
	bool ok = msg_get_u32(m) != 0;
	char why[MAX_REASON + 1];

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's NEW_PASSWORD answer is malformed");
	if (!ok) {
		chan_say(ch, why);
		chan_say(ch, "\n");
		password_again(ch);
		return;
	}
	free_secret(ch->first_password);
	ch->first_password = NULL;
	ch->conn->auth.must_change = false;
	chan_words(ch, W_PASSWORD_CHANGED, NULL, NULL, NULL);
	ask_target(ch);
}

void
front_start(struct channel *ch)
{
	if (!ch->conn->auth.must_change) {
		ask_target(ch);
		return;
	}
	if (!ch->tty) {
		chan_words(ch, W_NEW_PASSWORD_TERMINAL, NULL, NULL, NULL);
		chan_end(ch, -JB_DENIED);
		return;
	}
	ch->state = CH_PASSWORD;
	chan_words(ch, W_NEW_PASSWORD_DUE, NULL, NULL, NULL);
	prompt(ch, W_NEW_PASSWORD, false);
}

/* ---- input ------------------------------------------------------------------------------ */

static void
line_ended(struct channel *ch, enum line_event event)
{
	bool password = ch->state == CH_PASSWORD;

	if (event == LINE_DONE && password)
		password_line(ch, ch->line.text);
	else if (event == LINE_DONE)
		menu_line(ch, ch->line.text);
	else if (event == LINE_INTERRUPT && !password)
		prompt(ch, W_MENU_PROMPT, true);
	else
		chan_end(ch, password ? -JB_DENIED : ch->tty ? 0 : -JB_USAGE);
}

bool
front_input(struct channel *ch)
{
	enum line_event event = LINE_MORE;
	bool any = false;
	uint8_t byte;

	while (buf_len(&ch->in) > 0 && event == LINE_MORE) {
		byte = *buf_ptr(&ch->in);
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

static void
on_list(struct channel *ch, struct msg *m)
{
	uint32_t total = msg_get_u32(m), offset = msg_get_u32(m), n = msg_get_u32(m);
	const struct command *command = command_find(ch->command);
	char name[256], node[64], state[64], image[1025];
	struct ui_entry row = { .name = name, .node = node, .state = state, .image = image };

	for (uint32_t i = 0; i < n && !m->bad; i++) {
		row.ref = msg_get_u64(m);
		msg_get_str(m, name, sizeof(name));
		msg_get_str(m, node, sizeof(node));
		msg_get_str(m, state, sizeof(state));
		msg_get_str(m, image, sizeof(image));
		row.since = msg_get_u64(m);
		row.perms = msg_get_u32(m);
		if (!m->bad)
			ui_model_add(&ch->model, &row);
	}
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's LIST answer is malformed");
	if (n > 0 && offset + n < total)
		ask_list(ch, offset + n);
	else if (ch->command != NULL && ch->ncandidates == 0)
		print_list(ch, command);
	else
		show_menu(ch);
}

static void
take_candidates(struct channel *ch, struct msg *m)
{
	uint32_t n = msg_get_u32(m);

	if (n > MAX_CANDIDATES)
		fatal(JB_INTERNAL, "the broker's TARGET answer is malformed");
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
		str_copy(ch->notice, sizeof(ch->notice), message);
		ch->menu = true;
		ask_list(ch, 0);
		return;
	}
	chan_say(ch, "jumpbox: ");
	chan_say(ch, message);
	chan_say(ch, "\n");
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
	if (code == 0) {
		relay_attach(ch, ref, "");
	} else if (code != TARGET_NONE) {
		no_target(ch, code, message);
	} else if (ch->command != NULL) {
		run_command(ch);
	} else {
		ch->menu = ch->tty;
		ask_list(ch, 0);
	}
}

bool
front_answer(struct channel *ch, struct msg *m)
{
	if (ch->state != CH_ASKING || m->id != ch->request)
		return false;
	if (m->type == REP_TARGET)
		on_target(ch, m);
	else if (m->type == REP_LIST)
		on_list(ch, m);
	else if (m->type == REP_NEW_PASSWORD)
		on_new_password(ch, m);
	else
		return false;
	return true;
}
