/* What the files of jumpbox's own commands share: commands.c, command_account.c. */
#ifndef SESSION_COMMAND_PARTS_H
#define SESSION_COMMAND_PARTS_H

#include "cmdline.h"
#include "conn.h"
#include "task.h"

struct command;

/* A command as it was typed. */
struct invocation {
	const struct command *command;
	struct cmdline line;
	char *arg[CMDLINE_WORDS + 1]; /* what is no option */
	size_t nargs;
	bool json, follow, from_stdin;
	unsigned tail;
	const char *user;
	struct copy_end from, to;
};

/* Says how the command is used, and ends. */
void command_usage(struct channel *ch, const struct invocation *in);
/* A number of no more than most; false: it is none. */
bool command_number(const char *s, unsigned most, unsigned *n);
/* The arguments from number i on with a blank between them, cut to fit. */
char *command_join(const struct invocation *in, size_t i, char *dst, size_t size);

/* command_account.c: how these begin. */
void account_whoami(struct channel *ch, struct invocation *in);
void account_passwd(struct channel *ch, struct invocation *in);
void account_totp(struct channel *ch, struct invocation *in);
void account_keys(struct channel *ch, struct invocation *in);
void account_who(struct channel *ch, struct invocation *in);
void account_nodes(struct channel *ch, struct invocation *in);
void account_kill(struct channel *ch, struct invocation *in);
void account_recordings(struct channel *ch, struct invocation *in);
void account_replay(struct channel *ch, struct invocation *in);
void account_watch(struct channel *ch, struct invocation *in);

#endif
