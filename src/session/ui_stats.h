/* What containers use, as `docker stats` shows it.  Pure. */
#ifndef SESSION_UI_STATS_H
#define SESSION_UI_STATS_H

#include "jumpbox/buf.h"

#include <stddef.h>
#include <stdint.h>

/* As EVT_STATS carries them. */
struct ui_stats {
	uint64_t cpu; /* hundredths of a percent */
	uint64_t mem, mem_limit, net_rx, net_tx, blk_read, blk_write;
	uint32_t pids;
};

enum { UI_STATS_CELL = 24 };
/* "12.34%" */
char *ui_stats_percent(uint64_t hundredths, char dst[static UI_STATS_CELL]);
/* Powers of 1024 ("1.5MiB") for memory, of 1000 ("1.5MB") for what moves, as docker does. */
char *ui_stats_size(uint64_t bytes, char dst[static UI_STATS_CELL]);
char *ui_stats_moved(uint64_t bytes, char dst[static UI_STATS_CELL]);

/* The titles, and one line for a container, whose name takes `width` columns; s NULL: not known. */
void ui_stats_head(size_t width, struct buf *out);
void ui_stats_line(const char *name, const struct ui_stats *s, size_t width, struct buf *out);
void ui_stats_json(const char *name, const struct ui_stats *s, struct buf *out);

#endif
