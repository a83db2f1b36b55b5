#!/bin/sh
# Runs a program within limits that the kernel enforces: CPU seconds, address space, size of written
# files, no core dump. In a script, because Node cannot set limits for a child. Where a system does
# not know a limit (macOS has no address-space limit), it goes without.
ulimit -c 0 2>/dev/null
ulimit -t "$MIST_LIMIT_CPU_S" 2>/dev/null
ulimit -v "$MIST_LIMIT_MEMORY_KB" 2>/dev/null
# In blocks of 512 bytes (POSIX).
ulimit -f "$MIST_LIMIT_FILE_BLOCKS" 2>/dev/null
# An empty environment: a decoder that is taken over finds no secrets in its own.
exec env -i PATH="$PATH" LC_ALL=C "$MIST_LIMITED_PROGRAM" "$@"
