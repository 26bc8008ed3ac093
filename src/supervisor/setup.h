/* What has to be there before the first connection.  Supervisor only. */
#ifndef SUPERVISOR_SETUP_H
#define SUPERVISOR_SETUP_H

#include "jumpbox/config.h"

#include <stdint.h>

/* The first start makes an RSA key and migrates; later the service manager's watchdog waits. */
enum { PREPARE_FIRST_MS = 120000, PREPARE_AGAIN_MS = 10000 };

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
 * Runs `jumpbox-broker prepare`: database, host keys, self-checks.  0 and the
 * public host keys as a sealed file in memory, or the error with which it
 * ended; it has said why on standard error.
 */
int setup_prepare(int config_fd, int timeout_ms, int *keys_fd);

#endif
