/*
 * What of a client's words may go into a container's process: environment,
 * terminal and its size, signal name.  Pure.  Session, which answers the
 * client, and broker, which decides.
 */
#include "jumpbox/client.h"
#include "jumpbox/proto.h"

#include <string.h>

static bool
upper_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A pattern that ends in * is a prefix. */
static const char *const names[] = { "LANG", "LC_*", "COLORTERM", "NO_COLOR", "GIT_*" };

static bool
name_allowed(const char *name)
{
	size_t i, n;

	if (strlen(name) > MAX_ENV_NAME ||
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] != '\0')
		return false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]) - 1;
		if (strcmp(name, names[i]) == 0)
			return true;
		if (names[i][n] == '*' && strlen(name) > n && strncmp(name, names[i], n) == 0)
			return true;
	}
	return false;
}

bool
client_env_ok(const char *name, const char *value)
{
	if (!name_allowed(name) || strlen(value) > MAX_ENV_VALUE)
		return false;
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return false;
	return true;
}

bool
client_term_ok(const char *term)
{
	const char *c;

	for (c = term; *c != '\0'; c++)
		if (!upper_or_digit(*c) && !(*c >= 'a' && *c <= 'z') && strchr("-+.", *c) == NULL)
			return false;
	return c != term && (size_t)(c - term) <= MAX_TERM;
}

static unsigned
side(uint32_t n, unsigned usual)
{
	return n == 0 ? usual : n > MAX_SIDE ? MAX_SIDE : n;
}

unsigned
client_cols(uint32_t n)
{
	return side(n, DEFAULT_COLS);
}

unsigned
client_rows(uint32_t n)
{
	return side(n, DEFAULT_ROWS);
}

bool
client_signal_ok(const char *name)
{
	static const char *const signals[] = { "ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL",
		"PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2" };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcmp(name, signals[i]) == 0)
			return true;
	return false;
}

bool
client_shell_ok(const char *shell)
{
	const char *c;

	if (shell[0] == '-' || (shell[0] != '/' && strchr(shell, '/') != NULL) ||
	    strstr(shell, "..") != NULL)
		return false;
	for (c = shell; *c != '\0'; c++)
		if (!upper_or_digit(*c) && !(*c >= 'a' && *c <= 'z') && strchr("_.+-/", *c) == NULL)
			return false;
	return c != shell && c[-1] != '/' && (size_t)(c - shell) <= MAX_SHELL;
}

bool
client_agent_ok(const char *name, const char *value)
{
	if (strcmp(name, "SSH_AUTH_SOCK") != 0 || value[0] != '/' || strlen(value) > MAX_AGENT_PATH)
		return false;
	for (; *value != '\0'; value++)
		if ((unsigned char)*value <= 0x20 || (unsigned char)*value >= 0x7f)
			return false;
	return true;
}
