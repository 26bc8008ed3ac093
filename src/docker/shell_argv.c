/*
 * The command lines that are put into a container: a few lines for its `sh`,
 * which find the user's own shell and become it.  They need nothing in the
 * image but `sh`, and start no process of their own but `stty` and `tty`.
 * Pure; broker.
 *
 * - The shell is the one in the container's passwd for this uid, or bash, or
 *   sh.  Service users are given nologin or false to keep them off a login
 *   service; whoever is granted a shell here is let in by the grant, so these
 *   two count as "none".  Another one may have been asked for by name.  HOME, USER, LOGNAME and SHELL are set as sshd does,
 *   and where the image names no directory it begins at home.
 * - A terminal's first size arrives through the engine a moment after the
 *   start.  It is waited for, so that no program ever sees 0 by 0, and only
 *   when none has come for about two seconds is it set from inside: no later
 *   resize can be overwritten.
 * - Which terminal it is, SSH_TTY, is known only inside.
 * - A command is an argument, never part of a script.  One argument ends at
 *   131,071 bytes in Linux, so a long one travels in pieces.  JSON carries
 *   UTF-8 only: a command of other bytes travels as printf %b escapes.
 */
#include "jumpbox/docker.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 100000,	       /* bytes of the command in one argument */
	ONE_ARGUMENT = 131071, /* what Linux takes */
	SCRIPT_ARGS = 7,       /* sh -c SCRIPT sh SHELL, with a terminal: ROWS COLS */
	PIECES = sizeof(((struct shell_argv *)0)->argv) / sizeof(char *) - SCRIPT_ARGS - 1,
};

#define FIND_SHELL                                                                              \
	"SHELL=\n"                                                                              \
	"while read -r _jb_k _jb_uid _jb_r; do\n"                                               \
	" [ \"$_jb_k\" = Uid: ] && break\n"                                                     \
	"done </proc/self/status\n"                                                             \
	"if [ -r /etc/passwd ]; then\n"                                                         \
	" while IFS=: read -r _jb_n _jb_p _jb_i _jb_g _jb_c _jb_h _jb_s || [ -n \"$_jb_n\" ]; " \
	"do\n"                                                                                  \
	"  [ \"$_jb_i\" = \"$_jb_uid\" ] || continue\n"                                         \
	"  USER=$_jb_n LOGNAME=$_jb_n HOME=${_jb_h:-/} SHELL=$_jb_s\n"                          \
	"  export USER LOGNAME HOME\n"                                                          \
	"  break\n"                                                                             \
	" done </etc/passwd\n"                                                                  \
	"fi\n"                                                                                  \
	"case $SHELL in */nologin|*/false) SHELL= ;; esac\n"                                    \
	"[ -x \"$SHELL\" ] || SHELL=$(command -v bash || command -v sh)\n"                      \
	"[ -z \"$1\" ] || SHELL=$(command -v \"$1\" || echo \"$1\")\n"                          \
	"shift\n"                                                                               \
	"export SHELL\n"                                                                        \
	"[ \"$PWD\" != / ] || cd \"${HOME:-/}\" 2>/dev/null\n"

/* Its arguments are rows and columns, before the command's. */
#define AT_TERMINAL                                                                       \
	"_jb_t=0\n"                                                                       \
	"command -v stty >/dev/null 2>&1 || _jb_t=220\n"                                  \
	"while [ $_jb_t -lt 220 ]; do\n"                                                  \
	" case $(stty size 2>/dev/null) in [1-9]*) break ;; esac\n"                       \
	" _jb_t=$((_jb_t + 1))\n"                                                         \
	" [ $_jb_t -lt 20 ] || sleep 0.01\n"                                              \
	"done\n"                                                                          \
	"[ $_jb_t -lt 220 ] || stty rows \"$1\" cols \"$2\" 2>/dev/null\n"                \
	"shift 2\n"                                                                       \
	"SSH_TTY=$(tty 2>/dev/null) || SSH_TTY=$(readlink /proc/self/fd/0 2>/dev/null)\n" \
	"case $SSH_TTY in /dev/*) export SSH_TTY ;; *) unset SSH_TTY ;; esac\n"

