#!/bin/sh
# Replaces the replicas behind nginx one after the other, under load, without losing a request: by the image and the
# environment that there are now, so for instance `DIGIT_OCR_MODEL_VERSION=1.0.0 docker/roll.sh`.
#
# A new replica is started before an old one is stopped. The old one answers what it accepted, and nginx sends the rest
# elsewhere. COMPOSE (`docker compose`) is the command, with its options. Ends with 1 where a new replica does not get
# ready: the old ones go on then.
set -eu
compose=${COMPOSE:-docker compose}

old=$($compose ps --quiet replica)
[ -n "$old" ] || { echo "roll: there are no replicas; docker compose up nginx starts them" >&2; exit 1; }
count=$(echo "$old" | wc -l)

$compose up --detach --no-deps --no-recreate --scale "replica=$((count * 2))" replica
new=$($compose ps --quiet replica)
for container in $old; do
    new=$(echo "$new" | grep -v "$container")
done

for container in $new; do
    seconds=0
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; do
        seconds=$((seconds + 1))
        if [ "$seconds" -gt 120 ] || [ "$(docker inspect --format '{{.State.Running}}' "$container")" != true ]; then
            echo "roll: a new replica does not get ready; the old ones go on. It said:" >&2
            docker logs --tail 5 "$container" >&2
            docker rm --force $new >/dev/null
            exit 1
        fi
        sleep 1
    done
done

for container in $old; do
    docker stop --time 30 "$container" >/dev/null # longer than DIGIT_OCR_SHUTDOWN_GRACE_S
    docker rm "$container" >/dev/null
done
echo "roll: replaced $count replicas"
