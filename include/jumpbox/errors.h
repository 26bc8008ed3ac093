/*
 * One set of error codes for the whole program: the negative of the exit
 * code that a person or a script sees (sysexits.h).  Functions return 0 or
 * one of these; -err is the exit status.
 */
#ifndef JUMPBOX_ERRORS_H
#define JUMPBOX_ERRORS_H

#include "jumpbox/words.h"

enum jb_err {
	JB_USAGE = -64,	      /* wrong arguments, or an ambiguous name */
	JB_BAD_INPUT = -65,   /* well-formed request, unacceptable value */
	JB_NOT_FOUND = -66,   /* no such thing, or not granted */
	JB_UNAVAILABLE = -69, /* database, node or container cannot be reached */
	JB_INTERNAL = -70,    /* out of memory, broken invariant */
	JB_EXISTS = -73,      /* already there */
	JB_TRY_AGAIN = -75,   /* busy, cancelled or timed out */
	JB_DENIED = -77,      /* known, but not permitted */
	JB_CONFIG = -78,      /* configuration error */
};

/*
 * The sentence that goes with an error, for a person: what failed, on what,
 * why, what to do next.  Twice: s is the operator's (log, audit, jumpboxctl)
 * and always English; say is the user's, in the language that this process
 * speaks, and never anything but a row of the catalogue.  Owned by the caller,
 * filled by the callee.
 */
struct errtext {
	char s[256];
	char say[256];
};

/*
 * Both fill e (which may be NULL) and return code, so that a failing function
 * ends in one line.  The first is for what a user may be told; of the second
 * a user hears no more than that something failed.
 */
int err_words(
    struct errtext *e, int code, enum word w, const char *a1, const char *a2, const char *a3);
int err_set(struct errtext *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
