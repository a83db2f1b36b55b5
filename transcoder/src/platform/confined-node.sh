#!/bin/sh
# Runs Node within limits that the kernel enforces: CPU seconds, size of written files, no core dump.
# Memory is watched by whoever started it, since V8 reserves gigabytes of address space that it never
# touches, and a limit on those would kill it at once. Where a system does not know a limit, it goes
# without.
ulimit -c 0 2>/dev/null
ulimit -t "$MIST_LIMIT_CPU_S" 2>/dev/null
# In blocks of 512 bytes (POSIX).
ulimit -f "$MIST_LIMIT_FILE_BLOCKS" 2>/dev/null
# An empty environment: a decoder that is taken over finds no secrets in its own.
exec env -i PATH="$PATH" LC_ALL=C UV_THREADPOOL_SIZE=2 "$@"
