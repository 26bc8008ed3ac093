/*
 * Which container a login name asks for.  Broker only; pure.
 */
#include "jumpbox/target.h"

#include "jumpbox/util.h"

#include <string.h>

static const char separators[] = "+~:#";

/* What clients percent-encode because it is a separator. */
static const struct {
	const char *code;
	char c;
} encoded[] = {
	{ "%2B", '+' },
	{ "%7E", '~' },
	{ "%3A", ':' },
	{ "%23", '#' },
};

static bool
lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
in_name(char c)
{
	return lower_or_digit(c) || c == '.' || c == '_' || c == '-';
}

bool
name_valid(const char *s)
{
	size_t n;

	if (!lower_or_digit(s[0]))
		return false;
	for (n = 1; s[n] != '\0'; n++)
		if (n >= NAME_MAX_LEN || !in_name(s[n]))
			return false;
	return true;
}

static bool
container_valid(const char *s)
{
	size_t n;

	if (!lower_or_digit(s[0]) && !(s[0] >= 'A' && s[0] <= 'Z'))
		return false;
	for (n = 1; s[n] != '\0'; n++)
		if (n >= CONTAINER_NAME_MAX || !(in_name(s[n]) || (s[n] >= 'A' && s[n] <= 'Z')))
			return false;
	return true;
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The separator that s starts with, and how many bytes it takes; '\0' if none. */
static char
encoded_at(const char *s)
{
	size_t i;

	for (i = 0; i < sizeof encoded / sizeof encoded[0]; i++)
		if (s[0] == '%' && s[1] == encoded[i].code[1] && upper(s[2]) == encoded[i].code[2])
			return encoded[i].c;
	return '\0';
}

/* Decodes in place of copying twice: 0, or JB_BAD_INPUT if it does not fit. */
static int
decode(const char *login, char *dst, size_t size)
{
	size_t n = 0;
	char c;

	while (*login != '\0') {
		if (n + 1 >= size)
			return JB_BAD_INPUT;
		c = encoded_at(login);
		dst[n++] = c != '\0' ? c : *login;
		login += c != '\0' ? 3 : 1;
	}
	dst[n] = '\0';
	return 0;
}

int
target_parse(const char *login, struct target *t)
{
	char text[NAME_MAX_LEN + 1 + NAME_MAX_LEN + 1 + CONTAINER_NAME_MAX + 1];
	char *first, *second, *container;

	memset(t, 0, sizeof *t);
	if (decode(login, text, sizeof text) < 0)
		return JB_BAD_INPUT;
	first = strpbrk(text, separators);
	if (first != NULL)
		*first++ = '\0';
	if (!name_valid(text))
		return JB_BAD_INPUT;
	str_copy(t->user, sizeof t->user, text);
	if (first == NULL)
		return 0;
	container = first;
	second = strpbrk(first, separators);
	if (second != NULL) {
		*second++ = '\0';
		container = second;
	}
	if (!container_valid(container) || (second != NULL && !name_valid(first)))
		return JB_BAD_INPUT;
	str_copy(t->container, sizeof t->container, container);
	if (second != NULL)
		str_copy(t->node, sizeof t->node, first);
	return 0;
}

static bool
has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* NAME.NODE, which is how a host's name can say both. */
static bool
is_dotted(const char *s, const struct target_candidate *c)
{
	size_t n = strlen(c->name);

	return strncmp(s, c->name, n) == 0 && s[n] == '.' && strcmp(s + n + 1, c->node) == 0;
}

unsigned
target_level(const struct target *t, const struct target_candidate *c)
{
	if (t->container[0] == '\0' || (t->node[0] != '\0' && strcmp(t->node, c->node) != 0))
		return 0;
	if (strcmp(t->container, c->name) == 0)
		return 3;
	if (t->node[0] == '\0' && is_dotted(t->container, c))
		return 2;
	return has_prefix(c->name, t->container) || has_prefix(c->id, t->container);
}
