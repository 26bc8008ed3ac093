/*
 * jumpbox's own commands: an exec without a container in the login name.
 * The table is what `help` prints and the manual lists; what a user or an
 * administrator does without a container is in command_account.c.
 * jumpbox-session.
 */
#include "command_parts.h"
#include "task.h"
#include "ui_filter.h"
#include "ui_hosts.h"

#include "jumpbox/mux.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"
#include "ui_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_ROOM = 8192 }; /* less than this left: a row may be missing */

/* What may stand behind the name of a command. */
enum {
	OPT_JSON = 1 << 0,
	OPT_FOLLOW = 1 << 1,
	OPT_LINES = 1 << 2,
	OPT_USER = 1 << 3,
	OPT_STDIN = 1 << 4,
	TAKES_REST = 1 << 5, /* behind -- */
};

struct command {
	const char *name;
	enum word help;
	unsigned takes, least, most; /* arguments */
	void (*start)(struct channel *ch, struct invocation *in);
	void (*target)(struct channel *ch, struct invocation *in, uint64_t ref);
	void (*listed)(struct channel *ch, struct invocation *in);
};

void
command_usage(struct channel *ch, const struct invocation *in)
{
	chan_words(ch, W_USAGE, NULL, NULL, NULL);
	chan_words(ch, in->command->help, NULL, NULL, NULL);
	chan_end(ch, -JB_USAGE);
}

bool
command_number(const char *s, unsigned most, unsigned *n)
{
	char *end;
	unsigned long v = s != NULL ? strtoul(s, &end, 10) : 0;

	if (s == NULL || s[0] < '0' || s[0] > '9' || *end != '\0' || v > most)
		return false;
	*n = (unsigned)v;
	return true;
}

char *
command_join(const struct invocation *in, size_t i, char *dst, size_t size)
{
	size_t n = 0, len;

	for (size_t k = i; k < in->nargs && n + 1 < size; k++) {
		if (k > i)
			dst[n++] = ' ';
		len = text_cut(in->arg[k], size - 1 - n);
		memcpy(dst + n, in->arg[k], len);
		n += len;
	}
	dst[n] = '\0';
	return dst;
}

/* How to come here without the menu, where it is known how clients name this server. */
void
command_hint(struct channel *ch)
{
	const struct config *cfg = ch->conn->cfg;
	char port[16], text[512];

	if (cfg->server_address[0] == '\0')
		return;
	snprintf(port, sizeof(port), "%u", cfg->port);
	words(text, sizeof(text), W_HINT, port, ch->conn->user, cfg->server_address);
	chan_out(ch, text, strlen(text));
}

/* The same in every language.  VS Code splits its own addresses at the first +. */
void
command_lines(struct channel *ch, const struct ui_entry *e, struct buf *out)
{
	const struct config *cfg = ch->conn->cfg;
	char login[256], tilde[256], text[2048];

	if (cfg->server_address[0] == '\0') {
		words(text, sizeof(text), W_NO_SERVER_ADDRESS, NULL, NULL, NULL);
	} else {
		ui_hosts_login(&ch->model, e, ch->conn->user, '+', login, sizeof(login));
		ui_hosts_login(&ch->model, e, ch->conn->user, '~', tilde, sizeof(tilde));
		snprintf(text, sizeof(text),
		    "ssh -p %u %s@%s\n"
		    "scp -P %u FILE %s@%s:\n"
		    "code --remote ssh-remote+%s@%s:%u /\n",
		    cfg->port, login, cfg->server_address, cfg->port, login, cfg->server_address,
		    tilde, cfg->server_address, cfg->port);
	}
	buf_add(out, text, strlen(text));
}

/* ---- lists ---------------------------------------------------------------------- */

static void
ask_list(struct channel *ch, struct invocation *in)
{
	(void)in;
	front_list(ch);
}

static void
print(struct channel *ch, struct buf *out)
{
	if (buf_room(out) < ROW_ROOM) { /* half a list would be taken for a whole one */
		chan_words(ch, W_LIST_TOO_LONG, NULL, NULL, NULL);
		chan_end(ch, -JB_UNAVAILABLE);
		return;
	}
	chan_out(ch, buf_ptr(out), buf_len(out));
	chan_end(ch, 0);
}

static void
ls_listed(struct channel *ch, struct invocation *in)
{
	char text[UI_FILTER_MAX + 1];
	struct ui_words words;
	struct buf out;

	ui_words_init(&words, command_join(in, 0, text, sizeof(text)));
	for (size_t i = 0; i < ch->model.n; i++)
		ch->model.entry[i].hidden = !ui_entry_matches(&ch->model.entry[i], &words);
	buf_init(&out, SAY_MAX);
	if (in->json)
		ui_plain_json(&ch->model, &out);
	else
		ui_plain_rows(&ch->model, 0, now_unix(), &out);
	print(ch, &out);
	buf_release(&out);
}

