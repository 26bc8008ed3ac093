/*
 * REQ_LANGUAGE: which language the client's locale asks for, and the user's
 * own setting, which wins.  Until one of them is known all is English.  Broker.
 */
#include "broker.h"

void
language_setting(struct broker *b, const char *setting)
{
	enum language l;

	b->language_set = language_parse(setting, &l);
	if (b->language_set)
		words_speak(l);
}

const char *
do_language(struct broker *b, struct msg *m)
{
	uint32_t l = msg_get_u32(m);

	if (!msg_end(m) || l >= LANGUAGE_COUNT)
		return "malformed";
	if (!b->language_set)
		words_speak((enum language)l);
	return NULL;
}
