/*
 * What a user is told unasked: the message of the day, in the menu alone.
 * jumpbox-session.
 */
#include "conn.h"

void
notices_head(struct channel *ch)
{
	struct conn *c = ch->conn;

	if (c->motd != NULL && !ch->greeted) {
		chan_say(ch, c->motd);
		chan_say(ch, "\n");
	}
	ch->greeted = true;
}
