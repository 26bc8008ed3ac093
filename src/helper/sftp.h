/*
 * The SFTP server of jumpbox-helper.  `sftp [ro]`, argv[0] being "sftp": serves descriptors 0 and 1
 * to the end of its input, as one process of the user whose files they are; relative paths begin
 * where it was started.  What it did is said on descriptor 2 (note.c).  Returns the exit code.
 */
#ifndef JUMPBOX_HELPER_SFTP_H
#define JUMPBOX_HELPER_SFTP_H

int sftp_main(int argc, char **argv);

#endif
