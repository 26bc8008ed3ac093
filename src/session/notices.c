/*
 * What a user is told unasked: in the menu the message of the day and that the
 * account expires, on a shell's terminal that, if no menu did, and that it ends
 * soon; wherever there is a terminal first, how many recovery codes are left.
 * jumpbox-session.
 */
#include "conn.h"

#include "jumpbox/log.h"
#include "jumpbox/util.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAYS = 7, DAY_S = 24 * 3600 };

void
notices_take(struct conn *c, struct msg *m)
{
	uint32_t attach = msg_get_u32(m);
	int64_t when = (int64_t)msg_get_u64(m), left = when - now_unix();
	char minutes[24];

	if (!msg_end(m))
		fatal(JB_INTERNAL, "the broker's NOTICE is malformed");
	if (attach == 0) {
		c->expires = when;
		return;
	}
	snprintf(minutes, sizeof(minutes), "%lld", (long long)(left > 60 ? (left + 59) / 60 : 1));
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
	char text[128];

	if (c->motd != NULL && !ch->greeted) {
		chan_say(ch, c->motd);
		chan_say(ch, "\n");
	}
	ch->greeted = true;
	if (notices_recovery(c, text, sizeof(text)))
		chan_say(ch, text);
	if (notices_account(c, text, sizeof(text)))
		chan_say(ch, text);
}
