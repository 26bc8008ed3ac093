/*
 * REQ_LOG: what a session has to say to the operator, such as why it refused
 * its client.  It has no log of its own: its standard error is /dev/null.
 * Broker.
 *
 * Its events are marked as its own ("session.*"), its words are quoted by the
 * logger, and there is a limit on how many it may say in a while.
 */
#include "broker.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <string.h>

enum { LOG_WINDOW_MS = 10000, LOG_IN_WINDOW = 100 };

static bool
event_ok(const char *s)
{
	return s[0] != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz_.")] == '\0';
}

const char *
do_log(struct broker *b, struct msg *m)
{
	static int64_t window; /* one connection a process */
	static unsigned said;
	char event[MAX_EVENT + 1], text[MAX_LOG_TEXT + 1], name[MAX_EVENT + 16];
	uint32_t level = msg_get_u32(m);
	int64_t now = now_mono_ms();

	(void)b;
	msg_get_str(m, event, sizeof(event));
	msg_get_str(m, text, sizeof(text));
	if (!msg_end(m) || level > LOG_LEVEL_DEBUG || !event_ok(event))
		return "malformed";
	if (now - window > LOG_WINDOW_MS) {
		window = now;
		said = 0;
	}
	if (said++ >= LOG_IN_WINDOW)
		return NULL;
	snprintf(name, sizeof(name), "session.%s",
	    strncmp(event, "session.", 8) == 0 ? event + 8 : event);
	log_event((int)level, name, F_STR("text", text));
	return NULL;
}
