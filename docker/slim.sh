#!/bin/sh
# Takes from a virtual environment, the argument, what a running service never reads; half a gigabyte with TensorFlow.
set -eu
cd "$1"/lib/python3.*/site-packages

# Headers for those who compile against TensorFlow; LiteRT for graphics processors, for phones' chips and for compilers.
rm -rf tensorflow/include ai_edge_litert/libLiteRtWebGpuAccelerator.so ai_edge_litert/aot ai_edge_litert/tools \
    ai_edge_litert/vendors
# Tests of others, and what only type checkers and compilers read or do.
rm -rf numpy/f2py
find . -type d -name tests -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.a' \) -delete
# AVIF is no format of the service, and it writes no text on images.
rm -f PIL/_avif.*.so PIL/_imagingft.*.so pillow.libs/libavif-* pillow.libs/libfreetype-* pillow.libs/libharfbuzz-*
# Symbols that a debugger would read.
find . -type f -name '*.so*' -exec strip --strip-unneeded {} +
