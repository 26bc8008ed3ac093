/* Reading an engine's JSON, for the files that turn it into structs.  Pure; jansson. */
#ifndef DOCKER_JSON_H
#define DOCKER_JSON_H

#include "engine.h"

#include <jansson.h>

/* A stray NUL in a string does not make the rest unreadable. NULL: it is no JSON. */
json_t *json_foreign(const char *text, size_t n);
/* The string under key, or NULL when it is missing, no string, or holds a NUL. */
const char *json_text_of(const json_t *o, const char *key);
/* "2026-11-26T04:10:38.117Z" or with "+02:00", in Unix seconds; 0: none, or what never was. */
int64_t json_time(const char *s);

#endif
