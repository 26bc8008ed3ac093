/*
 * The permissions of a grant as text.  Pure.  Broker and jumpboxctl.
 */
#include "access.h"
#include "jumpbox/util.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ALLOW_FORWARDS = 32 };
#define FORWARD "forward:" /* and a target */

/* clang-format off */
static const struct item {
	const char *name;
	uint32_t bit;
	uint32_t within; /* not said when this wider one is granted too */
} items[] = {
	{ "shell",    PERM_SHELL,    0 },
	{ "exec",     PERM_EXEC,     0 },
	{ "files",    PERM_FILES,    0 },
	{ "files:ro", PERM_FILES_RO, PERM_FILES },
	{ "forward",  PERM_FORWARD,  0 },
	{ "logs",     PERM_LOGS,     0 },
	{ "power",    PERM_POWER,    0 },
	/* A word for each target; last, as the targets are. */
	{ "forward:HOST:PORT", PERM_FORWARD_SOME, 0 },
};
/* clang-format on */
enum { NITEMS = sizeof(items) / sizeof(items[0]) };

/* "HOST:PORT": a name, an address or [address], or *; a port or *. */
static bool
forward_valid(const char *s)
{
	const char *colon = strrchr(s, ':');
	const char *port = colon ? colon + 1 : NULL;
	size_t host = colon ? (size_t)(colon - s) : 0;
	unsigned n = 0;

	if (host == 0 || host > 255)
		return false;
	if (s[0] == '[') {
		if (host < 4 || s[host - 1] != ']' ||
		    strspn(s + 1, "0123456789abcdefABCDEF:.") != host - 2)
			return false;
	} else if (!(host == 1 && s[0] == '*') &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != host)
		return false;
	if (strcmp(port, "*") == 0)
		return true;
	for (; isdigit((unsigned char)*port) && n <= 65535; port++)
		n = n * 10 + (unsigned)(*port - '0');
	return *port == '\0' && n >= 1 && n <= 65535;
}

/* The words of one --allow, taken apart. */
struct allow {
	uint32_t mask;
	char *forward[ALLOW_FORWARDS]; /* in the order given, within the copied text */
	unsigned nforward;
};

static void
append(char out[static ALLOW_TEXT], const char *between, const char *word)
{
	size_t n = strlen(out);

	snprintf(out + n, ALLOW_TEXT - n, "%s%s", n > 0 ? between : "", word);
}

static int
allow_forward(struct allow *a, char *word, struct errtext *e)
{
	if (!forward_valid(word + strlen(FORWARD)))
		return err_set(e, JB_BAD_INPUT, "\"%.72s\": expected forward:HOST:PORT", word);
	a->mask |= PERM_FORWARD_SOME;
	for (unsigned i = 0; i < a->nforward; i++)
		if (strcmp(a->forward[i], word) == 0)
			return 0;
	if (a->nforward == ALLOW_FORWARDS)
		return err_set(e, JB_BAD_INPUT, "more than %d forward targets", ALLOW_FORWARDS);
	a->forward[a->nforward++] = word;
	return 0;
}

static int
allow_word(struct allow *a, char *word, struct errtext *e)
{
	char known[ALLOW_TEXT] = "";

	if (strncmp(word, FORWARD, strlen(FORWARD)) == 0)
		return allow_forward(a, word, e);
	for (unsigned i = 0; i < NITEMS; i++)
		if (strcmp(word, items[i].name) == 0) {
			a->mask |= items[i].bit;
			return 0;
		}
	for (unsigned i = 0; i < NITEMS; i++)
		append(known, " ", items[i].name);
	return err_set(e, JB_BAD_INPUT, "unknown permission \"%.40s\": known are %s", word, known);
}

void
allow_print(uint32_t mask, char out[static ALLOW_TEXT])
{
	out[0] = '\0';
	for (unsigned i = 0; i < NITEMS; i++)
		if ((mask & items[i].bit) && !(mask & items[i].within))
			append(out, ",", items[i].name);
}

/* Never longer than what was given. */
static void
allow_normal(const struct allow *a, char out[static ALLOW_TEXT])
{
	allow_print(a->mask & ~(uint32_t)PERM_FORWARD_SOME, out);
	for (unsigned i = 0; i < a->nforward; i++)
		append(out, ",", a->forward[i]);
}

/* Nothing before, between or after commas: most likely a word was lost. */
static bool
item_missing(const char *s)
{
	bool item = false;

	for (; *s != '\0'; s++) {
		if (*s == ',' && !item)
			return true;
		if (*s != ' ' && *s != '\t')
			item = *s != ',';
	}
	return !item;
}

int
allow_parse(const char *s, uint32_t *mask, char *out, struct errtext *e)
{
	struct allow a = { 0 };
	char text[ALLOW_TEXT];
	char *save = NULL;
	int rc;

	if (str_copy(text, sizeof(text), s) != 0)
		return err_set(e, JB_BAD_INPUT, "the list of permissions is longer than %d bytes",
		    ALLOW_TEXT - 1);
	for (char *w = strtok_r(text, ", \t", &save); w; w = strtok_r(NULL, ", \t", &save))
		if ((rc = allow_word(&a, w, e)) != 0)
			return rc;
	if (a.mask == 0)
		return err_set(e, JB_BAD_INPUT, "no permission is named");
	if (item_missing(s))
		return err_set(e, JB_BAD_INPUT, "an empty item in the list of permissions");
	if (out != NULL)
		allow_normal(&a, out);
	*mask = a.mask;
	return 0;
}

char *
allow_forwards(const char *s, const char *before)
{
	char *copy = xstrdup(s), *list = xstrdup(before), *longer, *save = NULL;

	for (char *w = strtok_r(copy, ", \t", &save); w; w = strtok_r(NULL, ", \t", &save)) {
		if (strncmp(w, FORWARD, strlen(FORWARD)) != 0)
			continue;
		longer = xasprintf("%s%s%s", list, list[0] != '\0' ? " " : "", w + strlen(FORWARD));
		free(list);
		list = longer;
	}
	free(copy);
	return list;
}
