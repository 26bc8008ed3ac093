/* What the service manager is told, over NOTIFY_SOCKET: sd_notify(3) without its library. */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

#include <stdint.h>

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC.  Without them the others do nothing. */
void notify_init(void);
void notify_send(const char *state); /* "READY=1" */
void notify_reloading(void);
/* Sends WATCHDOG=1 when it is time to, and returns when it will be next (0: never). */
int64_t notify_watchdog(int64_t now);

#endif
