/*
 * What the files that act on the full-screen menu share.  An action is in one of
 * three tables: of the list, of pages, or of wherever else it is good.
 */
#ifndef SESSION_UI_ACTIONS_H
#define SESSION_UI_ACTIONS_H

#include "ui_menu.h"

/* Bits of enum ui_effect; NULL: not an action of theirs. */
extern unsigned (*const ui_list_actions[ACT_COUNT])(struct ui_menu *m, int32_t key);
extern unsigned (*const ui_page_actions[ACT_COUNT])(struct ui_menu *m, int32_t key);

/* The container of the number that is typed, or that under the cursor; NULL: there is none. */
const struct ui_entry *ui_menu_meant(const struct ui_menu *m);
/* A number that is complete shows its container, which may be filtered away. */
void ui_menu_show_typed(struct ui_menu *m);
unsigned ui_menu_ask(struct ui_menu *m, enum ui_question what);

#endif
