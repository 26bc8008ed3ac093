/* What jumpboxctl makes of values, files and passwords before it opens a database. */
#include "../../src/ctl/ctl.h"

#include "jumpbox/proto.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))

enum { UNTOUCHED = 77, LIMIT_S = 60 };

/* ---- around it ------------------------------------------------------------- */

static bool from_stdin;

const char *
args_opt(const struct ctl *c, const char *name)
{
	(void)c;
	assert_string_equal(name, "--password-stdin");
	return from_stdin ? "" : NULL;
}

void
out_done(const struct ctl *c)
{
	(void)c;
}

/* Standard input from now on; what was read of it is its offset. */
static void
stdin_is(const void *bytes, size_t len)
{
	int fd = memfd_create("stdin", MFD_CLOEXEC);

	assert_int_equal(write_all(fd, bytes, len, -1), 0);
	lseek(fd, 0, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);
}

/* ---- values ------------------------------------------------------------------ */

static void
whole_numbers_from_a_least_one(void **state)
{
	static const struct {
		const char *s;
		int64_t min, n; /* n UNTOUCHED: refused */
	} numbers[] = {
		{ "0", 0, 0 },
		{ "5", 1, 5 },
		{ "1", 1, 1 },
		{ "-5", -9, -5 },
		{ "007", 0, 7 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "0", 1, UNTOUCHED },
		{ "-1", 0, UNTOUCHED },
		{ "9223372036854775808", 0, UNTOUCHED },
		{ "", 0, UNTOUCHED },
		{ "x", 0, UNTOUCHED },
		{ "5x", 0, UNTOUCHED },
		{ "0x5", 0, UNTOUCHED },
		{ "5.0", 0, UNTOUCHED },
		{ "5 ", 0, UNTOUCHED },
		{ "\t5", 0, UNTOUCHED },
		{ "\n5", 0, UNTOUCHED },
		{ " 5", 0, UNTOUCHED },
	};
	struct ctl c = { 0 };
	int64_t n;
	int r;

	(void)state;
	for (size_t i = 0; i < NELEMS(numbers); i++) {
		n = UNTOUCHED;
		r = input_number(&c, numbers[i].s, numbers[i].min, "PORT", &n);
		assert_int_equal(r, numbers[i].n == UNTOUCHED ? JB_BAD_INPUT : 0);
		assert_int_equal(n, numbers[i].n);
	}
	assert_string_equal(c.e.s, "PORT must be a whole number from 0, not \" 5\"");
}

static void
a_name_that_is_to_be_made(void **state)
{
	struct ctl c = { 0 };

	(void)state;
	assert_int_equal(input_name(&c, "user", "alice"), 0);
	assert_int_equal(input_name(&c, "user", "Alice"), JB_BAD_INPUT);
	assert_non_null(strstr(c.e.s, "\"Alice\" cannot be the name of a user"));
}

static void
an_end_lies_ahead(void **state)
{
	static const struct {
		const char *s, *why;
	} bad[] = {
		{ "2001-01-01", "2001-01-01 is over already" },
		{ "soon", NULL }, /* in when_parse()'s words */
		{ "", "an empty time: say never for no end" },
	};
	int64_t at = UNTOUCHED, now;
	struct ctl c = { 0 };

	(void)state;
	for (size_t i = 0; i < NELEMS(bad); i++) {
		assert_int_equal(input_until(&c, bad[i].s, &at), JB_BAD_INPUT);
		if (bad[i].why != NULL)
			assert_string_equal(c.e.s, bad[i].why);
		assert_int_equal(at, UNTOUCHED);
	}
	now = now_unix();
	assert_int_equal(input_until(&c, "+1h", &at), 0);
	assert_in_range(at, now + 3600, now_unix() + 3600);
	assert_int_equal(input_until(&c, "never", &at), 0);
	assert_int_equal(at, 0);
}

/* ---- files --------------------------------------------------------------------- */

