/*
 * The command line, by the command tables, and the help texts that the same
 * rows give.  jumpboxctl, before it touches anything.
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_cmd *const tables[] = {
	user_cmds,
	key_cmds,
	group_cmds,
	node_cmds,
	grant_cmds,
	container_cmds,
	session_cmds,
	unlock_cmds,
	audit_cmds,
	backup_cmds,
	restore_cmds,
	check_cmds,
};
enum { NTABLES = sizeof tables / sizeof tables[0] };

static const struct ctl_opt globals[] = {
	{ "-f", "CONF", "the configuration (default " CONFIG_DEFAULT_PATH ")", false },
	{ "--json", NULL, "print JSON", false },
	{ "--help", NULL, "print this help, or a command's", false },
	{ NULL, NULL, NULL, false },
};

/* ---- help -------------------------------------------------------------- */

static void
usage_print(FILE *f, const struct ctl_cmd *cmd)
{
	const struct ctl_opt *o;

	fputs(cmd->name, f);
	if (cmd->args != NULL)
		fprintf(f, " %s", cmd->args);
	for (o = cmd->opts; o != NULL && o->name != NULL; o++)
		fprintf(f, o->required ? " %s%s%s" : " [%s%s%s]", o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
}

static void
opts_print(const struct ctl_opt *o)
{
	char left[64];

	for (; o != NULL && o->name != NULL; o++) {
		snprintf(left, sizeof left, "%s%s%s", o->name, o->arg != NULL ? " " : "",
		    o->arg != NULL ? o->arg : "");
		printf("      %-24s %s\n", left, o->help);
	}
}

static bool
in_group(const struct ctl_cmd *cmd, const char *group)
{
	size_t n = strlen(group);

	return strncmp(cmd->name, group, n) == 0 && cmd->name[n] == ' ';
}

void
args_help(const struct ctl *c)
{
	const struct ctl_cmd *cmd;
	size_t i;

	if (c->cmd == NULL && c->group == NULL) {
		puts("usage: jumpboxctl [-f CONF] [--json] COMMAND ...\n");
		opts_print(globals);
		puts("\ncommands:");
	}
	for (i = 0; i < NTABLES; i++)
		for (cmd = tables[i]; cmd->name != NULL; cmd++) {
			if (c->cmd != NULL ? cmd != c->cmd
					   : c->group != NULL && !in_group(cmd, c->group))
				continue;
			fputs("  ", stdout);
			usage_print(stdout, cmd);
			printf("\n      %s\n", cmd->help);
			if (c->cmd != NULL)
				opts_print(cmd->opts);
		}
}

/* One line: what is wrong, and how it should have been. */
static int
usage_error(struct ctl *c, const char *what, const char *word)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	if (c->cmd == NULL)
		return ctl_fail(
		    c, JB_USAGE, "%s%s; `jumpboxctl --help` lists the commands", what, word);
	f = open_memstream(&text, &n);
	if (f == NULL)
		return ctl_fail(c, JB_USAGE, "%s%s", what, word);
	usage_print(f, c->cmd);
	fclose(f);
	ctl_fail(c, JB_USAGE, "%s%.60s; usage: jumpboxctl %s", what, word, text);
	free(text);
	return JB_USAGE;
}

/* ---- words ------------------------------------------------------------- */

/* The command of that name; *is_group when the word begins the names of several. */
static const struct ctl_cmd *
command_find(const char *first, const char *second, bool *is_group)
{
	const struct ctl_cmd *cmd;
	size_t i, n = strlen(first);

	*is_group = false;
	for (i = 0; i < NTABLES; i++)
		for (cmd = tables[i]; cmd->name != NULL; cmd++) {
			if (second == NULL && strcmp(cmd->name, first) == 0)
				return cmd;
			if (!in_group(cmd, first))
				continue;
			*is_group = true;
			if (second != NULL && strcmp(cmd->name + n + 1, second) == 0)
				return cmd;
		}
	return NULL;
}

