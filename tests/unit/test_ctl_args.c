/* jumpboxctl's command line, over a few commands of its own. */
#include "../../src/ctl/ctl.h"

#include "jumpbox/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the commands ---------------------------------------------------------- */

static const struct ctl_opt add_opts[] = {
	{ "--role", "ROLE", "user or admin", false },
	{ "--locked", NULL, "without a way in", false },
	{ NULL, NULL, NULL, false },
};
static const struct ctl_opt grant_opts[] = {
	{ "--until", "WHEN", "when it ends", true },
	{ NULL, NULL, NULL, false },
};

const struct ctl_cmd user_cmds[] = {
	{ "user add", "NAME", "add a person", 1, 1, DB_OPEN, add_opts, NULL, NULL },
	{ "user list", NULL, "list all people", 0, 0, DB_OPEN, NULL, NULL, NULL },
	{ .name = NULL },
};
const struct ctl_cmd grant_cmds[] = {
	{ "grant add", "WHO [WHAT]", "let WHO in", 1, 2, DB_OPEN, grant_opts, NULL, NULL },
	{ .name = NULL },
};
const struct ctl_cmd check_cmds[] = {
	{ "check", NULL, "look at everything", 0, 0, DB_NONE, NULL, NULL, NULL },
	{ .name = NULL },
};
const struct ctl_cmd key_cmds[] = { { .name = NULL } };
const struct ctl_cmd group_cmds[] = { { .name = NULL } };
const struct ctl_cmd node_cmds[] = { { .name = NULL } };
const struct ctl_cmd container_cmds[] = { { .name = NULL } };
const struct ctl_cmd session_cmds[] = { { .name = NULL } };
const struct ctl_cmd unlock_cmds[] = { { .name = NULL } };
const struct ctl_cmd audit_cmds[] = { { .name = NULL } };
const struct ctl_cmd backup_cmds[] = { { .name = NULL } };
const struct ctl_cmd restore_cmds[] = { { .name = NULL } };

void
out_done(const struct ctl *c)
{
	(void)c;
}

/* ---- a line ------------------------------------------------------------------ */

