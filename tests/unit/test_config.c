/*
 * The configuration: every keyword's default, range and bad values, what a
 * line may look like, and that what is printed reads back.
 */
#include "jumpbox/config.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int
load_bytes(const char *text, size_t n, struct config *c, struct errtext *e)
{
	int fd = memfd_create("conf", MFD_CLOEXEC), r;

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, n, -1), 0);
	r = config_load_fd(fd, "test.conf", c, e);
	close(fd);
	return r;
}

static int
load(const char *text, struct config *c, struct errtext *e)
{
	return load_bytes(text, strlen(text), c, e);
}

static void
good(const char *text, struct config *c)
{
	struct errtext e = { 0 };

	if (load(text, c, &e) != 0)
		fail_msg("%s: %s", text, e.s);
}

static void
bad(const char *text, const char *want)
{
	struct config c;
	struct errtext e = { 0 };

	memset(&c, 0x5a, sizeof c);
	assert_int_equal(load(text, &c, &e), JB_CONFIG);
	assert_string_equal(e.s, want);
	assert_int_equal(c.port, 0x5a5a5a5a); /* untouched on failure */
}

static char *
print(const struct config *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	config_print(c, f);
	fclose(f);
	return text;
}

static void
defaults(void **state)
{
	struct config c;

	(void)state;
	good("", &c);
	assert_int_equal(c.port, 2026);
	assert_int_equal(c.listen_address.n, 2);
	assert_string_equal(c.listen_address.item[0], "0.0.0.0");
	assert_string_equal(c.listen_address.item[1], "::");
	assert_int_equal(c.host_key.n, 2);
	assert_string_equal(c.host_key.item[0], "/var/lib/jumpbox/ssh_host_ed25519_key");
	assert_string_equal(c.host_key.item[1], "/var/lib/jumpbox/ssh_host_rsa_key");
	assert_string_equal(c.banner, "");
	assert_string_equal(c.server_address, "");
	assert_string_equal(c.database, "/var/lib/jumpbox/jumpbox.db");
	assert_string_equal(c.run_directory, "/run/jumpbox");
	assert_string_equal(c.jail_directory, "/var/empty/jumpbox");
	assert_string_equal(c.owner_label, "jumpbox.owner");
	assert_int_equal(c.login_grace_time, 60);
	assert_int_equal(c.max_startups, 100);
	assert_int_equal(c.max_startups_per_source, 20);
	assert_int_equal(c.max_sessions, 5000);
	assert_int_equal(c.max_sessions_per_user, 200);
	assert_int_equal(c.backoff_after, 5);
	assert_int_equal(c.idle_timeout, 0);
	assert_int_equal(c.client_alive_interval, 60);
	assert_int_equal(c.client_alive_count_max, 3);
	assert_string_equal(c.password_hash, "argon2id,m=19456,t=2,p=1");
	assert_int_equal(c.audit_retention, 0);
	assert_int_equal(c.second_factor, SECOND_ENROLLED);
	assert_string_equal(c.second_factor_exempt_from, "");
	assert_string_equal(c.motd, "");
	assert_int_equal(c.log_level, LOG_LEVEL_INFO);
	assert_int_equal(c.log_format, LOG_FORMAT_TEXT);
	assert_int_equal(c.user_keys, 1);
	config_release(&c);
	config_release(&c);
}

static const char everything[] = "port 22\n"
				 "listen-address 127.0.0.1\n"
				 "listen-address ::1\n"
				 "host-key /k/ssh_host_rsa_key\n"
				 "banner  Only for   staff.  # really\n"
				 "server-address jump.example.org\n"
				 "database /d/j.db\n"
				 "run-directory /r\n"
				 "jail-directory /j\n"
				 "owner-label my.owner\n"
				 "login-grace-time 61\n"
				 "max-startups 101\n"
				 "max-startups-per-source 21\n"
				 "max-sessions 5001\n"
				 "max-sessions-per-user 201\n"
				 "backoff-after 6\n"
				 "idle-timeout 1\n"
				 "client-alive-interval 62\n"
				 "client-alive-count-max 4\n"
				 "password-hash argon2id,m=65536,t=3,p=1\n"
				 "audit-retention 90\n"
				 "motd /etc/motd\n"
				 "second-factor Admins\n"
				 "second-factor-exempt-from 10.0.0.0/8,2001:db8::/32\n"
				 "log-level debug\n"
				 "log-format json\n"
				 "user-keys no\n";

