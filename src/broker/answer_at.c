/*
 * When a failed password is answered.  Pure.  Broker.
 *
 * Unknown user, locked user, wrong password, whatever the kind of hash: the
 * answer leaves at a multiple of `every` after the request, so that its time
 * says at most how many multiples the work took on a loaded machine.
 */
#include "auth.h"

int64_t
auth_answer_at(int64_t asked, int64_t now, int64_t every)
{
	return asked + ((now - asked) / every + 1) * every;
}
