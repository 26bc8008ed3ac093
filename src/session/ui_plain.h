/* The plain faces of the model: numbered list, `ls`, `ls --json`.  Pure: text into a buffer. */
#ifndef SESSION_UI_PLAIN_H
#define SESSION_UI_PLAIN_H

#include "jumpbox/buf.h"
#include "ui_model.h"

/*
 * The rows, aligned, within `width` columns (0: as wide as they are); lines end in \n.  now: unix
 * seconds, for how long they have been up.
 */
void ui_plain_rows(const struct ui_model *m, unsigned width, int64_t now, struct buf *out);

/* A JSON array of objects, one for each that is shown. */
void ui_plain_json(const struct ui_model *m, struct buf *out);

#endif
