/* The recordings, for `check`. */
#ifndef CTL_RECORDING_CHECK_H
#define CTL_RECORDING_CHECK_H

#include "jumpbox/config.h"
#include "jumpbox/errors.h"

/* 0, or JB_UNAVAILABLE: no terminal could be recorded. The sentence is in e both times. */
int recording_check(const struct config *c, struct errtext *e);

#endif
