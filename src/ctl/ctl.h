/*
 * jumpboxctl's own header: the command table's row, the context of the one
 * command that a run executes, and the helpers that commands share.
 *
 * A run has two halves.  prepare() still has the operator's rights: it checks
 * the arguments and opens or reads every file, standard input and terminal
 * that the command needs.  Then the process becomes the database's owner for
 * good, and exec() works on the database.
 */
#ifndef JUMPBOX_CTL_H
#define JUMPBOX_CTL_H

#include "jumpbox/config.h"
#include "jumpbox/errors.h"
#include "jumpbox/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CTL_ARGS_MAX = 4, CTL_OPTS_MAX = 8, CTL_INPUTS_MAX = 3, CTL_FILE_MAX = 256 * 1024 };

struct ctl;

struct ctl_opt {
	const char *name; /* "--until" */
	const char *arg;  /* "WHEN"; NULL: a switch */
	const char *help;
	bool required;
};

enum ctl_db {
	DB_NONE,   /* opens it itself, if at all */
	DB_OPEN,   /* must be there */
	DB_CREATE, /* made if missing: the first user is added before the first start */
};

struct ctl_cmd {
	const char *name; /* one or two words: "user add" */
	const char *args; /* "NAME KEY VALUE"; NULL: none */
	const char *help;
	int min, max; /* how many arguments */
	enum ctl_db db;
	const struct ctl_opt *opts;    /* ends with a row without a name; NULL: none */
	int (*prepare)(struct ctl *c); /* NULL: nothing to do */
	int (*exec)(struct ctl *c);
};

struct ctl {
	bool json, help;
	const char *conf_path;
	const struct ctl_cmd *cmd;
	const char *group; /* the first word, when it took no second */
	const char *arg[CTL_ARGS_MAX];
	int nargs;
	const char *opt[CTL_OPTS_MAX]; /* by row of cmd->opts: the value, "" for a switch, NULL */
	struct config conf;
	struct actor by;
	struct store *st;
	struct errtext e; /* the sentence of what failed */

	/* What prepare() leaves for exec(). */
	char *input[CTL_INPUTS_MAX]; /* file contents or a password; wiped at the end */
	int fd, lock;		     /* -1: none */
	int64_t when;
};

/* One table a command group, in the order of the help text; each ends with a row without a name. */
extern const struct ctl_cmd user_cmds[], key_cmds[], group_cmds[], node_cmds[], grant_cmds[],
    container_cmds[], session_cmds[], unlock_cmds[], audit_cmds[], backup_cmds[], restore_cmds[],
    check_cmds[];

/* ---- args.c ------------------------------------------------------------ */

/* Fills json, help, conf_path, cmd, arg and opt. JB_USAGE and why. */
int args_parse(struct ctl *c, int argc, char **argv);
/* The value of one of the command's options; "" for a switch; NULL when it was not given. */
const char *args_opt(const struct ctl *c, const char *name);
/* The help that -h asks for: of the command, its group or all. */
void args_help(const struct ctl *c);

/* ---- fail.c ------------------------------------------------------------ */

/* Sets the sentence and returns code. */
int ctl_fail(struct ctl *c, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* 0, or the store's code with the store's sentence. */
int ctl_stored(struct ctl *c, int code);
/* The same for a change without a result; out_done() when it was made. */
int ctl_done(struct ctl *c, int code);
/* One line on standard error that does not fail the command. */
void ctl_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says why on standard error, and with --json on standard output; returns the exit status. */
int ctl_report(const struct ctl *c, int code);

/* ---- operator.c -------------------------------------------------------- */

/* Who runs this, for the audit: fills c->by. Before the process becomes somebody else. */
void operator_note(struct ctl *c);
/* Root becomes the owner of the database's directory, for good. */
int operator_step_down(struct ctl *c);

/* ---- input.c ----------------------------------------------------------- */

/* A file, or standard input for "-"; freed with free_secret(). */
int input_read(struct ctl *c, const char *file, char **text);
/*
 * A new password for `user`: the first line of standard input if
 * --password-stdin was given, otherwise asked twice on the terminal.
 */
int input_password(struct ctl *c, const char *user, char **password);
int input_number(struct ctl *c, const char *s, int64_t min, const char *what, int64_t *n);
/* A name that is about to be made. */
int input_name(struct ctl *c, const char *what, const char *s);
/* A WHEN that has to lie ahead ("until", "expires"). */
int input_until(struct ctl *c, const char *s, int64_t *at);

/* ---- output.c ---------------------------------------------------------- */

enum cell_type { CELL_TEXT, CELL_NUM, CELL_BOOL, CELL_TIME, CELL_TIME_MS, CELL_CONN };

struct column {
	const char *key; /* of the JSON object; the heading is the same in capitals */
	enum cell_type type;
	bool detail; /* not in a person's table, only in JSON and `show` */
};

struct cell {
	const char *s;
	int64_t n;
};
#define C_TEXT(v) ((struct cell){ (v), 0 })
#define C_NUM(v)  ((struct cell){ NULL, (int64_t)(v) })

enum { LIST_BLOCK = 500 };

/*
 * A list: JSON objects as they come, or aligned columns.  Rows are held back
 * for the alignment LIST_BLOCK at a time, so that a long list needs no memory.
 */
struct list {
	const struct ctl *c;
	const struct column *cols;
	size_t ncols, nrows;
	uint64_t total;
	size_t *width; /* of each column; neither this nor text with --json */
	char **text;   /* LIST_BLOCK rows of ncols */
};
void list_begin(struct list *l, const struct ctl *c, const struct column *cols, size_t ncols);
void list_row(struct list *l, const struct cell *cells);
/* r: how the walk ended. Returns it; a list that failed before its first row is not begun. */
int list_end(struct list *l, int r);

/* One object: JSON, or a line `key: value` each. */
void out_object(
    const struct ctl *c, const struct column *cols, size_t ncols, const struct cell *cells);
/* One JSON object on a line, whatever --json says. */
void out_json_line(const struct column *cols, size_t ncols, const struct cell *cells);
/* What an `add` made: {"KEY":VALUE}, or the bare value. */
void out_made(const struct ctl *c, const char *key, const char *s);
void out_made_number(const struct ctl *c, const char *key, int64_t n);
/* A change without a result: {"ok":true}, or nothing. */
void out_done(const struct ctl *c);

#endif
