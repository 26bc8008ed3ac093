/* The state of the running server as a message.  The supervisor tells, jumpbox-metrics asks. */
#include "jumpbox/server_state.h"

void
server_state_put(struct msg *m, const struct server_state *s)
{
	msg_put_u32(m, s->draining);
	msg_put_u64(m, s->accepted);
	msg_put_u64(m, s->dropped);
	msg_put_u64(m, s->waiting);
	msg_put_u64(m, s->logged_in);
	msg_put_u64(m, s->watcher_heard);
}

bool
server_state_get(struct msg *m, struct server_state *s)
{
	if (m->type != STATE_TELL)
		return false;
	s->draining = msg_get_u32(m) != 0;
	s->accepted = msg_get_u64(m);
	s->dropped = msg_get_u64(m);
	s->waiting = msg_get_u64(m);
	s->logged_in = msg_get_u64(m);
	s->watcher_heard = msg_get_u64(m);
	return msg_end(m);
}
