#!/bin/sh
# Builds the C library and lays it where the Python of this checkout looks for it.
#
#   native/build.sh         build
#   native/build.sh test    build, and run the native tests; WERROR=ON: warnings are errors
#   SANITIZE=address,undefined native/build.sh test    (or thread) the same with sanitizers; the
#                           library in use stays as it is
#
# Where there is no compiler it says so and is content: tidegate works without its library.
set -eu
cd "$(dirname "$0")/.."
SANITIZE=${SANITIZE:-}
BUILD=build/native${SANITIZE:+-$(echo "$SANITIZE" | tr , -)}

found=
for compiler in ${CXX:-c++ g++ clang++}; do
  if command -v "$compiler" >/dev/null; then found=$compiler; break; fi
done
if [ -z "$found" ]; then
  echo "tidegate: no C++ compiler here, so PyTorch alone runs the nets, slower. With g++ or" \
    "clang++ installed, the same command builds the C library." >&2
  exit 0
fi

if [ -z "${CMAKE_GENERATOR:-}" ] && command -v ninja >/dev/null; then
  export CMAKE_GENERATOR=Ninja
fi
set -- "${1:-build}" -DTIDEGATE_SANITIZE="$SANITIZE"
case $1 in
  build) target=tidegate ;;
  test) target=all; set -- "$@" -DTIDEGATE_TESTS=ON ;;
  *) echo "native/build.sh: build or test, not $1" >&2; exit 2 ;;
esac
if [ -n "${WERROR:-}" ]; then set -- "$@" -DTIDEGATE_WERROR="$WERROR"; fi
command=$1
shift

mkdir -p "$BUILD"
cmake -S . -B "$BUILD" "$@" >"$BUILD/configure.log" || { cat "$BUILD/configure.log" >&2; exit 1; }
cmake --build "$BUILD" --parallel "${JOBS:-2}" --target $target
if [ -z "$SANITIZE" ]; then
  cmake --install "$BUILD" --prefix src --strip >/dev/null
fi
if [ "$command" = test ]; then
  # ThreadSanitizer of older compilers fails where addresses are drawn from too wide a range.
  fixed="setarch $(uname -m) --addr-no-randomize"
  case $SANITIZE in
    thread) $fixed true 2>/dev/null || fixed= ;;
    *) fixed= ;;
  esac
  (cd "$BUILD" && $fixed ctest --output-on-failure)
fi