static void
a_text_file_of_bounded_size(void **state)
{
	static const struct {
		size_t len, zero_at; /* zero_at == len: none */
		const char *why;
	} files[] = {
		{ 0, 0, NULL },
		{ 1, 1, NULL },
		{ 4096, 4096, NULL },
		{ CTL_FILE_MAX, CTL_FILE_MAX, NULL },
		{ CTL_FILE_MAX + 1, CTL_FILE_MAX + 1, "-: larger than 262144 bytes" },
		{ 3 * CTL_FILE_MAX, 3 * CTL_FILE_MAX, "-: larger than 262144 bytes" },
		{ 10, 9, "-: not a text file" },
		{ 10, 0, "-: not a text file" },
	};
	char *bytes, *text;
	struct ctl c = { 0 };

	(void)state;
	for (size_t i = 0; i < NELEMS(files); i++) {
		bytes = xcalloc(1, files[i].len + 1);
		memset(bytes, 'x', files[i].len);
		bytes[files[i].zero_at] = '\0';
		stdin_is(bytes, files[i].len);
		text = NULL;
		if (files[i].why == NULL) {
			assert_int_equal(input_read(&c, "-", &text), 0);
			assert_string_equal(text, bytes);
		} else {
			assert_int_equal(input_read(&c, "-", &text), JB_BAD_INPUT);
			assert_string_equal(c.e.s, files[i].why);
			assert_null(text);
		}
		assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
		free_secret(text);
		free(bytes);
	}
}

static void
a_file_by_its_name(void **state)
{
	int fd = memfd_create("file", MFD_CLOEXEC), next = dup(fd);
	char path[64], *text = NULL;
	struct ctl c = { 0 };

	(void)state;
	close(next);
	assert_int_equal(write_all(fd, "words\n", 6, -1), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	assert_int_equal(input_read(&c, path, &text), 0);
	assert_string_equal(text, "words\n");
	free_secret(text);
	text = NULL;
	assert_int_equal(input_read(&c, "/nowhere/at/all", &text), JB_NOT_FOUND);
	assert_string_equal(c.e.s, "/nowhere/at/all: No such file or directory");
	assert_int_equal(input_read(&c, "/", &text), JB_BAD_INPUT);
	assert_string_equal(c.e.s, "/: Is a directory");
	assert_int_equal(input_read(&c, "/dev/null/x", &text), JB_BAD_INPUT);
	assert_string_equal(c.e.s, "/dev/null/x: Not a directory");
	assert_null(text);
	assert_int_equal(dup(fd), next); /* each was closed */
	close(next);
	close(fd);
}

/* ---- passwords ------------------------------------------------------------------- */

#define NO_LINE "standard input: the password must be one line of at most 1024 bytes"
#define S(s)	s, sizeof(s) - 1

static void
the_first_line_of_standard_input(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *password, *why;
		off_t taken;
	} lines[] = {
		{ S("correct horse\n"), "correct horse", NULL, 14 },
		{ S("correct horse\r\n"), "correct horse", NULL, 15 },
		{ S("correct horse"), "correct horse", NULL, 13 },
		{ S("correct horse\nthe next command's\n"), "correct horse", NULL, 14 },
		{ S("correct\rhorse\n"), "correct\rhorse", NULL, 14 },
		{ S(" a b c d \n"), " a b c d ", NULL, 10 },
		{ S(""), NULL, "standard input has no password", 0 },
		{ S("\n"), NULL, "a password needs at least 8 characters", 1 },
		{ S("\r\n"), NULL, "a password needs at least 8 characters", 2 },
		{ S("short\n"), NULL, "a password needs at least 8 characters", 6 },
		{ S("Alice.Smith\n"), NULL, "a password must not be the user's name", 12 },
		{ S("correct\0horse\n"), NULL, NO_LINE, 8 },
	};
	struct ctl c = { 0 };
	char *password;

	(void)state;
	from_stdin = true;
	for (size_t i = 0; i < NELEMS(lines); i++) {
		stdin_is(lines[i].bytes, lines[i].len);
		password = NULL;
		if (lines[i].password != NULL) {
			assert_int_equal(input_password(&c, "alice.smith", &password), 0);
			assert_string_equal(password, lines[i].password);
		} else {
			assert_int_equal(
			    input_password(&c, "alice.smith", &password), JB_BAD_INPUT);
			assert_string_equal(c.e.s, lines[i].why);
			assert_null(password);
		}
		assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_CUR), lines[i].taken);
		free_secret(password);
	}
}

