/* session replay and session watch, for the table of session commands. */
#ifndef CTL_REPLAY_H
#define CTL_REPLAY_H

#include "ctl.h"

#include "jumpbox/cast.h"

extern const struct ctl_opt replay_opts[];
int replay_prepare(struct ctl *c);
int replay_exec(struct ctl *c);
int watch_prepare(struct ctl *c);
int watch_exec(struct ctl *c);

/* ---- screen.c ---------------------------------------------------------- */

/*
 * Plays on the terminal that is standard input and output, until its end or a
 * key that leaves; the terminal is afterwards as it was.  *left: by a key.
 */
enum player_state screen_play(struct player *p, bool *left);
/* Its size; false: it has none. */
bool screen_size(unsigned *cols, unsigned *rows);

#endif
