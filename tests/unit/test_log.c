/*
 * Log lines: their form, what is escaped and cut, and one write each.
 */
#include "jumpbox/log.h"

#include "jumpbox/errors.h"
#include "jumpbox/util.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Standard error is a datagram socket meanwhile: each write is one datagram.
 * The tests' own messages go to standard output.
 */
static int sock, saved;
static char line[8192];

static int
catch_stderr(void **state)
{
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	sock = sv[0];
	saved = dup(STDERR_FILENO);
	dup2(sv[1], STDERR_FILENO);
	close(sv[1]);
	log_init("test", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_conn(0);
	return 0;
}

static int
let_stderr_go(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(sock);
	return 0;
}

/* The next line without its end; NULL if there is none. */
static char *
next_line(void)
{
	ssize_t n = recv(sock, line, sizeof line - 1, 0);

	if (n < 0)
		return NULL;
	assert_true(n > 0 && n <= 4096 && line[n - 1] == '\n');
	assert_null(memchr(line, '\n', (size_t)n - 1));
	line[n - 1] = '\0';
	return line;
}

/* The next line from its event on; the time before it is checked for its form. */
static char *
next_event(void)
{
	char *s = next_line();
	int y, mo, d, h, mi, sec, ms, pid, at = 0;

	assert_non_null(s);
	assert_int_equal(sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ info test[%d] %n", &y, &mo, &d, &h,
			     &mi, &sec, &ms, &pid, &at),
	    8);
	assert_int_equal(pid, getpid());
	return s + at;
}

static void
text_lines(void **state)
{
	(void)state;
	log_info("login.ok", F_STR("user", "alice"), F_NUM("session", -5), F_STR("from", NULL));
	assert_string_equal(next_event(), "login.ok user=alice session=-5 from=-");
	log_info("big", F_NUM("n", INT64_MIN));
	assert_string_equal(next_event(), "big n=-9223372036854775808");
	log_write(LOG_LEVEL_INFO, "bare", &F_END);
	assert_string_equal(next_event(), "bare");
	log_conn(0xabc);
	log_info("x", F_STR("k", "v"));
	assert_string_equal(next_event(), "x conn=0000000000000abc k=v");
	assert_null(next_line());
}

static void
text_values_are_quoted(void **state)
{
	(void)state;
	log_info("e", F_STR("a", ""), F_STR("b", "two words"), F_STR("c", "say \"hi\""),
	    F_STR("d", "k=v"), F_STR("e", "back\\slash"), F_STR("f", "caf\xc3\xa9"));
	assert_string_equal(next_event(),
	    "e a=\"\" b=\"two words\" c=\"say \\\"hi\\\"\" d=\"k=v\" e=\"back\\\\slash\" "
	    "f=caf\xc3\xa9");
	log_info("e", F_STR("a", "x\n2027 forged"), F_STR("b", "\033[2J"), F_STR("c", "\xff"),
	    F_STR("d", "\xe2\x80\xae"), F_STR("e", "\xc2\x9b"));
	assert_string_equal(next_event(),
	    "e a=\"x\\x0a2027 forged\" b=\"\\x1b[2J\" c=\"\\xff\" d=\"\\u{202e}\" "
	    "e=\"\\u{009b}\"");
}

static void
json_lines(void **state)
{
	char *s;

	(void)state;
	log_init("broker", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_conn(1);
	log_warn("a.b", F_STR("s", "q\" b\\ n\n e\033 \xff \xe2\x80\xae \xf3\xa0\x81\xa1 \xc3\xa9"),
	    F_NUM("n", 7));
	s = next_line();
	assert_int_equal(strncmp(s, "{\"time\":\"2", 10), 0);
	s = strstr(s, "\",\"level\":\"warn\",\"role\":\"broker\",\"pid\":");
	assert_non_null(s);
	s = strstr(s, ",\"event\"");
	assert_string_equal(s,
	    ",\"event\":\"a.b\",\"conn\":\"0000000000000001\","
	    "\"s\":\"q\\\" b\\\\ n\\u000a e\\u001b \\\\xff \\u202e "
	    "\\udb40\\udc61 \xc3\xa9\",\"n\":7}");
}

static void
long_values_and_lines_are_cut(void **state)
{
	char value[3000], *s;
	struct log_field many[13];
	size_t i;

	(void)state;
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	log_info("e", F_STR("v", value), F_NUM("after", 1));
	s = next_event();
	assert_true(strlen(s) < 560);
	assert_non_null(strstr(s, "x...\" after=1"));
	memset(value, '\033', 400); /* each takes four bytes: no half of an escape */
	log_info("e", F_STR("v", value));
	assert_non_null(strstr(next_event(), "\\x1b...\""));
	memset(value, 'x', sizeof value - 1);
	for (i = 0; i < 12; i++)
		many[i] = F_STR("key", value);
	many[12] = F_END;
	log_write(LOG_LEVEL_INFO, "e", many);
	s = next_event(); /* whole fields only, and at most 4096 bytes */
	assert_int_equal(s[strlen(s) - 1], '"');
	log_init("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_write(LOG_LEVEL_INFO, "e", many);
	s = next_line();
	assert_string_equal(s + strlen(s) - 5, "...\"}");
}

static void
levels(void **state)
{
	(void)state;
	log_debug("hidden", F_NUM("a", 1));
	assert_null(next_line());
	log_init("test", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	log_debug("shown", F_NUM("a", 1));
	assert_non_null(strstr(next_line(), " debug test["));
	log_init("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	log_warn("hidden", F_NUM("a", 1));
	assert_null(next_line());
	log_error("shown", F_NUM("a", 1));
	assert_non_null(strstr(next_line(), " error test["));
}

static void
fatal_says_why_and_exits(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		fatal(JB_CONFIG, "no %s", "luck");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 78);
	assert_non_null(strstr(next_line(), "] test.fatal why=\"no luck\""));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, catch_stderr, let_stderr_go)
	const struct CMUnitTest tests[] = {
		TEST(text_lines),
		TEST(text_values_are_quoted),
		TEST(json_lines),
		TEST(long_values_and_lines_are_cut),
		TEST(levels),
		TEST(fatal_says_why_and_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
