/* JSON as the session writes it: foreign text is made safe first.  Pure. */
#ifndef SESSION_UI_JSON_H
#define SESSION_UI_JSON_H

#include "jumpbox/buf.h"

#include <stdint.h>

void ui_json_text(struct buf *out, const char *s);
/* "key": with a comma before it unless it is the first. */
void ui_json_key(struct buf *out, const char *key, unsigned *n);
void ui_json_string(struct buf *out, const char *key, const char *value, unsigned *n);
void ui_json_number(struct buf *out, const char *key, uint64_t value, unsigned *n);
/* Text of the program's own. */
void ui_json_raw(struct buf *out, const char *s);

#endif
