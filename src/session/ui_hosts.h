/* Containers as a client's ssh names them.  Pure. */
#ifndef SESSION_UI_HOSTS_H
#define SESSION_UI_HOSTS_H

#include "jumpbox/buf.h"
#include "ui_model.h"

/* One Host block of ssh_config(5) for each that is shown. */
void ui_hosts(
    const struct ui_model *m, const char *user, const char *server, unsigned port, struct buf *out);

/* "USER+NAME", or "USER+NODE+NAME" where the name is not enough, with that separator. */
void ui_hosts_login(const struct ui_model *m, const struct ui_entry *e, const char *user,
    char separator, char *dst, size_t size);

#endif