/* Neither holds a single quote: both are also quoted whole, in RUN_LONG. */
#define JOIN   "_jb_c=; for _jb_a; do _jb_c=$_jb_c$_jb_a; done\n"
#define DECODE "_jb_c=$(printf %bx \"$_jb_c\"); _jb_c=${_jb_c%x}\n"

#define RUN_LOGIN "exec \"$SHELL\" -l\n"
#define RUN	  "exec \"$SHELL\" -c \"$_jb_c\"\n"
/* Too long for one argument: the user's shell joins the pieces itself. */
#define RUN_LONG(get) "exec \"$SHELL\" -c '" get "set --; eval \"$_jb_c\"' \"$SHELL\" \"$@\"\n"

static const char *const login_script[2] = {
	FIND_SHELL RUN_LOGIN,
	FIND_SHELL AT_TERMINAL RUN_LOGIN,
};

/* [terminal][not UTF-8][longer than one argument] */
static const char *const command_script[2][2][2] = {
	{
	    { FIND_SHELL JOIN RUN, FIND_SHELL RUN_LONG(JOIN) },
	    { FIND_SHELL JOIN DECODE RUN, FIND_SHELL RUN_LONG(JOIN DECODE) },
	},
	{
	    { FIND_SHELL AT_TERMINAL JOIN RUN, FIND_SHELL AT_TERMINAL RUN_LONG(JOIN) },
	    { FIND_SHELL AT_TERMINAL JOIN DECODE RUN,
		FIND_SHELL AT_TERMINAL RUN_LONG(JOIN DECODE) },
	},
};

static unsigned
start(struct shell_argv *a, const char *script, const struct exec_spec *spec)
{
	unsigned n = 0;

	memset(a, 0, sizeof(*a));
	a->argv[n++] = "sh";
	a->argv[n++] = "-c";
	a->argv[n++] = script;
	a->argv[n++] = "sh";
	a->argv[n++] = spec->shell != NULL ? spec->shell : "";
	if (spec->tty) {
		snprintf(a->rows, sizeof(a->rows), "%u", spec->rows);
		snprintf(a->cols, sizeof(a->cols), "%u", spec->cols);
		a->argv[n++] = a->rows;
		a->argv[n++] = a->cols;
	}
	return n;
}

void
shell_argv_login(struct shell_argv *a, const struct exec_spec *spec)
{
	start(a, login_script[spec->tty], spec);
}

static bool
is_utf8(const char *s)
{
	int32_t cp = 0;

	while (*s && cp >= 0)
		s += text_decode(s, &cp);
	return cp >= 0;
}

/* Backslashes and everything beyond ASCII as \0ooo, which printf %b undoes. */
static char *
escape(const char *s)
{
	char *out = xcalloc(strlen(s) + 1, 5), *p = out;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '\\' || c >= 0x80)
			p += sprintf(p, "\\0%03o", (unsigned)c);
		else
			*p++ = *s;
	}
	return out;
}

/* Cuts text into NUL-terminated pieces within *storage, between characters; false: too many. */
static bool
cut(struct shell_argv *a, unsigned arg, const char *text)
{
	size_t left = strlen(text), n;
	char *out;

	a->size = left + PIECES + 1;
	out = a->storage = xcalloc(a->size, 1);
	for (unsigned i = 0; i < PIECES && left > 0; i++) {
		n = text_cut(text, PIECE);
		memcpy(out, text, n);
		a->argv[arg + i] = out;
		out += n + 1;
		text += n;
		left -= n;
	}
	return left == 0;
}

void
shell_argv_release(struct shell_argv *a)
{
	if (a->storage)
		wipe(a->storage, a->size);
	free(a->storage);
	memset(a, 0, sizeof(*a));
}

int
shell_argv_command(
    struct shell_argv *a, const struct exec_spec *spec, const char *command, struct errtext *e)
{
	bool escaped = !is_utf8(command), pieces = strlen(command) > ONE_ARGUMENT, fits;
	unsigned arg = start(a, command_script[spec->tty][escaped][pieces], spec);
	char *text = escaped ? escape(command) : NULL;

	fits = cut(a, arg, escaped ? text : command);
	free_secret(text);
	if (fits)
		return 0;
	shell_argv_release(a);
	return err_words(e, JB_BAD_INPUT, W_COMMAND_TOO_LONG, NULL, NULL, NULL);
}
