#!/bin/sh
# python -m training, with the data of /data where it is mounted, else with MNIST as Keras downloads it.
set -eu

if [ "${1:-}" = train ] && [ -e /data/mnist.npz ]; then
    shift
    set -- train --data-dir /data "$@"  # a --data-dir of the caller's own comes later, and counts
fi

# Started as root, it becomes the owner of the mounted models/: the new version must be writable there, and is theirs.
if [ "$(id -u)" = 0 ]; then
    export HOME=/tmp
    set -- setpriv --reuid "$(stat -c %u models)" --regid "$(stat -c %g models)" --clear-groups python -m training "$@"
else
    set -- python -m training "$@"
fi
exec "$@"