static void
check_everything(const struct config *c)
{
	assert_int_equal(c->port, 22);
	assert_int_equal(c->listen_address.n, 2);
	assert_string_equal(c->listen_address.item[0], "127.0.0.1");
	assert_string_equal(c->listen_address.item[1], "::1");
	assert_int_equal(c->host_key.n, 1);
	assert_string_equal(c->host_key.item[0], "/k/ssh_host_rsa_key");
	assert_string_equal(c->banner, "Only for   staff.  # really");
	assert_string_equal(c->server_address, "jump.example.org");
	assert_string_equal(c->database, "/d/j.db");
	assert_string_equal(c->run_directory, "/r");
	assert_string_equal(c->jail_directory, "/j");
	assert_string_equal(c->owner_label, "my.owner");
	assert_int_equal(c->login_grace_time, 61);
	assert_int_equal(c->max_startups, 101);
	assert_int_equal(c->max_startups_per_source, 21);
	assert_int_equal(c->max_sessions, 5001);
	assert_int_equal(c->max_sessions_per_user, 201);
	assert_int_equal(c->backoff_after, 6);
	assert_int_equal(c->idle_timeout, 1);
	assert_int_equal(c->client_alive_interval, 62);
	assert_int_equal(c->client_alive_count_max, 4);
	assert_string_equal(c->password_hash, "argon2id,m=65536,t=3,p=1");
	assert_int_equal(c->audit_retention, 90);
	assert_string_equal(c->motd, "/etc/motd");
	assert_int_equal(c->second_factor, SECOND_ADMINS);
	assert_string_equal(c->second_factor_exempt_from, "10.0.0.0/8,2001:db8::/32");
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->log_format, LOG_FORMAT_JSON);
	assert_int_equal(c->user_keys, 0);
}

static void
every_keyword_is_read_and_printed(void **state)
{
	struct config c, again;
	char *text;

	(void)state;
	good(everything, &c);
	check_everything(&c);
	text = print(&c);
	good(text, &again);
	check_everything(&again);
	free(text);
	config_release(&c);
	config_release(&again);
}

static void
defaults_read_back(void **state)
{
	struct config c, again;
	char *first, *second;

	(void)state;
	good("banner none\nowner-label NONE\n", &c);
	assert_string_equal(c.owner_label, "");
	first = print(&c);
	good(first, &again);
	assert_string_equal(again.banner, "");
	assert_string_equal(again.owner_label, "");
	second = print(&again);
	assert_string_equal(first, second);
	free(first);
	free(second);
	config_release(&c);
	config_release(&again);
}

static void
what_a_line_may_look_like(void **state)
{
	struct config c;

	(void)state;
	good("# comment\n\n   \t\n  # indented comment\n\t PoRt \t 99 \t\r\nLOG-LEVEL Warn", &c);
	assert_int_equal(c.port, 99);
	assert_int_equal(c.log_level, LOG_LEVEL_WARN);
	config_release(&c);
	bad("\n\nprot 22\n", "test.conf:3: unknown keyword 'prot'; see jumpbox.conf(5)");
	bad("port=22\n", "test.conf:1: unknown keyword 'port=22'; see jumpbox.conf(5)");
	bad("port", "test.conf:1: port: needs a value");
	bad("port \t ", "test.conf:1: port: needs a value");
	bad("password-hash ", "test.conf:1: password-hash: needs a value");
	bad("password-hash argon2id,m=1,t=1,p=1",
	    "test.conf:1: password-hash: argon2id parameters out of range: m is 8*p to 1048576 "
	    "(KiB), "
	    "t 1 to 16, p 1 to 4");
	bad("password-hash bcrypt",
	    "test.conf:1: password-hash: expected argon2id,m=KIB,t=PASSES,p=LANES");
	bad("banner a\033[1mb", "test.conf:1: a control character");
	bad("motd welcome", "test.conf:1: motd: 'welcome' must start with /");
	bad("second-factor maybe",
	    "test.conf:1: second-factor: 'maybe' is not never, enrolled, admins or all");
	bad("second-factor-exempt-from 10.0.0.0/33",
	    "test.conf:1: second-factor-exempt-from: \"10.0.0.0/33\" is not a network: say "
	    "192.0.2.0/24 or 2001:db8::/32, or several with commas");
	bad("port 22 # why", "test.conf:1: port: '22 # why' is not a number");
}

static void
numbers_have_ranges(void **state)
{
	static const struct {
		const char *name;
		unsigned min, max;
	} range[] = {
		{ "port", 1, 65535 },
		{ "login-grace-time", 1, 3600 },
		{ "max-startups", 1, 100000 },
		{ "max-startups-per-source", 1, 100000 },
		{ "max-sessions", 0, 1000000 },
		{ "max-sessions-per-user", 0, 1000000 },
		{ "backoff-after", 0, 1000 },
		{ "idle-timeout", 0, 31536000 },
		{ "client-alive-interval", 0, 86400 },
		{ "client-alive-count-max", 1, 1000 },
		{ "audit-retention", 0, 36500 },
	};
	static const char *const not_numbers[] = { "-1", "+1", "x", "1x", "0x10", "1 2", "1.5" };
	char line[128], want[256];
	struct config c;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof range / sizeof range[0]; i++) {
		snprintf(line, sizeof line, "%s %u", range[i].name, range[i].min);
		good(line, &c);
		config_release(&c);
		snprintf(line, sizeof line, "%s %u", range[i].name, range[i].max);
		good(line, &c);
		config_release(&c);
		snprintf(line, sizeof line, "%s %u", range[i].name, range[i].max + 1);
		snprintf(want, sizeof want, "test.conf:1: %s: %u is not between %u and %u",
		    range[i].name, range[i].max + 1, range[i].min, range[i].max);
		bad(line, want);
		if (range[i].min > 0) {
			snprintf(line, sizeof line, "%s 0", range[i].name);
			snprintf(want, sizeof want, "test.conf:1: %s: 0 is not between %u and %u",
			    range[i].name, range[i].min, range[i].max);
			bad(line, want);
		}
		for (k = 0; k < sizeof not_numbers / sizeof not_numbers[0]; k++) {
			snprintf(line, sizeof line, "%s %s", range[i].name, not_numbers[k]);
			snprintf(want, sizeof want, "test.conf:1: %s: '%s' is not a number",
			    range[i].name, not_numbers[k]);
			bad(line, want);
		}
	}
	bad("port 99999999999999999999999",
	    "test.conf:1: port: 99999999999999999999999 is not between 1 and 65535");
	bad("port 4294967318", "test.conf:1: port: 4294967318 is not between 1 and 65535");
}