static void
hosts_start(struct channel *ch, struct invocation *in)
{
	if (ch->conn->cfg->server_address[0] != '\0') {
		ask_list(ch, in);
		return;
	}
	chan_words(ch, W_NO_SERVER_ADDRESS, NULL, NULL, NULL);
	chan_end(ch, -JB_UNAVAILABLE);
}

static void
hosts_listed(struct channel *ch, struct invocation *in)
{
	const struct config *cfg = ch->conn->cfg;
	struct buf out;

	(void)in;
	buf_init(&out, SAY_MAX);
	ui_hosts(&ch->model, ch->conn->user, cfg->server_address, cfg->port, &out);
	print(ch, &out);
	buf_release(&out);
}

/* ---- figures ------------------------------------------------------------------------ */

static void
top_start(struct channel *ch, struct invocation *in)
{
	if (in->nargs > 0)
		front_resolve(ch, in->arg[0]);
	else
		front_list(ch);
}

static void
top_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	task_top_add(ch, ref, in->arg[0]);
	task_top(ch, in->json, ch->tty);
}

static void
top_listed(struct channel *ch, struct invocation *in)
{
	char count[24];
	size_t n = 0;

	for (size_t i = 0; i < ch->model.n; i++) {
		const struct ui_entry *e = &ch->model.entry[i];

		if (ui_entry_visible(e) && strcmp(e->state, "running") == 0 && n++ < TOP_MOST)
			task_top_add(ch, e->ref, e->name);
	}
	if (n > TOP_MOST) {
		snprintf(count, sizeof(count), "%d", TOP_MOST);
		chan_words(ch, W_TOP_MOST, count, NULL, NULL);
	}
	task_top(ch, in->json, ch->tty);
}

/* ---- a container --------------------------------------------------------------------- */

static void
resolve(struct channel *ch, struct invocation *in)
{
	front_resolve(ch, in->arg[0]);
}

static void
show_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	task_details(ch, ref, in->json);
}

static void
logs_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	task_logs(ch, ref, in->tail, in->follow);
}

static void
start_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	(void)in;
	task_power(ch, ref, POWER_START);
}

static void
stop_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	(void)in;
	task_power(ch, ref, POWER_STOP);
}

static void
restart_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	(void)in;
	task_power(ch, ref, POWER_RESTART);
}

/* From here on it is as if USER+CONTAINER had been asked for. */
static void
exec_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	char *command = xstrdup(in->line.rest);

	ch->run_as = in->user != NULL ? xstrdup(in->user) : NULL;
	free(ch->command);
	ch->command = command;
	relay_attach(ch, ref, "");
}

/* ---- a copy ----------------------------------------------------------------------------- */

/* CONTAINER:PATH; false: it is not. */
static bool
take_end(char *arg, struct copy_end *end)
{
	char *colon = strchr(arg, ':');

	if (colon == NULL || colon == arg || strlen(colon + 1) > MUX_PATH_MAX)
		return false;
	*colon = '\0';
	*end = (struct copy_end){ 0, arg, colon + 1 };
	return true;
}

static void
cp_start(struct channel *ch, struct invocation *in)
{
	if (take_end(in->arg[0], &in->from) && take_end(in->arg[1], &in->to))
		front_resolve(ch, in->from.name);
	else
		command_usage(ch, in);
}

static void
cp_target(struct channel *ch, struct invocation *in, uint64_t ref)
{
	if (in->from.ref == 0) {
		in->from.ref = ref;
		front_resolve(ch, in->to.name);
		return;
	}
	in->to.ref = ref;
	task_copy(ch, &in->from, &in->to);
}

/* ---- the table --------------------------------------------------------------------------------- */

static void help_start(struct channel *ch, struct invocation *in);

