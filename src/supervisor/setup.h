/* What has to be there before the first connection.  Supervisor only. */
#ifndef SUPERVISOR_SETUP_H
#define SUPERVISOR_SETUP_H

#include "jumpbox/config.h"

#include <stdint.h>

/* Raises the limit on open files to what is allowed, and returns it. */
uint64_t setup_open_files(void);

/*
 * Makes the run directory and the jail if they are missing (not their
 * parents).  The run directory is root's, with the group of the brokers, who
 * make lock files in it but, it being sticky, cannot remove root's.
 * JB_CONFIG and what to do.
 */
int setup_directories(const struct config *c, struct errtext *e);

/* The effective configuration as a sealed file in memory. */
int setup_config_fd(const struct config *c);

/*
 * Runs `jumpbox-broker prepare`: database, host keys, self-checks; `again`,
 * for a server that runs, makes nothing.  0 and the public host keys as a
 * sealed file in memory, or the error with which it ended and why.
 */
int setup_prepare(int config_fd, bool again, int *keys_fd, struct errtext *e);

#endif
