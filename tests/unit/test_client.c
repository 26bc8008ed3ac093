/* What of a client's words may go into a container's process. */
#include "jumpbox/client.h"
#include "jumpbox/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
names_of_the_list(void **state)
{
	static const char *const good[] = { "LANG", "LC_ALL", "LC_X_1", "COLORTERM",
		"GIT_PROTOCOL" };
	static const char *const bad[] = { "", "PATH", "LD_PRELOAD", "LANGUAGE", "LC_", "GIT_",
		"lang", "LC_A=B", "LC_A B", "LC_\xc3\xa9", "XLANG", "COLORTERM2", "JUMPBOX_EXEC",
		"TERM", "BASH_ENV", "GIT-SSH" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(client_env_ok(good[i], "value"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(client_env_ok(bad[i], "value"));
}

static void
names_have_a_limit(void **state)
{
	char name[80];

	(void)state;
	memset(name, 'A', sizeof(name));
	memcpy(name, "LC_", 3);
	name[64] = '\0';
	assert_true(client_env_ok(name, ""));
	name[64] = 'A';
	name[65] = '\0';
	assert_false(client_env_ok(name, ""));
}

static void
values_are_text(void **state)
{
	char value[MAX_ENV_VALUE + 2];

	(void)state;
	assert_true(client_env_ok("LANG", ""));
	assert_true(client_env_ok("GIT_PROTOCOL", "version=2"));
	assert_true(client_env_ok("LC_NAME", "J\xc3\xbcrgen"));
	assert_false(client_env_ok("LANG", "a\nb"));
	assert_false(client_env_ok("LANG", "\033[2J"));
	assert_false(client_env_ok("LANG", "\177"));
	memset(value, 'v', sizeof(value));
	value[MAX_ENV_VALUE] = '\0';
	assert_true(client_env_ok("LANG", value));
	value[MAX_ENV_VALUE] = 'v';
	value[MAX_ENV_VALUE + 1] = '\0';
	assert_false(client_env_ok("LANG", value));
}

static void
terminal_names(void **state)
{
	(void)state;
	assert_true(client_term_ok("xterm-256color"));
	assert_true(client_term_ok("screen.xterm-new"));
	assert_true(client_term_ok("rxvt_unicode+pcfkeys"));
	assert_false(client_term_ok(""));
	assert_false(client_term_ok("../xterm"));
	assert_false(client_term_ok("x term"));
	assert_false(client_term_ok("x\n"));
	assert_false(client_term_ok(
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
}

static void
terminal_sizes(void **state)
{
	(void)state;
	assert_int_equal(client_cols(0), 80);
	assert_int_equal(client_rows(0), 24);
	assert_int_equal(client_cols(1), 1);
	assert_int_equal(client_rows(MAX_SIDE), MAX_SIDE);
	assert_int_equal(client_rows(MAX_SIDE + 1), MAX_SIDE);
	assert_int_equal(client_cols(UINT32_MAX), MAX_SIDE);
}

static void
signal_names(void **state)
{
	(void)state;
	assert_true(client_signal_ok("TERM"));
	assert_true(client_signal_ok("USR2"));
	assert_false(client_signal_ok(""));
	assert_false(client_signal_ok("SIGTERM"));
	assert_false(client_signal_ok("STOP"));
	assert_false(client_signal_ok("9"));
	assert_false(client_signal_ok("TERM; reboot"));
}

static void
shells(void **state)
{
	static const char *const good[] = { "zsh", "/bin/bash", "/usr/local/bin/fish-3.1",
		"x+y_z" };
	static const char *const bad[] = { "", "-c", "a b", "bin/sh", "./sh", "/", "/bin/",
		"/bin/../sh", "..", "sh;id", "$SHELL", "sh\n", "\xe4\xb8\xad" };
	char long_name[MAX_SHELL + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(client_shell_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(client_shell_ok(bad[i]));
	memset(long_name, 'a', sizeof(long_name));
	long_name[MAX_SHELL + 1] = '\0';
	assert_false(client_shell_ok(long_name));
	long_name[MAX_SHELL] = '\0';
	assert_true(client_shell_ok(long_name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_list),
		cmocka_unit_test(names_have_a_limit),
		cmocka_unit_test(values_are_text),
		cmocka_unit_test(terminal_names),
		cmocka_unit_test(terminal_sizes),
		cmocka_unit_test(signal_names),
		cmocka_unit_test(shells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
