/*
 * A QR code drawn in text.  jumpbox-session; pure.
 *
 * Dark on light whatever the terminal's own colours are.  Half blocks make
 * modules square and halve the rows: version 5 takes 41 columns and 21 rows.
 * Without colours the pairs of blanks still show, as reverse video.
 */
#include "qr.h"

#include <string.h>

enum { MARGIN = 2 };

#define PAPER "\033[0;30;47m" /* ink is the foreground */
#define LIGHT "\033[0;37;40;7m"
#define DARK  "\033[0;37;40m"
#define PLAIN "\033[0m\n"

static void
add(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s));
}

/* Outside of the code it is light. */
static bool
dark(const uint8_t *modules, unsigned side, unsigned x, unsigned y)
{
	return x >= MARGIN && y >= MARGIN && x < side + MARGIN && y < side + MARGIN &&
	    modules[(y - MARGIN) * side + x - MARGIN] != 0;
}

static void
half_blocks(const uint8_t *modules, unsigned side, struct buf *out)
{
	static const char *const block[] = { " ", "\u2580", "\u2584", "\u2588" };
	unsigned n = side + 2 * MARGIN;

	for (unsigned y = 0; y < n; y += 2) {
		add(out, PAPER);
		for (unsigned x = 0; x < n; x++)
			add(out,
			    block[dark(modules, side, x, y) + 2 * dark(modules, side, x, y + 1)]);
		add(out, PLAIN);
	}
}

static void
blanks(const uint8_t *modules, unsigned side, struct buf *out)
{
	unsigned n = side + 2 * MARGIN;

	for (unsigned y = 0; y < n; y++) {
		for (unsigned x = 0; x < n; x++) {
			add(out, dark(modules, side, x, y) ? DARK : LIGHT);
			add(out, "  ");
		}
		add(out, PLAIN);
	}
}

bool
qr_draw(
    const uint8_t *modules, unsigned side, unsigned cols, unsigned rows, bool utf8, struct buf *out)
{
	unsigned n = side + 2 * MARGIN;

	if (side == 0 || (utf8 ? n > cols || (n + 1) / 2 > rows : 2 * n > cols || n > rows))
		return false;
	(utf8 ? half_blocks : blanks)(modules, side, out);
	return true;
}