/* clang-format off */
static const struct command commands[] = {
	{ "help",    W_HELP_HELP,    0,                      0, 0, help_start,   NULL,           NULL },
	{ "ls",      W_HELP_LS,      OPT_JSON,               0, CMDLINE_WORDS, ask_list, NULL,   ls_listed },
	{ "show",    W_HELP_SHOW,    OPT_JSON,               1, 1, resolve,      show_target,    NULL },
	{ "logs",    W_HELP_LOGS,    OPT_FOLLOW | OPT_LINES, 1, 1, resolve,      logs_target,    NULL },
	{ "top",     W_HELP_TOP,     OPT_JSON,               0, 1, top_start,    top_target,     top_listed },
	{ "start",   W_HELP_START,   0,                      1, 1, resolve,      start_target,   NULL },
	{ "stop",    W_HELP_STOP,    0,                      1, 1, resolve,      stop_target,    NULL },
	{ "restart", W_HELP_RESTART, 0,                      1, 1, resolve,      restart_target, NULL },
	{ "exec",    W_HELP_EXEC,    OPT_USER | TAKES_REST,  1, 1, resolve,      exec_target,    NULL },
	{ "cp",      W_HELP_CP,      0,                      2, 2, cp_start,     cp_target,      NULL },
	{ "hosts",   W_HELP_HOSTS,   0,                      0, 0, hosts_start,  NULL,           hosts_listed },
	{ "whoami",  W_HELP_WHOAMI,  OPT_JSON,               0, 0, account_whoami, NULL,           NULL },
	{ "passwd",  W_HELP_PASSWD,  OPT_STDIN,              0, 0, account_passwd, NULL,           NULL },
	{ "keys",    W_HELP_KEYS,    OPT_JSON,               1, CMDLINE_WORDS, account_keys, NULL, NULL },
	{ "totp",    W_HELP_TOTP,    0,                      0, 0, account_totp,   NULL,           NULL },
	{ "who",     W_HELP_WHO,     OPT_JSON,               0, 0, account_who,    NULL,           NULL },
	{ "kill",    W_HELP_KILL,    0,                      1, CMDLINE_WORDS, account_kill, NULL, NULL },
	{ "nodes",   W_HELP_NODES,   OPT_JSON,               0, 0, account_nodes,  NULL,           NULL },
	{ "recordings", W_HELP_RECORDINGS, OPT_JSON,         0, 0, account_recordings, NULL,     NULL },
	{ "replay",  W_HELP_REPLAY,  0,                      1, 2, account_replay, NULL,           NULL },
	{ "watch",   W_HELP_WATCH,   0,                      1, 2, account_watch,  NULL,           NULL },
};
/* clang-format on */
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
help_start(struct channel *ch, struct invocation *in)
{
	char text[1024];
	struct buf out;

	(void)in;
	buf_init(&out, SAY_MAX);
	for (size_t i = 0; i <= COMMANDS + 1; i++) {
		words(text, sizeof(text),
		    i == 0		? W_HELP_HEAD
			: i <= COMMANDS ? commands[i - 1].help
					: W_HELP_TAIL,
		    NULL, NULL, NULL);
		buf_add(&out, text, strlen(text));
	}
	chan_out(ch, buf_ptr(&out), buf_len(&out));
	buf_release(&out);
	command_hint(ch);
	chan_end(ch, 0);
}

/* ---- what was typed ---------------------------------------------------------------- */

/* Takes an option at word i, and its value: how many words; 0: it is none of this command's. */
static size_t
take_option(struct invocation *in, size_t i)
{
	const char *w = in->line.word[i], *value = in->line.word[i + 1];
	unsigned takes = in->command->takes;

	if ((takes & OPT_JSON) && strcmp(w, "--json") == 0) {
		in->json = true;
		return 1;
	}
	if ((takes & OPT_FOLLOW) && strcmp(w, "-f") == 0) {
		in->follow = true;
		return 1;
	}
	if ((takes & OPT_STDIN) && strcmp(w, "--password-stdin") == 0) {
		in->from_stdin = true;
		return 1;
	}
	if ((takes & OPT_LINES) && strcmp(w, "-n") == 0)
		return command_number(value, MAX_TAIL, &in->tail) ? 2 : 0;
	if ((takes & OPT_USER) && strcmp(w, "-u") == 0 && value != NULL &&
	    strlen(value) <= MAX_RUN_AS) {
		in->user = value;
		return 2;
	}
	return 0;
}

static bool
understand(struct invocation *in)
{
	const struct command *c = in->command;
	size_t n;

	in->tail = MAX_TAIL;
	for (size_t i = 1; i < in->line.n; i += n) {
		n = take_option(in, i);
		if (n > 0)
			continue;
		n = 1;
		if (in->line.word[i][0] == '-' && in->nargs == 0)
			return false;
		in->arg[in->nargs++] = in->line.word[i];
	}
	if ((c->takes & TAKES_REST) != 0)
		return in->nargs == 1 && in->line.rest != NULL &&
		    in->line.rest[strspn(in->line.rest, " \t\n")] != '\0';
	return in->line.rest == NULL && in->nargs >= c->least && in->nargs <= c->most;
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; name != NULL && i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

void
command_forget(struct channel *ch)
{
	if (ch->invocation == NULL)
		return;
	cmdline_release(&ch->invocation->line);
	free(ch->invocation);
	ch->invocation = NULL;
}

void
command_start(struct channel *ch)
{
	struct invocation *in = ch->invocation = xcalloc(1, sizeof(*in));
	bool whole = cmdline_split(&in->line, ch->command);
	char safe[256];

	in->command = find(in->line.word[0]);
	if (in->command == NULL) {
		chan_words(ch, W_NO_COMMAND, text_safe(safe, sizeof(safe), ch->command),
		    ch->conn->user, NULL);
		chan_end(ch, -JB_USAGE);
	} else if (!whole || !understand(in)) {
		command_usage(ch, in);
	} else {
		in->command->start(ch, in);
	}
}

void
command_listed(struct channel *ch)
{
	ch->invocation->command->listed(ch, ch->invocation);
}

void
command_target(struct channel *ch, uint64_t ref)
{
	ch->invocation->command->target(ch, ch->invocation, ref);
}
