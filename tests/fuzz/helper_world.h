/*
 * The container around a helper that is fuzzed: programs, names, peers of its
 * sockets, and a clock that moves when it waits.
 */
#ifndef JUMPBOX_FUZZ_HELPER_WORLD_H
#define JUMPBOX_FUZZ_HELPER_WORLD_H

#include <stdbool.h>
#include <stdint.h>

/* A new one: turn() is called whenever the helper waits, and says whether there was anything to do. */
void world_begin(bool (*turn)(void));
/* All that was started has been ended, and nothing is left of it. */
void world_end(void);
/* Clients for what listens there: path "": TCP. */
void world_visit(uint32_t port, const char *path);

#endif
