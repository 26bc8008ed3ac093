/* The watcher of the database: started, listened to, started again when it dies.  Supervisor only. */
#ifndef SUPERVISOR_WATCHER_H
#define SUPERVISOR_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* on_policy is called when the database's policy changed. */
void watcher_start(int config_fd, void (*on_policy)(void));
int64_t watcher_tick(int64_t now);
bool watcher_reaped(pid_t pid, int status);
void watcher_retire(void);
bool watcher_gone(void);
int64_t watcher_heard(void); /* when it last gave a sign of life, or was started (monotonic) */

#endif
