/* A short text that is typed.  jumpbox-session; pure. */
#include "ui_edit.h"

#include "jumpbox/text.h"

#include <string.h>

bool
ui_edit_add(char *text, size_t size, int32_t cp)
{
	char one[TEXT_CHAR_MAX];
	size_t n = strlen(text), len = text_encode(one, cp);

	if (n + len >= size)
		return false;
	memcpy(text + n, one, len);
	text[n + len] = '\0';
	return true;
}

/* All bytes of it. */
void
ui_edit_erase(char *text)
{
	size_t n = strlen(text);

	while (n > 1 && ((uint8_t)text[n - 1] & 0xc0) == 0x80)
		n--;
	text[n > 0 ? n - 1 : 0] = '\0';
}

void
ui_edit_erase_word(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == ' ')
		text[--n] = '\0';
	while (n > 0 && text[n - 1] != ' ')
		text[--n] = '\0';
}
