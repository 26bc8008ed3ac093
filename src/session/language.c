/*
 * Which language this session speaks, and its broker with it: the user's
 * setting; else what the locale of the first channel that has one asks for.
 * English until then.  jumpbox-session.
 */
#include "conn.h"

#include <string.h>

void
language_setting(struct conn *c)
{
	enum language l;

	c->language_known = language_parse(c->language, &l);
	if (c->language_known)
		words_speak(l);
}

const char *
chan_variable(const struct channel *ch, const char *name)
{
	for (unsigned i = 0; i < ch->nenv; i++)
		if (strcmp(ch->env[i].name, name) == 0 && ch->env[i].value[0] != '\0')
			return ch->env[i].value;
	return NULL;
}

/* In the order in which POSIX has them decide of messages. */
static const char *
locale(const struct channel *ch)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && value == NULL; i++)
		value = chan_variable(ch, names[i]);
	return value;
}

void
language_locale(struct channel *ch)
{
	struct conn *c = ch->conn;
	const char *value = locale(ch);
	enum language l;
	struct msg m;

	if (c->language_known || value == NULL)
		return;
	c->language_known = true;
	l = language_of_locale(value);
	if (l == words_language())
		return;
	words_speak(l);
	msg_init(&m, REQ_LANGUAGE, link_id());
	msg_put_u32(&m, l);
	link_send(&m);
}
