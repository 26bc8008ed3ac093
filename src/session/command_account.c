/*
 * The commands that need no container: the user's own account, and what only
 * administrators may, which the broker sees to.  jumpbox-session.
 */
#include "command_parts.h"
#include "task.h"

#include "jumpbox/util.h"

#include <string.h>

/* ---- the account ------------------------------------------------------------------------ */

void
account_whoami(struct channel *ch, struct invocation *in)
{
	task_query(ch, QUERY_ACCOUNT, in->json);
}

void
account_passwd(struct channel *ch, struct invocation *in)
{
	if (!in->from_stdin)
		renew_own(ch);
	else if (!ch->tty)
		ch->state = CH_READING;
	else
		command_usage(ch, in);
}

void
account_totp(struct channel *ch, struct invocation *in)
{
	(void)in;
	enrol_start(ch);
}

/* A line that is typed, or what comes to its end. */
static void
ask_key(struct channel *ch)
{
	ch->state = ch->tty ? CH_MENU : CH_READING;
	if (ch->tty)
		front_prompt(ch, W_KEY_PROMPT, true);
}

void
account_keys(struct channel *ch, struct invocation *in)
{
	char line[MAX_KEY_LINE + 1];
	const char *what = in->arg[0];

	if (strcmp(what, "list") == 0 && in->nargs == 1)
		task_query(ch, QUERY_KEYS, in->json);
	else if (strcmp(what, "add") == 0 && in->nargs > 1)
		task_change(ch, CHANGE_KEY_ADD, command_join(in, 1, line, sizeof(line)), "");
	else if (strcmp(what, "add") == 0)
		ask_key(ch);
	else if (strcmp(what, "del") == 0 && in->nargs == 2 &&
	    strlen(in->arg[1]) <= MAX_FINGERPRINT)
		task_change(ch, CHANGE_KEY_DEL, in->arg[1], "");
	else
		command_usage(ch, in);
}

/* ---- for administrators -------------------------------------------------------------------- */

void
account_who(struct channel *ch, struct invocation *in)
{
	task_query(ch, QUERY_WHO, in->json);
}

void
account_nodes(struct channel *ch, struct invocation *in)
{
	task_query(ch, QUERY_NODES, in->json);
}

void
account_kill(struct channel *ch, struct invocation *in)
{
	char reason[MAX_REASON - 64]; /* a sentence comes before it */

	if (strlen(in->arg[0]) > MAX_SESSION_ID)
		command_usage(ch, in);
	else
		task_change(
		    ch, CHANGE_KILL, in->arg[0], command_join(in, 1, reason, sizeof(reason)));
}

void
account_recordings(struct channel *ch, struct invocation *in)
{
	task_query(ch, QUERY_RECORDED, in->json);
}

bool
command_play(struct channel *ch, const char *text, bool watch)
{
	struct cmdline line;
	unsigned session, n = 0;
	bool good = cmdline_split(&line, text) && line.rest == NULL &&
	    (line.n == 1 || line.n == 2) && command_number(line.word[0], UINT32_MAX, &session) &&
	    (line.n == 1 || command_number(line.word[1], UINT32_MAX, &n));

	cmdline_release(&line);
	if (good)
		task_play(ch, session, n, watch);
	return good;
}

static void
play(struct channel *ch, struct invocation *in, bool watch)
{
	char text[64];

	if (!ch->tty) {
		chan_words(ch, W_REPLAY_TERMINAL, NULL, NULL, NULL);
		chan_end(ch, -JB_USAGE);
	} else if (!command_play(ch, command_join(in, 0, text, sizeof(text)), watch)) {
		command_usage(ch, in);
	}
}

void
account_replay(struct channel *ch, struct invocation *in)
{
	play(ch, in, false);
}

void
account_watch(struct channel *ch, struct invocation *in)
{
	play(ch, in, true);
}

/* ---- what is read ------------------------------------------------------------------------- */

/* What comes to its end, and is not too much, for free_secret(); NULL: that is yet to come. */
static char *
whole_input(struct channel *ch, size_t most)
{
	size_t n = buf_len(&ch->in);
	char *text;

	if (!ch->in_eof && !ch->held && n <= most)
		return NULL;
	n = n > most ? most : n;
	text = xcalloc(n + 1, 1);
	memcpy(text, buf_ptr(&ch->in), n);
	wipe(ch->in.data + ch->in.off, buf_len(&ch->in));
	buf_reset(&ch->in);
	return text;
}

/* Ends its first line; what comes behind that, or NULL. */
static char *
cut_line(char *text)
{
	size_t n = strcspn(text, "\n");
	char *next = text[n] == '\n' ? text + n + 1 : NULL;

	text[n] = '\0';
	text[strcspn(text, "\r")] = '\0';
	return next;
}

/* The old password and the new one, each a line. */
static void
take_passwords(struct channel *ch, char *old)
{
	char *new = cut_line(old);

	if (new == NULL) {
		command_usage(ch, ch->invocation);
		return;
	}
	cut_line(new);
	renew_given(ch, old, new);
}

bool
command_input(struct channel *ch)
{
	bool passwords = ch->invocation->from_stdin;
	char *text = whole_input(ch, passwords ? 2 * MAX_PASSWORD + 4 : MAX_KEY_LINE);

	if (text == NULL)
		return false;
	if (passwords) {
		take_passwords(ch, text);
	} else {
		cut_line(text);
		task_change(ch, CHANGE_KEY_ADD, text, "");
	}
	free_secret(text);
	return true;
}

void
command_line(struct channel *ch, const char *text)
{
	if (text != NULL)
		task_change(ch, CHANGE_KEY_ADD, text, "");
	else
		chan_end(ch, -JB_TRY_AGAIN);
}