static void
a_line_has_an_end_in_time(void **state)
{
	char line[MAX_PASSWORD + 2], *password = NULL;
	struct ctl c = { 0 };

	(void)state;
	from_stdin = true;
	memset(line, 'x', sizeof line);
	line[MAX_PASSWORD] = '\n';
	stdin_is(line, MAX_PASSWORD + 1);
	assert_int_equal(input_password(&c, "alice", &password), 0);
	assert_int_equal(strlen(password), MAX_PASSWORD);
	free_secret(password);
	password = NULL;
	line[MAX_PASSWORD] = 'x';
	line[MAX_PASSWORD + 1] = '\n';
	stdin_is(line, MAX_PASSWORD + 2);
	assert_int_equal(input_password(&c, "alice", &password), JB_BAD_INPUT);
	assert_string_equal(c.e.s, NO_LINE);
	assert_null(password);
}

/* ---- passwords from a terminal ------------------------------------------------------ */

static volatile sig_atomic_t stopped, stopped_without_echo;

static bool
has_echo(int tty)
{
	struct termios t;

	return tcgetattr(tty, &t) == 0 && (t.c_lflag & ECHO) != 0;
}

static void
note_stop(int sig)
{
	(void)sig;
	stopped++;
	stopped_without_echo += !has_echo(STDIN_FILENO);
}

/* Until the terminal shows it; what is shown before is gone. */
static void
shows(int tty, const char *what)
{
	struct pollfd p = { tty, POLLIN, 0 };
	char seen[512] = "";
	size_t n = 0;

	while (strstr(seen, what) == NULL) {
		assert_true(n + 1 < sizeof seen && poll(&p, 1, LIMIT_S * 1000) == 1);
		assert_int_equal(read(tty, seen + n++, 1), 1);
		assert_null(strstr(seen, "horse"));
	}
}

static void
types(int tty, const char *keys)
{
	assert_int_equal(write_all(tty, keys, strlen(keys), -1), 0);
}

static int
exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the signal does, here a note, happens on a terminal with its echo. */
static void
it_is_asked_again_after_a_stop(void **state)
{
	struct sigaction sa = { .sa_handler = note_stop };
	struct ctl c = { 0 };
	char *password;
	pid_t pid;
	int tty;

	(void)state;
	from_stdin = false;
	if ((pid = forkpty(&tty, NULL, NULL, NULL)) == 0) {
		sigaction(SIGTSTP, &sa, NULL);
		if (input_password(&c, "alice", &password) != 0)
			_exit(1);
		if (strcmp(password, "battery horse") != 0)
			_exit(2);
		_exit(stopped == 2 && stopped_without_echo == 0 && has_echo(STDIN_FILENO) ? 0 : 3);
	}
	shows(tty, "New password for alice: ");
	assert_false(has_echo(tty));
	types(tty, "correct horse\x1a");
	shows(tty, "New password for alice: ");
	types(tty, "battery horse\n");
	shows(tty, "The same again: ");
	assert_false(has_echo(tty));
	types(tty, "\x1a");
	shows(tty, "The same again: ");
	types(tty, "battery horse\n");
	assert_int_equal(exit_code(pid), 0);
	close(tty);
}

static void
without_a_terminal_nobody_is_asked(void **state)
{
	struct ctl c = { 0 };
	char *password = NULL;
	pid_t pid;

	(void)state;
	from_stdin = false;
	if ((pid = fork()) == 0) {
		setsid();
		_exit(-input_password(&c, "alice", &password));
	}
	assert_int_equal(exit_code(pid), -JB_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_from_a_least_one),
		cmocka_unit_test(a_name_that_is_to_be_made),
		cmocka_unit_test(an_end_lies_ahead),
		cmocka_unit_test(a_text_file_of_bounded_size),
		cmocka_unit_test(a_file_by_its_name),
		cmocka_unit_test(the_first_line_of_standard_input),
		cmocka_unit_test(a_line_has_an_end_in_time),
		cmocka_unit_test(it_is_asked_again_after_a_stop),
		cmocka_unit_test(without_a_terminal_nobody_is_asked),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
