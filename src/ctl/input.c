/*
 * What a command reads: files, standard input, passwords from a terminal,
 * and values from its arguments.  jumpboxctl, with the operator's rights.
 */
#include "ctl.h"

#include "jumpbox/password.h"
#include "jumpbox/proto.h"
#include "jumpbox/target.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* ---- values ------------------------------------------------------------ */

int
input_number(struct ctl *c, const char *s, int64_t min, const char *what, int64_t *n)
{
	long long v;
	char *end;

	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || v < min || isspace((unsigned char)s[0]))
		return ctl_fail(c, JB_BAD_INPUT,
		    "%s must be a whole number from %lld, not \"%.60s\"", what, (long long)min, s);
	*n = v;
	return 0;
}

int
input_name(struct ctl *c, const char *what, const char *s)
{
	if (name_valid(s))
		return 0;
	return ctl_fail(c, JB_BAD_INPUT,
	    "\"%.60s\" cannot be the name of a %s: 1 to 32 of a-z 0-9 . _ -, first a letter or "
	    "digit",
	    s, what);
}

int
input_until(struct ctl *c, const char *s, int64_t *at)
{
	int64_t now = now_unix(), t;
	int r;

	/* A script's variable that is not set must not mean for ever. */
	if (s[0] == '\0')
		return ctl_fail(c, JB_BAD_INPUT, "an empty time: say never for no end");
	if ((r = when_parse(s, now, &t, &c->e)) < 0)
		return r;
	if (t != 0 && t <= now)
		return ctl_fail(c, JB_BAD_INPUT, "%.60s is over already", s);
	*at = t;
	return 0;
}

/* ---- files ------------------------------------------------------------- */

int
input_read(struct ctl *c, const char *file, char **text)
{
	bool is_stdin = strcmp(file, "-") == 0;
	char *data;
	size_t n;
	int fd, r;

	fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return ctl_fail(c, errno == ENOENT ? JB_NOT_FOUND : JB_BAD_INPUT, "%.160s: %s",
		    file, strerror(errno));
	r = read_fd(fd, FROM_HERE, file, CTL_FILE_MAX, &data, &n, &c->e);
	if (!is_stdin)
		close(fd);
	if (r < 0)
		return JB_BAD_INPUT;
	if (strlen(data) != n) {
		wipe(data, n);
		free(data);
		return ctl_fail(c, JB_BAD_INPUT, "%.160s: not a text file", file);
	}
	*text = data;
	return 0;
}

/* ---- passwords --------------------------------------------------------- */

/*
 * One line without its end, from a descriptor and byte by byte: what follows
 * is not ours.  JB_NOT_FOUND: end of file at once; JB_TRY_AGAIN: a signal.
 * Signals that the caller has blocked are let in by `waiting`, and only while
 * there is nothing to read.
 */
static int
read_line(int fd, const sigset_t *waiting, char *line, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t r;
	char ch;

	for (;;) {
		r = ppoll(&pfd, 1, NULL, waiting);
		if (r > 0)
			r = read(fd, &ch, 1);
		if (r < 0)
			return errno == EINTR ? JB_TRY_AGAIN : JB_UNAVAILABLE;
		if (r == 0 && n == 0)
			return JB_NOT_FOUND;
		if (r == 0 || ch == '\n')
			break;
		if (ch == '\0' || n + 1 == size)
			return JB_BAD_INPUT;
		line[n++] = ch;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return 0;
}

static int
password_from_stdin(struct ctl *c, char *line, size_t size)
{
	int r;

	do
		r = read_line(STDIN_FILENO, NULL, line, size);
	while (r == JB_TRY_AGAIN);
	if (r == JB_NOT_FOUND)
		return ctl_fail(c, JB_BAD_INPUT, "standard input has no password");
	if (r < 0)
		return ctl_fail(c, JB_BAD_INPUT,
		    "standard input: the password must be one line of at most %d bytes",
		    MAX_PASSWORD);
	return 0;
}

/* A signal during a prompt: first the terminal gets its echo back. */
static volatile sig_atomic_t caught;

static void
catch_signal(int sig)
{
	caught = sig;
}

static const int prompt_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
enum { NSIGNALS = sizeof prompt_signals / sizeof prompt_signals[0] };

struct prompt_guard {
	sigset_t mask; /* as it was */
	struct sigaction action[NSIGNALS];
};

static void
guard_begin(struct prompt_guard *g)
{
	struct sigaction sa = { .sa_handler = catch_signal };
	sigset_t set;
	int i;

	caught = 0;
	sigemptyset(&set);
	for (i = 0; i < NSIGNALS; i++)
		sigaddset(&set, prompt_signals[i]);
	sigprocmask(SIG_BLOCK, &set, &g->mask);
	for (i = 0; i < NSIGNALS; i++)
		sigaction(prompt_signals[i], &sa, &g->action[i]);
}

/* One that arrived does now what it would have done. */
static void
guard_end(const struct prompt_guard *g)
{
	int i;

	for (i = 0; i < NSIGNALS; i++)
		sigaction(prompt_signals[i], &g->action[i], NULL);
	if (caught != 0)
		raise(caught);
	sigprocmask(SIG_SETMASK, &g->mask, NULL);
}

static int
ask_once(int tty, const char *prompt, char *line, size_t size)
{
	struct termios shown, hidden;
	struct prompt_guard g;
	int r;

	if (tcgetattr(tty, &shown) < 0)
		return JB_UNAVAILABLE;
	guard_begin(&g);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(tty, TCSAFLUSH, &hidden);
	write_all(tty, prompt, strlen(prompt), -1);
	r = read_line(tty, &g.mask, line, size);
	write_all(tty, "\n", 1, -1);
	tcsetattr(tty, TCSAFLUSH, &shown);
	guard_end(&g);
	return r;
}

/* Again after a stop and a continue. */
static int
ask(int tty, const char *prompt, char *line, size_t size)
{
	int r;

	do
		r = ask_once(tty, prompt, line, size);
	while (r == JB_TRY_AGAIN);
	return r;
}

static int
password_from_terminal(struct ctl *c, const char *user, char *line, size_t size)
{
	char again[MAX_PASSWORD + 1] = "", *prompt;
	int tty, r;

	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return ctl_fail(c, JB_USAGE,
		    "there is no terminal to ask for the password: use --password-stdin");
	prompt = xasprintf("New password for %s: ", user);
	r = ask(tty, prompt, line, size);
	if (r == 0 && (r = password_acceptable(user, line, &c->e)) < 0)
		goto out;
	if (r == 0)
		r = ask(tty, "The same again: ", again, sizeof again);
	if (r < 0)
		r = ctl_fail(c, JB_BAD_INPUT, "no password was entered");
	else if (strcmp(line, again) != 0)
		r = ctl_fail(c, JB_BAD_INPUT, "the two passwords differ; nothing was changed");
out:
	free(prompt);
	wipe(again, sizeof again);
	close(tty);
	return r;
}

int
input_password(struct ctl *c, const char *user, char **password)
{
	char line[MAX_PASSWORD + 1] = "";
	int r;

	if (args_opt(c, "--password-stdin") != NULL)
		r = password_from_stdin(c, line, sizeof line);
	else
		r = password_from_terminal(c, user, line, sizeof line);
	if (r == 0)
		r = password_acceptable(user, line, &c->e);
	if (r == 0)
		*password = xstrdup(line);
	wipe(line, sizeof line);
	return r;
}
