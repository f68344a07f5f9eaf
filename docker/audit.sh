#!/bin/sh
# pip-audit, the first argument, over requirement files, the others. Fails where it finds something; where what is known
# of vulnerabilities cannot be reached, it says so.
set -eu
audit=$1
shift
for file; do
    if said=$("$audit" --disable-pip --require-hashes --progress-spinner off --requirement "$file" 2>&1); then
        case $said in
        *"could not be audited"*) echo "audit: $file: nothing is known here of some packages" ;;
        *) echo "audit: $file: no known vulnerability" ;;
        esac
    else
        case $said in
        *[Cc]onnect*) echo "audit: $file: what is known cannot be reached" ;;
        *) printf 'audit: %s:\n%s\n' "$file" "$said" >&2 && exit 1 ;;
        esac
    fi
done
