/* From the first zygote to the end.  Supervisor only. */
#ifndef SUPERVISOR_RUN_H
#define SUPERVISOR_RUN_H

#include "jumpbox/config.h"
#include "listen.h"
#include "reexec.h"

struct run {
	struct reexec reexec;
	struct config config;
	struct listeners listeners;
	int lock_fd, config_fd, keys_fd;
	uint64_t open_files;
};

/* Blocks the signals that are waited for, so that none is lost before run_start. */
void run_block_signals(void);

/* Starts zygotes and watcher and waits until connections can be served, or a signal is there for
 * run_serve to act upon.  JB_UNAVAILABLE if they cannot. */
int run_start(struct run *r);

/* Serves until a signal ends it, in the order that jumpboxd(8) tells. */
void run_serve(struct run *r);

#endif
