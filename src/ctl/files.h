/* Whole files, for backup and restore. */
#ifndef JUMPBOX_CTL_FILES_H
#define JUMPBOX_CTL_FILES_H

#include <stdbool.h>

/* Copies from one descriptor to the other until the end, then fsyncs; -1 and errno. */
int files_copy(int from, int to);
/* What SQLite keeps beside a database file, and with `self` the file too. */
void files_remove(const char *database, bool self);
/* Some of it is there, and not empty: FILE-wal or FILE-journal. */
bool files_has_log(const char *database);
/* Makes a rename in that file's directory last. */
void files_sync_directory(const char *file);

#endif
