/*
 * The ordered steps by which a role gives up what it does not need.  Root
 * is needed only for the user and the chroot; without it they are left out
 * and *left_out says so in words, for the log.
 */
#ifndef JUMPBOX_PRIVS_H
#define JUMPBOX_PRIVS_H

#include "jumpbox/errors.h"

#include <stddef.h>

#define SERVICE_USER "jumpbox"
#define SESSION_USER "jumpbox-session"

/*
 * Becomes `user` for good (with its supplementary groups), inside `jail` if
 * not NULL, with no_new_privs and non-dumpable.  Verifies that there is no
 * way back.  JB_CONFIG when the user or the jail does not exist.
 * left_out[size] is empty, or e.g. "user, chroot".
 */
int privs_drop(const char *user, const char *jail, char *left_out, size_t size, struct errtext *e);

/* JB_CONFIG if privs_drop() would refuse these; 0 without root. Nothing is given up. */
int privs_check(const char *user, const char *jail, struct errtext *e);

#endif
