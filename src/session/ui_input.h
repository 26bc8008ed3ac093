/*
 * Keys, out of the bytes that a terminal sends: characters, control keys and
 * the escape sequences of xterm, screen, tmux, linux, vt100 and rxvt.  Pure.
 */
#ifndef SESSION_UI_INPUT_H
#define SESSION_UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTRL_KEY(c) ((c)&0x1f)

/* A key is a character's code point, a control character, or one of these, beyond all characters. */
enum {
	K_ENTER = '\r',
	K_TAB = '\t',
	K_UP = 0x110000,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_HOME,
	K_END,
	K_PGUP,
	K_PGDN,
	K_INSERT,
	K_DELETE,
	K_BACKSPACE,
	K_ESC,
	K_OTHER, /* a key that means nothing here */
};

enum {
	INPUT_KEYS = 2,	     /* the most that one byte completes */
	INPUT_SEQUENCE = 23, /* a longer one is none */
	INPUT_ESC_MS = 25,   /* an escape with nothing after it for so long is the key itself */
	INPUT_MORE_MS = 500, /* what has begun to be a sequence may be on a slow line */
};

struct ui_input {
	char held[INPUT_SEQUENCE + 1]; /* of a character or a sequence that is not complete */
	size_t n;
	bool cr; /* the last byte was '\r': a '\n' right after it is the same key */
};

/* Takes one byte: how many keys it completes. */
size_t ui_input_feed(struct ui_input *in, uint8_t byte, int32_t key[static INPUT_KEYS]);
/* How long to wait for more before ui_input_give_up(); 0: nothing is held. */
int ui_input_wait(const struct ui_input *in);
/* Nothing has come: what is held is a key, or K_OTHER. */
int32_t ui_input_give_up(struct ui_input *in);

#endif
