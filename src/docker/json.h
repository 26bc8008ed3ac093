/*
 * Reading an engine's JSON: what the files that do share.  Jansson's own types
 * stay behind engine.h.
 */
#ifndef DOCKER_JSON_H
#define DOCKER_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL when it is no JSON. */
json_t *json_read(const char *text, size_t n);
/* The string under key, or NULL when it is missing, no string, or holds a NUL. */
const char *json_str(const json_t *o, const char *key);
/* malloc'd; empty when there is none. */
char *json_str_copy(const json_t *o, const char *key);
/* String values only, as compact JSON text: "{}" for anything else.  malloc'd. */
char *json_labels(const json_t *labels);
/* "all", "count=2" or device ids of a HostConfig and Config; "" for none.  malloc'd. */
char *json_gpus(const json_t *host, const json_t *config);
bool json_id_copy(char id[static 65], const char *s);
/* "2026-11-26T04:10:38.117Z" or with "+02:00", in Unix seconds; 0: none, or what never was. */
int64_t json_time(const char *s);

#endif
