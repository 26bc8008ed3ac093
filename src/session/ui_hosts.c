/*
 * Containers as a client's ssh names them.  A name that ssh_config or a shell
 * could read as something else is no container's: engines do not take it, and
 * it is left out here.  jumpbox-session; pure.
 */
#include "ui_hosts.h"

#include <stdio.h>
#include <string.h>

static bool
plain(const char *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_.-";

	return s[0] != '\0' && s[0] != '-' && s[strspn(s, chars)] == '\0';
}

static bool
only_one(const struct ui_model *m, const struct ui_entry *e)
{
	for (size_t i = 0; i < m->n; i++)
		if (&m->entry[i] != e && m->entry[i].listed &&
		    strcmp(m->entry[i].name, e->name) == 0)
			return false;
	return true;
}

void
ui_hosts_login(const struct ui_model *m, const struct ui_entry *e, const char *user, char separator,
    char *dst, size_t size)
{
	if (!plain(e->name) || !plain(e->node))
		snprintf(dst, size, "%s", user);
	else if (only_one(m, e))
		snprintf(dst, size, "%s%c%s", user, separator, e->name);
	else
		snprintf(dst, size, "%s%c%s%c%s", user, separator, e->node, separator, e->name);
}

/* In a file that is kept, the node goes with it: another one may get a container of that name. */
void
ui_hosts(
    const struct ui_model *m, const char *user, const char *server, unsigned port, struct buf *out)
{
	char block[1024];
	int n;

	for (size_t i = 0; i < m->n; i++) {
		const struct ui_entry *e = &m->entry[i];

		if (!ui_entry_visible(e) || !plain(e->name) || !plain(e->node))
			continue;
		n = snprintf(block, sizeof(block),
		    "Host %s.%s\n    HostName %s\n    Port %u\n    User %s+%s+%s\n\n", e->name,
		    e->node, server, port, user, e->node, e->name);
		buf_add(out, block, (size_t)n < sizeof(block) ? (size_t)n : sizeof(block) - 1);
	}
}
