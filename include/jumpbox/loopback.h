/* ADDRESS:PORT of this machine to itself: what is served there is nobody else's to ask.  Pure. */
#ifndef JUMPBOX_LOOPBACK_H
#define JUMPBOX_LOOPBACK_H

#include "jumpbox/errors.h"

#include <sys/socket.h>

/*
 * `127.0.0.1:9026`, or any other address of 127.0.0.0/8, or `[::1]:9026`.
 * JB_CONFIG and why for every other text; to may be NULL.
 */
int loopback_parse(
    const char *text, struct sockaddr_storage *to, socklen_t *len, struct errtext *e);

#endif
