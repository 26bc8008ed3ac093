/*
 * jumpbox-metrics, if it is configured: started, answered, started again when
 * it dies, and the last to be ended: until then it says that the server
 * drains.  Supervisor only.
 */
#ifndef SUPERVISOR_METRICS_H
#define SUPERVISOR_METRICS_H

#include "jumpbox/server_state.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* look is called when it asks. */
void metrics_start(int config_fd, void (*look)(struct server_state *s));
int64_t metrics_tick(int64_t now);
bool metrics_reaped(pid_t pid, int status);
void metrics_retire(void);
bool metrics_gone(void);

#endif
