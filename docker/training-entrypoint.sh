#!/bin/sh
# python -m training, with the data sets of /data; what a run needs to go on is kept beside the models.
set -eu

case "${1:-}" in
train | finetune)
    command=$1
    shift
    set -- "$command" --data-dir /data --runs-dir models/.runs "$@"  # options of the caller's own come later, and count
    ;;
esac

# Started as root, it becomes the owner of the mounted models/: the new version must be writable there, and is theirs.
if [ "$(id -u)" = 0 ]; then
    export HOME=/tmp
    set -- setpriv --reuid "$(stat -c %u models)" --regid "$(stat -c %g models)" --clear-groups python -m training "$@"
else
    set -- python -m training "$@"
fi
exec "$@"
