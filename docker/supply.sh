#!/bin/sh
# Writes into a folder, the third argument, what an image ships: sbom.cdx.json (CycloneDX) from its requirement file, the
# first, and licences.txt, the licences and their texts, of what its virtual environment, the second, holds.
set -eu
mkdir -p "$3"
/opt/supply/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file "$3/sbom.cdx.json" "$1"
/opt/supply/bin/pip-licenses --python "$2/bin/python" --from=mixed --format=plain-vertical --with-license-file \
    --no-license-path --with-urls --output-file="$3/licences.txt"
cp LICENSE "$3/copyright"
chmod -R u=rwX,go=rX "$3"
