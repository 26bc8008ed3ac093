/* What every fuzz target begins with. */
#ifndef JUMPBOX_FUZZ_H
#define JUMPBOX_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Ends the run, and keeps its input, if a property does not hold. */
#define check(ok)                \
	do {                     \
		if (!(ok))       \
			abort(); \
	} while (0)

#endif
