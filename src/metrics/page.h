/*
 * jumpbox-metrics is two processes: one reads the database, the other speaks
 * HTTP in a jail and has nothing to lose.  Between them, over a SOCK_SEQPACKET
 * pair:
 *
 *	front -> reader   PAGE_ASK   u32 which
 *	reader -> front   PAGE_GIVE  u32 status, fd   (a file in memory: the body)
 *
 * End of file is the other's end.
 */
#ifndef METRICS_PAGE_H
#define METRICS_PAGE_H

#include "jumpbox/config.h"

enum page_type { PAGE_ASK = 1, PAGE_GIVE };

enum page { PAGE_HEALTH = 1, PAGE_METRICS };

enum { OK = 200, UNAVAILABLE = 503 };

/* front.c: answers requests until the other one has gone. */
void front_serve(int listener, int reader);

/* reader.c: until the supervisor or the front has gone, or SIGTERM comes. */
void reader_serve(const struct config *c, int supervisor, int front, int sigfd);

#endif