static int
take_word(struct ctl *c, const char *word)
{
	bool is_group;

	if (c->cmd != NULL) {
		if (c->nargs == c->cmd->max)
			return usage_error(c, "too many arguments: ", word);
		c->arg[c->nargs++] = word;
		return 0;
	}
	if (c->group == NULL) {
		c->cmd = command_find(word, NULL, &is_group);
		if (c->cmd == NULL && !is_group)
			return usage_error(c, "no such command: ", word);
		c->group = c->cmd == NULL ? word : NULL;
		return 0;
	}
	c->cmd = command_find(c->group, word, &is_group);
	if (c->cmd == NULL)
		return ctl_fail(c, JB_USAGE,
		    "no such command: %.30s %.60s; `jumpboxctl %.30s --help` lists what there is",
		    c->group, word, c->group);
	return 0;
}

/* ---- options ----------------------------------------------------------- */

/* The row that matches "--name" or "--name=value"; -1: none. */
static int
opt_find(const struct ctl_opt *opts, const char *word)
{
	size_t n = strcspn(word, "=");
	int i;

	for (i = 0; opts != NULL && opts[i].name != NULL; i++)
		if (strlen(opts[i].name) == n && strncmp(opts[i].name, word, n) == 0)
			return i;
	return -1;
}

/* The option's value: after "=", or the next word, which *i then passes. NULL: it is missing. */
static const char *
opt_value(const struct ctl_opt *o, int argc, char **argv, int *i)
{
	const char *eq = strchr(argv[*i], '=');

	if (o->arg == NULL)
		return eq == NULL ? "" : NULL;
	if (eq != NULL)
		return eq + 1;
	return *i + 1 < argc ? argv[++*i] : NULL;
}

static int
take_global(struct ctl *c, const struct ctl_opt *o, const char *value)
{
	if (o->arg != NULL)
		c->conf_path = value;
	else if (strcmp(o->name, "--json") == 0)
		c->json = true;
	else
		c->help = true;
	return 0;
}

static int
take_option(struct ctl *c, int argc, char **argv, int *i)
{
	const char *word = strcmp(argv[*i], "-h") == 0 ? "--help" : argv[*i], *value;
	const struct ctl_opt *opts = globals;
	int row = opt_find(globals, word);

	if (row < 0 && c->cmd != NULL) {
		opts = c->cmd->opts;
		row = opt_find(opts, word);
	}
	if (row < 0)
		return usage_error(c, "no such option: ", word);
	value = opt_value(&opts[row], argc, argv, i);
	if (value == NULL)
		return usage_error(
		    c, opts[row].arg != NULL ? "missing value for " : "takes no value: ", word);
	if (opts == globals)
		return take_global(c, &opts[row], value);
	if (c->opt[row] != NULL)
		return usage_error(c, "given twice: ", opts[row].name);
	c->opt[row] = value;
	return 0;
}

/* ---- all of it --------------------------------------------------------- */

static int
check_complete(struct ctl *c)
{
	int i;

	if (c->help)
		return 0;
	if (c->cmd == NULL && c->group == NULL)
		return usage_error(c, "no command", "");
	if (c->cmd == NULL)
		return ctl_fail(c, JB_USAGE,
		    "%s needs a second word; `jumpboxctl %s --help` lists what there is", c->group,
		    c->group);
	if (c->nargs < c->cmd->min)
		return usage_error(c, "missing argument", "");
	for (i = 0; c->cmd->opts != NULL && c->cmd->opts[i].name != NULL; i++)
		if (c->cmd->opts[i].required && c->opt[i] == NULL)
			return usage_error(c, "missing ", c->cmd->opts[i].name);
	return 0;
}

int
args_parse(struct ctl *c, int argc, char **argv)
{
	bool words_only = false;
	int i, r = 0;

	for (i = 1; i < argc && r == 0; i++) {
		if (words_only || argv[i][0] != '-' || argv[i][1] == '\0')
			r = take_word(c, argv[i]);
		else if (strcmp(argv[i], "--") == 0)
			words_only = true;
		else
			r = take_option(c, argc, argv, &i);
	}
	/* The error's form is what the rest of the line asks for. */
	for (; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			c->json = true;
	return r < 0 ? r : check_complete(c);
}

const char *
args_opt(const struct ctl *c, const char *name)
{
	int row = opt_find(c->cmd->opts, name);

	return row < 0 ? NULL : c->opt[row];
}
