/*
 * jumpbox's own commands: an exec without a container in the login name.
 * jumpbox-session.
 */
#include "conn.h"

#include "jumpbox/text.h"
#include "ui_plain.h"

#include <stdio.h>
#include <string.h>

enum { ROW_ROOM = 8192 }; /* less than this left: a row may be missing */

/* How to come here without the menu, where it is known how clients name this server. */
void
command_hint(struct channel *ch)
{
	const struct config *cfg = ch->conn->cfg;
	char port[16];

	if (cfg->server_address[0] == '\0')
		return;
	snprintf(port, sizeof(port), "%u", cfg->port);
	chan_words(ch, W_HINT, port, ch->conn->user, cfg->server_address);
}

static void
run_help(struct channel *ch)
{
	ch->say_out = true;
	chan_words(ch, W_HELP, NULL, NULL, NULL);
	command_hint(ch);
	chan_end(ch, 0);
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
	{ "ls", front_list, print_rows },
	{ "ls --json", front_list, print_json },
	{ "totp", enrol_start, NULL },
};

static const struct command *
find(const char *text)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(text, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

void
command_start(struct channel *ch)
{
	const struct command *command = find(ch->command);
	char safe[256];

	if (command != NULL) {
		command->start(ch);
		return;
	}
	chan_words(ch, W_NO_COMMAND, text_safe(safe, sizeof(safe), ch->command), NULL, NULL);
	chan_end(ch, -JB_USAGE);
}

void
command_listed(struct channel *ch)
{
	struct buf out;

	buf_init(&out, SAY_MAX);
	find(ch->command)->print(ch, &out);
	if (buf_room(&out) < ROW_ROOM) { /* half a list would be taken for a whole one */
		chan_words(ch, W_LIST_TOO_LONG, NULL, NULL, NULL);
		chan_end(ch, -JB_UNAVAILABLE);
	} else {
		ch->say_out = true;
		chan_say_bytes(ch, buf_ptr(&out), buf_len(&out));
		chan_end(ch, 0);
	}
	buf_release(&out);
}
