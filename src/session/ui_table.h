/* Rows of cells as a person reads them, and as JSON.  Pure. */
#ifndef SESSION_UI_TABLE_H
#define SESSION_UI_TABLE_H

#include "jumpbox/buf.h"
#include "jumpbox/proto.h"
#include "jumpbox/words.h"

#include <stdbool.h>
#include <stddef.h>

enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_TIME, CELL_YESNO, CELL_WORD, CELL_GRANT };

struct table_column {
	const char *key; /* in JSON */
	enum word title;
	enum cell_kind kind;
	bool last; /* comes at the end of a line, whatever its width */
};

/* What a query answers: a list of rows, or of pairs of a key and a text. */
struct table_kind {
	const struct table_column *column;
	unsigned ncols;
	bool pairs;
};
/* NULL: there is no such query. */
const struct table_kind *table_kind_of(enum query what);

/* Cells are foreign text, ncols of them a row. */
struct table {
	const struct table_kind *kind;
	char **cell;
	size_t n, room; /* cells */
};
void table_init(struct table *t, const struct table_kind *kind);
void table_add(struct table *t, char *cell); /* malloc'd, the table's from here on */
void table_release(struct table *t);

void table_text(const struct table *t, struct buf *out);
void table_json(const struct table *t, struct buf *out);

#endif
