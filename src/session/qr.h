/* A QR code drawn in text.  Pure. */
#ifndef SESSION_QR_H
#define SESSION_QR_H

#include "jumpbox/buf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * side x side modules, one byte each, 1 is dark; light margin around them.
 * Drawn in half blocks, or where there are none in pairs of blanks.  False: it
 * does not fit into so many columns and rows, and nothing was drawn.
 */
bool qr_draw(const uint8_t *modules, unsigned side, unsigned cols, unsigned rows, bool utf8,
    struct buf *out);

#endif
