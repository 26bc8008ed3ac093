/*
 * RUN-DIRECTORY/jumpboxd.pid, locked for as long as a supervisor runs: a
 * second one over the same directory is refused.
 */
#ifndef SUPERVISOR_PIDFILE_H
#define SUPERVISOR_PIDFILE_H

#include "jumpbox/errors.h"

/*
 * Opens, locks and writes it.  inherited: the locked descriptor that the
 * program handed to itself, or -1; it is kept if it is this same file and
 * closed otherwise.  *fd is CLOEXEC.
 */
int pidfile_open(const char *run_directory, int inherited, int *fd, struct errtext *e);
/* Removes the file, then gives up the lock. */
void pidfile_close(const char *run_directory, int fd);

#endif
