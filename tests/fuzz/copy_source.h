/* copy_out(), with descriptors of one's own. */
#ifndef JUMPBOX_FUZZ_COPY_SOURCE_H
#define JUMPBOX_FUZZ_COPY_SOURCE_H

int copy_source(const char *path, int to, int notes_to);

#endif
