/*
 * What a user is told unasked: in the menu the message of the day and that the
 * account or access to a container ends, on a shell's terminal that, if no menu
 * did, and that it ends soon; wherever there is a terminal first, how many
 * recovery codes are left.  jumpbox-session.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/text.h"
#include "jumpbox/util.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAYS = 7, DAY_S = 24 * 3600 };

static void
minutes_left(int64_t when, char dst[static 24])
{
	int64_t left = when - now_unix();

	snprintf(dst, 24, "%" PRId64, left > 60 ? (left + 59) / 60 : 1);
}

bool
notices_access(const struct conn *c, char *dst, size_t size)
{
	char minutes[24], more[24], safe[160];

	if (c->ending.when <= now_unix())
		return false;
	text_safe(safe, sizeof(safe), c->ending.name);
	minutes_left(c->ending.when, minutes);
	snprintf(more, sizeof(more), "%" PRIu32, c->ending.more);
	words(dst, size, c->ending.more > 0 ? W_ACCESSES_END : W_ACCESS_ENDS_LISTED, safe, minutes,
	    more);
	return true;
}

/* The plain menu says it with its next list. */
void
notices_ending(struct conn *c, struct msg *m)
{
	char text[256];

	c->ending.when = (int64_t)msg_get_u64(m);
	msg_get_str(m, c->ending.name, sizeof(c->ending.name));
	c->ending.more = msg_get_u32(m);
	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's ENDING is malformed");
	if (!notices_access(c, text, sizeof(text)))
		return;
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (menu_full_on(ch))
			menu_full_tell(ch, text);
}

void
notices_take(struct conn *c, struct msg *m)
{
	uint32_t attach = msg_get_u32(m);
	int64_t when = (int64_t)msg_get_u64(m);
	char minutes[24];

	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's NOTICE is malformed");
	if (attach == 0) {
		c->expires = when;
		return;
	}
	minutes_left(when, minutes);
	for (struct channel *ch = c->channels; ch != NULL; ch = ch->next)
		if (ch->attach == attach && ch->tty && ch->state == CH_STREAM)
			chan_words(ch, W_ACCESS_ENDS, minutes, NULL, NULL);
}

static bool
account_ends(const struct conn *c, enum word w, char *dst, size_t size)
{
	enum { DATE = 10, MINUTE = 16 }; /* of "2027-01-31T18:00:00Z" */
	char when[32];

	if (c->expires == 0 || c->expires - now_unix() > DAYS * DAY_S)
		return false;
	when_format(c->expires, when);
	when[DATE] = ' ';
	memcpy(when + MINUTE, " UTC", sizeof(" UTC"));
	words(dst, size, w, when, NULL, NULL);
	return true;
}

bool
notices_account(const struct conn *c, char *dst, size_t size)
{
	return account_ends(c, W_ACCOUNT_ENDS, dst, size);
}

bool
notices_recovery(struct conn *c, char *dst, size_t size)
{
	char left[24];

	if (c->recovery == 0)
		return false;
	snprintf(left, sizeof(left), "%" PRIu32, c->recovery - 1);
	c->recovery = 0;
	words(dst, size, W_RECOVERY_LEFT, left, NULL, NULL);
	return true;
}

void
notices_shell(struct channel *ch)
{
	char text[128];

	if (!ch->tty || ch->command != NULL)
		return;
	if (notices_recovery(ch->conn, text, sizeof(text)))
		chan_say(ch, text);
	if (!ch->menu && account_ends(ch->conn, W_SHELL_ACCOUNT_ENDS, text, sizeof(text)))
		chan_say(ch, text);
}

void
notices_head(struct channel *ch)
{
	struct conn *c = ch->conn;
	char text[256];

	if (c->motd != NULL && !ch->greeted) {
		chan_say(ch, c->motd);
		chan_say(ch, "\n");
	}
	ch->greeted = true;
	if (notices_recovery(c, text, sizeof(text)))
		chan_say(ch, text);
	if (notices_access(c, text, sizeof(text)))
		chan_say(ch, text);
	if (notices_account(c, text, sizeof(text)))
		chan_say(ch, text);
}
