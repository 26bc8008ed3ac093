/* Prometheus' text format, version 0.0.4.  jumpbox-metrics only. */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include <stdint.h>
#include <stdio.h>

enum { TEXT_LABELS = 3, TEXT_NUMBER = 32 };

struct label {
	const char *key, *value; /* key NULL: left out */
};

/* The lines before the samples of one metric. */
void text_head(FILE *f, const char *name, const char *type, const char *help);
/* One sample; suffix "" or "_bucket" and the like. */
void text_sample(FILE *f, const char *name, const char *suffix,
    const struct label labels[static TEXT_LABELS], const char *value);

/* A whole number, and milliseconds in seconds; dst is returned. */
const char *text_number(char dst[static TEXT_NUMBER], int64_t n);
const char *text_seconds(char dst[static TEXT_NUMBER], int64_t ms);

#endif
