/* When a role that died may be started again.  Pure.  Supervisor. */
#include "restart.h"

int64_t
restart_delay(struct restart *r, int64_t lived_ms)
{
	int64_t delay = RESTART_FIRST_MS;
	unsigned i;

	if (lived_ms >= RESTART_LONG_LIFE_MS)
		r->deaths = 0;
	if (r->deaths++ == 0)
		return 0;
	for (i = 2; i < r->deaths && delay < RESTART_MAX_MS; i++)
		delay *= 2;
	return delay < RESTART_MAX_MS ? delay : RESTART_MAX_MS;
}
