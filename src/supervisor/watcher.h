/* The watchers: started, listened to, started again when they die.  Supervisor only. */
#ifndef SUPERVISOR_WATCHER_H
#define SUPERVISOR_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the watcher of the database has seen change. */
struct watcher_news {
	void (*policy)(void);
	void (*inventory)(void);
};

/* That of the database now, and those of the nodes as it tells of them.  news stays the caller's. */
void watcher_start(int config_fd, const struct watcher_news *news);
int64_t watcher_tick(int64_t now);
bool watcher_reaped(pid_t pid, int status);
void watcher_retire(void);
bool watcher_gone(void);
/* When that of the database last gave a sign of life, or was started (monotonic). */
int64_t watcher_heard(void);

#endif
