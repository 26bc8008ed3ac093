/*
 * What a session or an operator hands over as a key: the request that a
 * user's signature covers, and a public key line.
 */
#include "jumpbox/keys.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auth_request r;
	struct errtext e;
	struct pubkey k;
	char *line;

	if (auth_request_parse(data, size, &r) == 0) {
		/* every view lies within the bytes */
		if (r.blob < data || r.blob + r.blob_len > data + size || r.session_id < data ||
		    r.session_id + r.session_id_len > data + size)
			abort();
		(void)auth_request_verify(&r, data, size, data, size < 64 ? size : 64);
	}
	line = malloc(size + 1);
	if (!line)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (pubkey_parse(line, &k, &e) == 0) {
		if (!k.algorithm || !k.base64 || !k.comment || k.blob_len == 0)
			abort();
		pubkey_release(&k);
	}
	free(line);
	return 0;
}
