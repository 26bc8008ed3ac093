/* What of a client's words may go into a container's process. Pure. Session and broker. */
#ifndef JUMPBOX_CLIENT_H
#define JUMPBOX_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

/* LANG, LC_*, COLORTERM, NO_COLOR, GIT_*: letters, digits and _; a value without control characters. */
bool client_env_ok(const char *name, const char *value);
bool client_term_ok(const char *term);
/* A side of a terminal as asked for: 0 is the usual one, more than MAX_SIDE is that. */
unsigned client_cols(uint32_t n);
unsigned client_rows(uint32_t n);
/* The names of RFC 4254 section 6.10. */
bool client_signal_ok(const char *name);
/* A shell to run: a plain name or an absolute path, of letters, digits and _ . + - */
bool client_shell_ok(const char *shell);

/* SSH_AUTH_SOCK, which is no client's to send: the path that a helper has told. */
bool client_agent_ok(const char *name, const char *value);

#endif
