/* TLS material of a node, looked at before it is stored. Pure. */
#ifndef JUMPBOX_CTL_PEM_H
#define JUMPBOX_CTL_PEM_H

#include "jumpbox/errors.h"

#include <stdint.h>

/*
 * JB_BAD_INPUT and what is wrong, if text is not what a node's setting of
 * that name ("ca", "cert", "key") must hold.
 */
int pem_check(const char *setting, const char *text, struct errtext *e);
/* When the certificate in it expires (unix seconds); 0: there is none. */
int64_t pem_expiry(const char *text);
/* The private key is not that certificate's. */
int pem_check_pair(const char *cert, const char *key, struct errtext *e);

#endif
