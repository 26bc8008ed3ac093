/* The numbers that are told, one table row each.  jumpbox-metrics only. */
#ifndef METRICS_NUMBERS_H
#define METRICS_NUMBERS_H

#include "jumpbox/server_state.h"
#include "jumpbox/store.h"

#include <stdio.h>

/*
 * All of them as text.  st NULL: the database does not answer, and its numbers
 * are left out; its path says where the recordings are.
 */
void numbers_print(
    FILE *f, const struct server_state *server, struct store *st, const char *database);

#endif
