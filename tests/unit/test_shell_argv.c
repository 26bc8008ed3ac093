/* The command lines for a container, run for real by this machine's sh. */
#include "jumpbox/docker.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { OUT_MAX = 400000 };

static const struct exec_spec plain = { .tty = false };
static const struct exec_spec terminal = { .tty = true, .cols = 97, .rows = 31 };

/* Runs a->argv with that input (-1: ours); its output, NUL-terminated, and exit status. */
static int
run_on(const struct shell_argv *a, int in, char *out)
{
	size_t n = 0;
	ssize_t got;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		if (in >= 0)
			dup2(in, 0);
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		execvp(a->argv[0], (char *const *)a->argv);
		_exit(99);
	}
	close(fd[1]);
	while (n < OUT_MAX - 1 && (got = read(fd[0], out + n, OUT_MAX - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fd[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int
run(const struct shell_argv *a, char *out)
{
	return run_on(a, -1, out);
}

static int
run_command(const char *command, char *out)
{
	struct shell_argv a;
	int rc;

	assert_int_equal(shell_argv_command(&a, &plain, command, NULL), 0);
	rc = run(&a, out);
	shell_argv_release(&a);
	return rc;
}

static void
passes_commands_untouched(void **state)
{
	char *out = malloc(OUT_MAX);

	(void)state;
	assert_int_equal(run_command("echo a; exit 42", out), 42);
	assert_string_equal(out, "a\n");
	assert_int_equal(
	    run_command("printf '%s|' '$x' \"a'b\" '\n\n' \\\\ `echo q` \xc3\xa9", out), 0);
	assert_string_equal(out, "$x|a'b|\n\n|\\|q|\xc3\xa9|");
	assert_int_equal(run_command("printf '%s' '\xff\\n\\0101\xc3\xa9%d\n\n'", out), 0);
	assert_string_equal(out, "\xff\\n\\0101\xc3\xa9%d\n\n");
	assert_int_equal(run_command("echo $#", out), 0);
	assert_string_equal(out, "0\n");
	assert_int_equal(run_command("", out), 0);
	assert_int_equal(run_command("kill -9 $$", out), 256 + 9);
	free(out);
}

static void
passes_long_commands(void **state)
{
	static const size_t sizes[] = { 99999, 100000, 100001, 120000, 131071, 131072 };
	static const char head[] = "printf %s '", tail[] = "'; exit $#";
	char *out = malloc(OUT_MAX), *command = malloc(131073);

	(void)state;
	for (unsigned odd = 0; odd < 2; odd++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			size_t n = sizes[i], body = n - strlen(head) - strlen(tail);
			char *p = command + strlen(head);

			/* e acute at every other byte: some cut falls inside one */
			memcpy(command, head, strlen(head));
			for (size_t k = 0; k < body; k++)
				p[k] = k + 1 == body && body % 2 ? 'x' : k % 2 ? '\xa9' : '\xc3';
			if (odd)
				p[0] = '\xff';
			memcpy(p + body, tail, sizeof(tail));
			assert_int_equal(strlen(command), n);
			assert_int_equal(run_command(command, out), 0);
			assert_int_equal(strlen(out), body);
			assert_memory_equal(out, p, body);
		}
	free(command);
	free(out);
}

static void
refuses_what_does_not_fit(void **state)
{
	size_t n = 2000000;
	char *command = malloc(n + 1);
	struct shell_argv a;

	(void)state;
	memset(command, 'x', n);
	command[n] = '\0';
	assert_int_equal(shell_argv_command(&a, &terminal, command, NULL), JB_BAD_INPUT);
	assert_null(a.storage);
	free(command);
}

/* The longest command there is, none of it UTF-8. */
static void
fits_the_longest_escaped_command(void **state)
{
	char *command = malloc(131073);
	struct shell_argv a;
	unsigned n = 0;

	(void)state;
	memset(command, '\xff', 131072);
	command[131072] = '\0';
	assert_int_equal(shell_argv_command(&a, &terminal, command, NULL), 0);
	while (a.argv[n]) {
		assert_true(strlen(a.argv[n]) < 131072);
		n++;
	}
	assert_true(n < sizeof(a.argv) / sizeof(a.argv[0]));
	shell_argv_release(&a);
	free(command);
}

static void
becomes_the_user_s_shell(void **state)
{
	char *out = malloc(OUT_MAX);
	struct shell_argv a;

	(void)state;
	setenv("HOME", "/wrong", 1);
	setenv("USER", "wrong", 1);
	setenv("SHELL", "/wrong", 1);
	assert_int_equal(
	    run_command("[ -x \"$SHELL\" ] && [ \"$0\" = \"$SHELL\" ] && "
			"[ \"$(id -un)\" = \"$USER\" ] && [ \"$USER\" = \"$LOGNAME\" ] && "
			"[ \"$HOME\" != /wrong ] && exit 3",
		out),
	    3);
	shell_argv_login(&a, &plain);
	assert_null(a.storage);
	assert_string_equal(a.argv[0], "sh");
	free(out);
}

/* Another one by name or path; what is not there says so itself. */
static void
becomes_the_shell_that_was_asked_for(void **state)
{
	static const struct {
		const char *shell;
		int code;
	} shells[] = { { "bash", 3 }, { "/bin/bash", 3 }, { "sh", 4 }, { "no-such-shell", 127 } };
	char *out = malloc(OUT_MAX);
	struct shell_argv a;

	(void)state;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		struct exec_spec spec = plain;

		spec.shell = shells[i].shell;
		assert_int_equal(shell_argv_command(&a, &spec,
				     "case $SHELL in */bash) exit 3 ;; */sh) exit 4 ;; esac", NULL),
		    0);
		assert_int_equal(run(&a, out), shells[i].code);
		shell_argv_release(&a);
	}
	free(out);
}

/* Without a terminal stty never tells a size: the wait must end by itself. */
static void
waits_for_a_size_but_not_for_ever(void **state)
{
	int64_t began = now_mono_ms();
	char *out = malloc(OUT_MAX);
	struct shell_argv a;

	(void)state;
	assert_int_equal(shell_argv_command(&a, &terminal, "exit 5", NULL), 0);
	assert_int_equal(run(&a, out), 5);
	assert_true(now_mono_ms() - began < 30000);
	shell_argv_release(&a);
	free(out);
}

/* A terminal of that size; the other end goes to *master. */
static int
open_terminal(unsigned short rows, unsigned short cols, int *master)
{
	const struct winsize size = { rows, cols, 0, 0 };
	int fd;

	*master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
	fd = open(ptsname(*master), O_RDWR | O_NOCTTY);
	assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0);
	return fd;
}

static void
keeps_a_size_that_is_there_and_sets_one_that_never_comes(void **state)
{
	char *out = malloc(OUT_MAX);
	struct shell_argv a;
	int fd, master;

	(void)state;
	assert_int_equal(shell_argv_command(&a, &terminal, "stty size; exit $#", NULL), 0);
	fd = open_terminal(44, 132, &master);
	assert_int_equal(run_on(&a, fd, out), 0);
	assert_string_equal(out, "44 132\n");
	close(fd);
	close(master);
	fd = open_terminal(0, 0, &master);
	assert_int_equal(run_on(&a, fd, out), 0);
	assert_string_equal(out, "31 97\n");
	close(fd);
	close(master);
	shell_argv_release(&a);
	free(out);
}

/* What of tty and readlink there is, and whether SSH_TTY is then known. */
static const struct tools {
	const char *tool;
	bool known;
} tools[] = { { "tty", true }, { "readlink", true }, { NULL, false } };

static void
names_the_terminal(void **state)
{
	char dir[] = "/tmp/jumpbox-unit-XXXXXX", from[64], to[64], want[64];
	char *out = malloc(OUT_MAX);
	const struct tools *t;
	struct shell_argv a;
	int fd, master;

	(void)state;
	fd = open_terminal(44, 132, &master);
	assert_non_null(mkdtemp(dir));
	snprintf(to, sizeof(to), "%s/sh", dir);
	assert_int_equal(symlink("/bin/sh", to), 0);
	assert_int_equal(shell_argv_command(&a, &terminal, "echo \"${SSH_TTY-none}\"", NULL), 0);
	setenv("SSH_TTY", "/dev/wrong", 1);
	setenv("PATH", dir, 1);
	for (t = tools; t < tools + sizeof(tools) / sizeof(tools[0]); t++) {
		snprintf(from, sizeof(from), "/usr/bin/%s", t->tool != NULL ? t->tool : "");
		snprintf(to, sizeof(to), "%s/%s", dir, t->tool != NULL ? t->tool : "");
		assert_true(t->tool == NULL || symlink(from, to) == 0);
		assert_int_equal(run_on(&a, fd, out), 0);
		snprintf(want, sizeof(want), "%s\n", t->known ? ptsname(master) : "none");
		assert_string_equal(out, want);
		assert_true(t->tool == NULL || unlink(to) == 0);
	}
	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(to, sizeof(to), "%s/sh", dir);
	unlink(to);
	rmdir(dir);
	close(fd);
	close(master);
	shell_argv_release(&a);
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_commands_untouched),
		cmocka_unit_test(passes_long_commands),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(fits_the_longest_escaped_command),
		cmocka_unit_test(becomes_the_user_s_shell),
		cmocka_unit_test(becomes_the_shell_that_was_asked_for),
		cmocka_unit_test(waits_for_a_size_but_not_for_ever),
		cmocka_unit_test(keeps_a_size_that_is_there_and_sets_one_that_never_comes),
		cmocka_unit_test(names_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
