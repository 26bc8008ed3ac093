/*
 * Keys, out of the bytes that a terminal sends.  jumpbox-session; pure.
 *
 * Each terminal's own table is not asked: what the usual ones send for a key
 * differs, but no sequence means two keys, so that one table reads all.
 */
#include "ui_input.h"

#include "jumpbox/text.h"

#include <string.h>

/* What follows the escape, without its modifiers. */
static const struct sequence {
	const char *text;
	int32_t key;
} sequences[] = {
	/* cursor keys: normal, application mode */
	{ "[A", K_UP },
	{ "[B", K_DOWN },
	{ "[C", K_RIGHT },
	{ "[D", K_LEFT },
	{ "OA", K_UP },
	{ "OB", K_DOWN },
	{ "OC", K_RIGHT },
	{ "OD", K_LEFT },
	/* xterm; linux, screen and tmux; rxvt */
	{ "[H", K_HOME },
	{ "[F", K_END },
	{ "OH", K_HOME },
	{ "OF", K_END },
	{ "[1~", K_HOME },
	{ "[4~", K_END },
	{ "[7~", K_HOME },
	{ "[8~", K_END },
	{ "[2~", K_INSERT },
	{ "[3~", K_DELETE },
	{ "[5~", K_PGUP },
	{ "[6~", K_PGDN },
	/* the keypad of a vt100 in application mode */
	{ "OM", K_ENTER },
	{ "Op", '0' },
	{ "Oq", '1' },
	{ "Or", '2' },
	{ "Os", '3' },
	{ "Ot", '4' },
	{ "Ou", '5' },
	{ "Ov", '6' },
	{ "Ow", '7' },
	{ "Ox", '8' },
	{ "Oy", '9' },
};

/* xterm writes modifiers as a second number ("[1;5A"), before which a 1 says nothing. */
static int32_t
meaning(char *text)
{
	char *more = strchr(text, ';');
	size_t n = strlen(text);

	if (more != NULL) {
		more[0] = text[n - 1];
		more[1] = '\0';
	}
	if (strncmp(text, "[1", 2) == 0 && text[2] >= 'A' && text[2] <= 'Z')
		memmove(text + 1, text + 2, strlen(text + 2) + 1);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (strcmp(text, sequences[i].text) == 0)
			return sequences[i].key;
	return K_OTHER;
}

/* Whether ESC and what follows are whole: ESC [ ... final, ESC [ [ letter (linux), ESC O letter. */
static bool
sequence_whole(const struct ui_input *in)
{
	char last = in->held[in->n - 1];

	if (in->n < 3)
		return false;
	if (in->held[1] == 'O' || (in->n == 4 && in->held[2] == '['))
		return true;
	return last >= '@' && last <= '~' && !(in->n == 3 && last == '[');
}

static size_t
in_sequence(struct ui_input *in, uint8_t byte, int32_t key[static INPUT_KEYS])
{
	int32_t next[INPUT_KEYS];
	size_t n;

	if (byte < 0x20 || byte >= 0x7f || (in->n == 1 && byte != '[' && byte != 'O')) {
		/* A key of its own: there is no key here that is an escape and another one. */
		key[0] = ui_input_give_up(in);
		n = ui_input_feed(in, byte, next); /* with nothing held: one at most */
		key[1] = n > 0 ? next[0] : K_OTHER;
		return 1 + n;
	}
	if (in->n == INPUT_SEQUENCE) {
		in->n = 0;
		key[0] = K_OTHER;
		return 1;
	}
	in->held[in->n++] = (char)byte;
	if (!sequence_whole(in))
		return 0;
	in->held[in->n] = '\0';
	in->n = 0;
	key[0] = meaning(in->held + 1);
	return 1;
}

static size_t
character_bytes(uint8_t first)
{
	return first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
}

/* Bytes that make no character are dropped. */
static size_t
in_character(struct ui_input *in, uint8_t byte, int32_t key[static INPUT_KEYS])
{
	if (in->n > 0 && (byte & 0xc0) != 0x80) {
		in->n = 0;
		return ui_input_feed(in, byte, key);
	}
	in->held[in->n++] = (char)byte;
	in->held[in->n] = '\0';
	if (in->n < character_bytes((uint8_t)in->held[0]))
		return 0;
	in->n = 0;
	text_decode(in->held, &key[0]);
	return key[0] >= 0 && !text_unsafe(key[0]);
}

size_t
ui_input_feed(struct ui_input *in, uint8_t byte, int32_t key[static INPUT_KEYS])
{
	bool after_cr = in->cr;

	in->cr = byte == '\r';
	if (in->n > 0 && in->held[0] == 27)
		return in_sequence(in, byte, key);
	if (in->n > 0 || byte >= 0x80)
		return in_character(in, byte, key);
	if (byte == 27) {
		in->held[in->n++] = 27;
		return 0;
	}
	if (byte == '\0' || (byte == '\n' && after_cr))
		return 0;
	key[0] = byte == 0x7f || byte == '\b' ? K_BACKSPACE : byte == '\n' ? K_ENTER : byte;
	return 1;
}

int
ui_input_wait(const struct ui_input *in)
{
	return in->n == 0 ? 0 : in->n == 1 && in->held[0] == 27 ? INPUT_ESC_MS : INPUT_MORE_MS;
}

int32_t
ui_input_give_up(struct ui_input *in)
{
	size_t n = in->n;

	in->n = 0;
	return n == 1 && in->held[0] == 27 ? K_ESC : K_OTHER;
}