/* Blanks part the words; the words live in `words`. */
static int
parse(struct ctl *c, const char *line, char words[static 512])
{
	char *argv[32] = { "jumpboxctl" }, *save = NULL, *word;
	int argc = 1;

	*c = (struct ctl){ .conf_path = "default" };
	str_copy(words, 512, line);
	for (word = strtok_r(words, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return args_parse(c, argc, argv);
}

/* What was understood: COMMAND(ARGUMENTS) OPTION=VALUE ... and what is global. */
static void
understood(const struct ctl *c, char s[static 512])
{
	FILE *f = fmemopen(s, 512, "w");
	const struct ctl_opt *o;
	int i;

	fputs(c->cmd != NULL ? c->cmd->name : c->group != NULL ? c->group : "-", f);
	for (i = 0; i < c->nargs; i++)
		fprintf(f, "%c%s", i == 0 ? '(' : ',', c->arg[i]);
	if (i > 0)
		fputc(')', f);
	for (o = c->cmd != NULL ? c->cmd->opts : NULL, i = 0; o != NULL && o->name != NULL;
	     o++, i++)
		if (c->opt[i] != NULL)
			fprintf(f, " %s=%s", o->name, c->opt[i]);
	if (c->json)
		fputs(" JSON", f);
	if (c->help)
		fputs(" HELP", f);
	if (strcmp(c->conf_path, "default") != 0)
		fprintf(f, " %s", c->conf_path);
	fclose(f);
}

static void
lines_that_are_understood(void **state)
{
	static const struct {
		const char *line, *as;
	} good[] = {
		{ "check", "check" },
		{ "user list", "user list" },
		{ "user add alice", "user add(alice)" },
		{ "grant add a --until x", "grant add(a) --until=x" },
		{ "grant add a b --until x", "grant add(a,b) --until=x" },

		/* An option's value is the next word, whatever that is, or follows "=". */
		{ "user add alice --role admin", "user add(alice) --role=admin" },
		{ "user add --role admin alice", "user add(alice) --role=admin" },
		{ "user add alice --role=admin", "user add(alice) --role=admin" },
		{ "user add alice --role=a=b", "user add(alice) --role=a=b" },
		{ "user add alice --role=", "user add(alice) --role=" },
		{ "user add alice --role --locked", "user add(alice) --role=--locked" },
		{ "user add alice --role -- --locked", "user add(alice) --role=-- --locked=" },
		{ "user add alice --locked", "user add(alice) --locked=" },
		{ "user add --locked alice", "user add(alice) --locked=" },

		/* What is global may stand anywhere, and again. */
		{ "--json user list", "user list JSON" },
		{ "user --json list", "user list JSON" },
		{ "user list --json --json", "user list JSON" },
		{ "-f x check", "check x" },
		{ "user -f x list", "user list x" },
		{ "check -f x -f y", "check y" },
		{ "check -f=x", "check x" },

		/* After "--" there are only words, and "-" is one. */
		{ "user add -", "user add(-)" },
		{ "user add -- -x", "user add(-x)" },
		{ "user add -- --", "user add(--)" },
		{ "user add -- --json", "user add(--json)" },
		{ "-- check", "check" },

		/* Who asks for help need not know the rest. */
		{ "--help", "- HELP" },
		{ "-h", "- HELP" },
		{ "user -h", "user HELP" },
		{ "user add --help", "user add HELP" },
		{ "grant add -h a", "grant add(a) HELP" },
	};
	char words[512], s[512];
	struct ctl c;

	(void)state;
	for (size_t i = 0; i < NELEMS(good); i++) {
		assert_int_equal(parse(&c, good[i].line, words), 0);
		understood(&c, s);
		assert_string_equal(s, good[i].as);
	}
}

#define ADD	"; usage: jumpboxctl user add NAME [--role ROLE] [--locked]"
#define GRANT	"; usage: jumpboxctl grant add WHO [WHAT] --until WHEN"
#define COMMAND "; `jumpboxctl --help` lists the commands"
#define SIXTY	"0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmn"

static void
lines_that_are_not(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "", "no command" COMMAND },
		{ "--json", "no command" COMMAND },
		{ "--", "no command" COMMAND },
		{ "frob", "no such command: frob" COMMAND },
		{ "add", "no such command: add" COMMAND },
		{ "use list", "no such command: use" COMMAND },
		{ "users list", "no such command: users" COMMAND },
		{ "chec", "no such command: chec" COMMAND },
		{ "user",
		    "user needs a second word; `jumpboxctl user --help` lists what there is" },
		{ "user ad",
		    "no such command: user ad; `jumpboxctl user --help` lists what there is" },
		{ "user check",
		    "no such command: user check; `jumpboxctl user --help` lists what there is" },

		{ "user add", "missing argument" ADD },
		{ "user add a b", "too many arguments: b" ADD },
		{ "check x", "too many arguments: x; usage: jumpboxctl check" },
		{ "user add a " SIXTY "more", "too many arguments: " SIXTY ADD },
		{ "grant add --until x", "missing argument" GRANT },
		{ "grant add a", "missing --until" GRANT },

		{ "user add a --rol x", "no such option: --rol" ADD },
		{ "user add a --roles x", "no such option: --roles" ADD },
		{ "user add a -x", "no such option: -x" ADD },
		{ "user add a --until x", "no such option: --until" ADD },
		{ "user list --role x", "no such option: --role; usage: jumpboxctl user list" },
		{ "--role x user add a", "no such option: --role" COMMAND },
		{ "user --locked add a", "no such option: --locked" COMMAND },
		{ "user add a --role", "missing value for --role" ADD },
		{ "check -f", "missing value for -f; usage: jumpboxctl check" },
		{ "-f", "missing value for -f" COMMAND },
		{ "user add a --locked=yes", "takes no value: --locked=yes" ADD },
		{ "user add a --locked=", "takes no value: --locked=" ADD },
		{ "--json=yes check", "takes no value: --json=yes" COMMAND },
		{ "user add a --role x --role=x", "given twice: --role" ADD },
		{ "user add a --locked --locked", "given twice: --locked" ADD },
	};
	char words[512];
	struct ctl c;

	(void)state;
	for (size_t i = 0; i < NELEMS(bad); i++) {
		assert_int_equal(parse(&c, bad[i].line, words), JB_USAGE);
		assert_string_equal(c.e.s, bad[i].why);
	}
}