static void
bad_values(void **state)
{
	(void)state;
	bad("host-key ssh_key", "test.conf:1: host-key: 'ssh_key' must start with /");
	bad("database j.db", "test.conf:1: database: 'j.db' must start with /");
	bad("run-directory run", "test.conf:1: run-directory: 'run' must start with /");
	bad("jail-directory .", "test.conf:1: jail-directory: '.' must start with /");
	bad("listen-address localhost",
	    "test.conf:1: listen-address: 'localhost' is not an IPv4 or IPv6 address "
	    "(the port goes to `port`)");
	bad("listen-address 1.2.3.4:22",
	    "test.conf:1: listen-address: '1.2.3.4:22' is not an IPv4 or IPv6 address "
	    "(the port goes to `port`)");
	bad("log-level loud", "test.conf:1: log-level: 'loud' is not error, warn, info or debug");
	bad("log-format xml", "test.conf:1: log-format: 'xml' is not text or json");
}

static void
repeats(void **state)
{
	char text[1024] = "";
	struct config c;
	int i;

	(void)state;
	bad("port 22\n\nPort 22\n", "test.conf:3: port: already given on line 1");
	bad("banner a\nbanner b\n", "test.conf:2: banner: already given on line 1");
	bad("host-key /a\nhost-key /b\nhost-key /a\n", "test.conf:3: host-key: /a is given twice");
	for (i = 1; i <= CONFIG_LIST_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "host-key /%d\n", i);
	good(text, &c);
	assert_int_equal(c.host_key.n, CONFIG_LIST_MAX);
	config_release(&c);
	strcat(text, "host-key /9\n");
	bad(text, "test.conf:9: host-key: more than 8");
}

static void
sizes_and_nul(void **state)
{
	const size_t n = 200 * 1024;
	char *text = xcalloc(n + 1, 1);
	struct errtext e;
	struct config c;

	(void)state;
	memset(text, '\n', n);
	bad(text, "test.conf: larger than 65536 bytes");
	text[64 * 1024] = '\0';
	good(text, &c);
	config_release(&c);
	assert_int_equal(load_bytes("port 22\0\n", 9, &c, &e), JB_CONFIG);
	assert_string_equal(e.s, "test.conf: a NUL byte; not a text file");
	memset(text, 'x', 7 + 1024 + 1);
	memcpy(text, "banner ", 7);
	text[7 + 1024] = '\0';
	good(text, &c);
	assert_int_equal(strlen(c.banner), 1024);
	config_release(&c);
	text[7 + 1024] = 'x';
	text[7 + 1025] = '\0';
	bad(text, "test.conf:1: banner: longer than 1024 bytes");
	free(text);
}

/* Several processes read one descriptor, each from its start. */
static void
one_descriptor_read_twice(void **state)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct config c;

	(void)state;
	assert_int_equal(write_all(fd, "port 77\n", 8, -1), 0);
	assert_int_equal(config_load_fd(fd, "x", &c, NULL), 0);
	assert_int_equal(c.port, 77);
	config_release(&c);
	assert_int_equal(config_load_fd(fd, "x", &c, NULL), 0);
	assert_int_equal(c.port, 77);
	config_release(&c);
	close(fd);
}

static void
files(void **state)
{
	struct config c;
	struct errtext e;

	(void)state;
	assert_int_equal(config_load("/nonexistent/j.conf", &c, &e), JB_CONFIG);
	assert_string_equal(
	    e.s, "/nonexistent/j.conf: No such file or directory; name another with -f");
	assert_int_equal(config_load("/", &c, &e), JB_CONFIG);
	assert_string_equal(e.s, "/: Is a directory");
	assert_int_equal(config_load("/dev/null", &c, &e), 0);
	config_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_keyword_is_read_and_printed),
		cmocka_unit_test(defaults_read_back),
		cmocka_unit_test(what_a_line_may_look_like),
		cmocka_unit_test(numbers_have_ranges),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(repeats),
		cmocka_unit_test(sizes_and_nul),
		cmocka_unit_test(one_descriptor_read_twice),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
