/* What there is to know of a container, as a person reads it, and as JSON.  Pure. */
#ifndef SESSION_UI_DETAILS_H
#define SESSION_UI_DETAILS_H

#include "jumpbox/buf.h"
#include "jumpbox/proto.h"

#include <stddef.h>
#include <stdint.h>

struct ui_detail {
	uint32_t key; /* enum detail_key; what is not one is not shown */
	char *value;  /* foreign text */
};
struct ui_details {
	struct ui_detail *row;
	size_t n;
};
void ui_details_release(struct ui_details *d);

/* In the order of the keys; rows of one key are one below the other. */
void ui_details_text(const struct ui_details *d, struct buf *out);
/* One object with every key, whatever is known. */
void ui_details_json(const struct ui_details *d, struct buf *out);

#endif
