/*
 * The steps that every long-lived role takes after the supervisor has started
 * it; its first file says in which order.  What goes wrong here is fatal:
 * nothing is served yet.
 */
#ifndef JUMPBOX_ROLE_H
#define JUMPBOX_ROLE_H

#include "jumpbox/config.h"

#include <signal.h>

/* The configuration from ROLE_CONFIG_FD, which is closed, and the log by it. */
void role_begin(const char *role, struct config *c);

/*
 * Ignores what is not for a role: a broken pipe, and a terminal's SIGINT and
 * SIGHUP, which reach the whole process group and are the supervisor's to act
 * on.  The signals of the set are blocked and come from the descriptor.
 */
int role_signals(const sigset_t *set);

/* privs_drop(), with a log line that says what had to be left out without root. */
void role_confine(const char *user, const char *jail);

#endif
