/*
 * Keys out of a terminal's bytes: no more keys than bytes, none of them unsafe
 * to show, and a key that is pressed afterwards is seen.
 */
#include "fuzz.h"

#include "../../src/session/ui_input.h"

#include "jumpbox/text.h"

static void
check_key(int32_t key)
{
	check(key > 0 && key <= K_OTHER);
	check(key < ' ' || key >= K_UP || !text_unsafe(key));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ui_input in = { 0 };
	int32_t key[INPUT_KEYS];
	size_t n, seen = 0;

	for (size_t i = 0; i < size; i++) {
		n = ui_input_feed(&in, data[i], key);
		check(n <= INPUT_KEYS);
		for (size_t k = 0; k < n; k++)
			check_key(key[k]);
		seen += n;
		check(in.n <= INPUT_SEQUENCE);
	}
	check(seen <= size);
	if (ui_input_wait(&in) > 0)
		check_key(ui_input_give_up(&in));
	check(ui_input_wait(&in) == 0);
	check(ui_input_feed(&in, 'q', key) == 1 && key[0] == 'q');
	return 0;
}
