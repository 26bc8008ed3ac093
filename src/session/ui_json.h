/* JSON as the session writes it: foreign text is made safe first.  Pure. */
#ifndef SESSION_UI_JSON_H
#define SESSION_UI_JSON_H

#include "jumpbox/buf.h"

#include <stdint.h>

void json_text(struct buf *out, const char *s);
/* "key": with a comma before it unless it is the first. */
void json_key(struct buf *out, const char *key, unsigned *n);
void json_string(struct buf *out, const char *key, const char *value, unsigned *n);
void json_number(struct buf *out, const char *key, uint64_t value, unsigned *n);
/* Text of the program's own. */
void json_raw(struct buf *out, const char *s);

#endif
