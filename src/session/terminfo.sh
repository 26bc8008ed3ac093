#!/bin/sh
# The terminals that the full-screen menu knows, as C: their entries compiled,
# for a session has no files.  Of what ncurses-base, which every Debian has, brings.
set -eu

echo '#include "ui_terms.h"'
echo
echo 'const struct ui_term ui_terms[] = {'
for term in xterm xterm-256color xterm-color screen screen-256color screen.xterm-256color tmux tmux-256color \
	linux vt100 vt102 vt220 rxvt rxvt-unicode rxvt-unicode-256color; do
	entry=$(infocmp -0 -Q2 "$term" | grep '^b64:')
	called=$(infocmp -1 "$term" | sed -n '/^[^#]/{s/|.*//p;q;}')
	printf '\t{ "%s", "%s", "%s" },\n' "$term" "$called" "$entry"
done
printf '\t{ 0, 0, 0 },\n};\n'
