#!/bin/sh
# Puts the handwriting of package-lock.json, each font with its licence, into a folder: install.sh /usr/share/fonts/fontsource
set -eu

fonts=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$(dirname "$0")/package.json" "$(dirname "$0")/package-lock.json" "$work"
npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund
for package in "$work"/node_modules/@fontsource/*; do
    install -D -m 644 -t "$fonts/$(basename "$package")" "$package/LICENSE" "$package"/files/*-latin-400-normal.woff
done
