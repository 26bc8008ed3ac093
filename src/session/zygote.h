/* The zygote's loop. */
#ifndef SESSION_ZYGOTE_H
#define SESSION_ZYGOTE_H

#include "session.h"

/* Forks a session for each connection; exits when the supervisor lets go. */
_Noreturn void zygote(const struct config *cfg, const struct texts *texts);

#endif
