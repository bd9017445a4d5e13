#!/bin/sh
# No code outside the namespaces `avx2`, `avx512` and `avx512bf16` uses their registers: not an inline function
# that two sets share and the linker took from the richer one, not an initialiser that runs when
# the library is loaded. On a machine without those registers it would end the process. (Clones of
# a function, which the compiler makes for one caller, are never shared.)
#
#   instruction_sets.sh libtidegate.so      exit status 77: there is no objdump to look with
set -eu
command -v objdump >/dev/null || exit 77
objdump --disassemble --demangle --no-show-raw-insn "$1" | awk '
  /^[0-9a-f]+ <.*>:$/ { name = $0; checked++ }
  name ~ /\[clone / { next }
  /%zmm|%ymm(1[6-9]|2[0-9]|3[01])|%k[1-7]/ && name !~ /avx512(bf16)?::/ { bad[name] }
  /%ymm/ && name !~ /avx(2|512(bf16)?)::/ { bad[name] }
  END {
    for (name in bad) { print "richer instructions than it may use: " name; failed = 1 }
    if (checked < 10) { print "no functions to look at: was the library stripped?"; failed = 1 }
    exit failed
  }'
