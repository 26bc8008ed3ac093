/* What containers use, as `docker stats` shows it.  jumpbox-session; pure. */
#include "ui_stats.h"
#include "ui_json.h"

#include "jumpbox/text.h"
#include "jumpbox/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 6, ROOM = 96 };

/* Of each column behind the name. */
static const struct {
	enum word title;
	size_t width;
} columns[COLUMNS] = {
	{ W_STATS_CPU, 9 },
	{ W_STATS_MEM, 21 },
	{ W_STATS_MEM_SHARE, 8 },
	{ W_STATS_NET, 19 },
	{ W_STATS_BLOCK, 19 },
	{ W_STATS_PIDS, 5 },
};

char *
ui_stats_percent(uint64_t hundredths, char dst[static UI_STATS_CELL])
{
	snprintf(dst, UI_STATS_CELL, "%" PRIu64 ".%02u%%", hundredths / 100,
	    (unsigned)(hundredths % 100));
	return dst;
}

/* At most so many digits, as go-units writes them: 1.059MiB, 23.54GiB, 0B. */
static char *
scaled(uint64_t bytes, double base, int digits, const char *const *unit,
    char dst[static UI_STATS_CELL])
{
	double v = (double)bytes;
	unsigned i = 0;

	for (; v >= base && unit[i + 1] != NULL; i++)
		v /= base;
	snprintf(dst, UI_STATS_CELL, "%.*g%s", digits, v, unit[i]);
	return dst;
}

char *
ui_stats_size(uint64_t bytes, char dst[static UI_STATS_CELL])
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", NULL };

	return scaled(bytes, 1024, 4, unit, dst);
}

char *
ui_stats_moved(uint64_t bytes, char dst[static UI_STATS_CELL])
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB", "PB", NULL };

	return scaled(bytes, 1000, 3, unit, dst);
}

static void
put(struct buf *out, const char *text, size_t width, bool last)
{
	char fit[4 * ROOM];

	buf_add(out, text_fit(fit, sizeof(fit), text, width, !last),
	    strlen(text_fit(fit, sizeof(fit), text, width, !last)));
	buf_add(out, last ? "\n" : "  ", last ? 1 : 2);
}

void
ui_stats_head(size_t width, struct buf *out)
{
	char text[ROOM];

	put(out, words(text, sizeof(text), W_DETAIL_NAME, NULL, NULL, NULL), width, false);
	for (unsigned c = 0; c < COLUMNS; c++)
		put(out, words(text, sizeof(text), columns[c].title, NULL, NULL, NULL),
		    columns[c].width, c == COLUMNS - 1);
}

static void
both(char dst[static ROOM], const char *a, const char *b)
{
	snprintf(dst, ROOM, "%s / %s", a, b);
}

void
ui_stats_line(const char *name, const struct ui_stats *s, size_t width, struct buf *out)
{
	char cell[COLUMNS][ROOM], a[UI_STATS_CELL], b[UI_STATS_CELL], safe[4 * ROOM];

	for (unsigned c = 0; c < COLUMNS; c++)
		snprintf(cell[c], sizeof(cell[c]), "--");
	if (s != NULL) {
		ui_stats_percent(s->cpu, cell[0]);
		both(cell[1], ui_stats_size(s->mem, a), ui_stats_size(s->mem_limit, b));
		if (s->mem_limit > 0)
			ui_stats_percent(
			    (uint64_t)((double)s->mem / (double)s->mem_limit * 10000 + 0.5),
			    cell[2]);
		both(cell[3], ui_stats_moved(s->net_rx, a), ui_stats_moved(s->net_tx, b));
		both(cell[4], ui_stats_moved(s->blk_read, a), ui_stats_moved(s->blk_write, b));
		snprintf(cell[5], sizeof(cell[5]), "%u", s->pids);
	}
	put(out, text_safe(safe, sizeof(safe), name), width, false);
	for (unsigned c = 0; c < COLUMNS; c++)
		put(out, cell[c], columns[c].width, c == COLUMNS - 1);
}

void
ui_stats_json(const char *name, const struct ui_stats *s, struct buf *out)
{
	char cpu[UI_STATS_CELL];
	unsigned n = 0;

	snprintf(cpu, sizeof(cpu), "%" PRIu64 ".%02u", s->cpu / 100, (unsigned)(s->cpu % 100));
	ui_json_raw(out, "{");
	ui_json_string(out, "name", name, &n);
	ui_json_key(out, "cpu_percent", &n);
	ui_json_raw(out, cpu);
	ui_json_number(out, "memory", s->mem, &n);
	ui_json_number(out, "memory_limit", s->mem_limit, &n);
	ui_json_number(out, "net_rx", s->net_rx, &n);
	ui_json_number(out, "net_tx", s->net_tx, &n);
	ui_json_number(out, "block_read", s->blk_read, &n);
	ui_json_number(out, "block_write", s->blk_write, &n);
	ui_json_number(out, "pids", s->pids, &n);
	ui_json_raw(out, "}");
}
