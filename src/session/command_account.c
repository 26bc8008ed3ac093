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
	(void)in;
	renew_own(ch);
}

void
account_totp(struct channel *ch, struct invocation *in)
{
	(void)in;
	enrol_start(ch);
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
	else if (strcmp(what, "add") == 0 && !ch->tty)
		ch->state = CH_READING;
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

/* `keys add` without a key: what comes to its end, and is not too much. */
bool
command_input(struct channel *ch)
{
	char line[MAX_KEY_LINE + 1];
	size_t n = buf_len(&ch->in);

	if (!ch->in_eof && !ch->held && n <= MAX_KEY_LINE)
		return false;
	n = n > MAX_KEY_LINE ? MAX_KEY_LINE : n;
	memcpy(line, buf_ptr(&ch->in), n);
	line[n] = '\0';
	buf_reset(&ch->in);
	line[strcspn(line, "\r\n")] = '\0';
	task_change(ch, CHANGE_KEY_ADD, line, "");
	return true;
}