/* A program that asked for JSON reads the error as JSON, wherever it asked. */
static void
an_error_has_the_form_that_was_asked_for(void **state)
{
	static const char *const asked[] = { "--json frob", "frob --json", "user ad --json",
		"user add a b --json", "user add a --frob --json" };
	char words[512];
	struct ctl c;

	(void)state;
	for (size_t i = 0; i < NELEMS(asked); i++) {
		assert_int_equal(parse(&c, asked[i], words), JB_USAGE);
		assert_true(c.json);
	}
	assert_int_equal(parse(&c, "frob", words), JB_USAGE);
	assert_false(c.json);
}

static void
an_option_by_its_name(void **state)
{
	char words[512];
	struct ctl c;

	(void)state;
	assert_int_equal(parse(&c, "user add a --role admin", words), 0);
	assert_string_equal(args_opt(&c, "--role"), "admin");
	assert_null(args_opt(&c, "--locked"));
	assert_null(args_opt(&c, "--until"));
	assert_int_equal(parse(&c, "user add a --locked", words), 0);
	assert_string_equal(args_opt(&c, "--locked"), "");
	assert_int_equal(parse(&c, "check", words), 0);
	assert_null(args_opt(&c, "--role"));
}

/* ---- help ----------------------------------------------------------------------- */

#define USER_ADD  "  user add NAME [--role ROLE] [--locked]\n      add a person\n"
#define USER_LIST "  user list\n      list all people\n"
#define GRANT_ADD "  grant add WHO [WHAT] --until WHEN\n      let WHO in\n"
#define CHECK	  "  check\n      look at everything\n"

static void
help_of_a_command_of_a_group_and_of_all(void **state)
{
	static const struct {
		const char *line, *text;
	} help[] = {
		{ "check -h", CHECK },
		{ "user -h", USER_ADD USER_LIST },
		{ "user add -h",
		    USER_ADD "      --role ROLE              user or admin\n"
			     "      --locked                 without a way in\n" },
		{ "-h",
		    "usage: jumpboxctl [-f CONF] [--json] COMMAND ...\n\n"
		    "      -f CONF                  the configuration (default " CONFIG_DEFAULT_PATH
		    ")\n"
		    "      --json                   print JSON\n"
		    "      --help                   print this help, or a command's\n\n"
		    "commands:\n" USER_ADD USER_LIST GRANT_ADD CHECK },
	};
	char words[512], text[2048];
	struct ctl c;
	int file, saved;
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < NELEMS(help); i++) {
		assert_int_equal(parse(&c, help[i].line, words), 0);
		fflush(stdout);
		file = memfd_create("help", MFD_CLOEXEC);
		saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		dup2(file, STDOUT_FILENO);
		args_help(&c);
		fflush(stdout);
		dup2(saved, STDOUT_FILENO);
		n = pread(file, text, sizeof text - 1, 0);
		close(file);
		close(saved);
		assert_true(n > 0);
		text[n] = '\0';
		assert_string_equal(text, help[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_are_understood),
		cmocka_unit_test(lines_that_are_not),
		cmocka_unit_test(an_error_has_the_form_that_was_asked_for),
		cmocka_unit_test(an_option_by_its_name),
		cmocka_unit_test(help_of_a_command_of_a_group_and_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
