#!/bin/sh
# Replaces the replicas behind nginx, under load, without losing a request: by the image and the environment that there
# are now, so for instance `DIGIT_OCR_MODEL_VERSION=1.12.0 docker/roll.sh`.
#
# New replicas are started before an old one is stopped. The old ones answer what they accepted, and nginx sends the rest
# elsewhere. COMPOSE (`docker compose`) is the command, with its options. Where a new replica does not get ready, it ends
# with 1; then, as where it is interrupted before all are ready, the new ones go and the old ones go on.
set -eu
compose=${COMPOSE:-docker compose}

# Those that crashed as well: compose starts them again, and they would pass for new ones.
old=$($compose ps --all --quiet replica)
[ -n "$old" ] || { echo "roll: there are no replicas; docker compose up nginx starts them" >&2; exit 1; }
count=$(echo "$old" | wc -l)

new_replicas() {
    $compose ps --all --quiet replica | grep -vF "$old" || true
}

remove() { # waits for longer than DIGIT_OCR_SHUTDOWN_GRACE_S
    docker stop --time 30 "$@" >/dev/null
    docker rm "$@" >/dev/null
}

take_back() {
    trap '' INT TERM
    new=$(new_replicas)
    [ -z "$new" ] || remove $new
}

trap take_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
$compose up --detach --no-deps --no-recreate --scale "replica=$((count * 2))" replica
for container in $(new_replicas); do
    seconds=0
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; do
        seconds=$((seconds + 1))
        if [ "$seconds" -gt 120 ] || [ "$(docker inspect --format '{{.State.Running}}' "$container")" != true ]; then
            echo "roll: a new replica does not get ready; the old ones go on. It said:" >&2
            docker logs --tail 5 "$container" >&2
            exit 1
        fi
        sleep 1
    done
done

trap - EXIT
trap '' INT TERM # some of each would be worse than a moment more
for container in $old; do
    remove "$container"
done
echo "roll: replaced $count replicas"
