#!/usr/bin/env bash
# Builds plot.min.js from npm's packages, with the licences of all that is in it at its head.
# For a newer release: change the versions here, run this, look at the page, run the tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @observablehq/plot@0.6.17 esbuild@0.28.2
cp "$here/parts.js" "$here/licences.mjs" .
npx esbuild parts.js --bundle --minify --target=es2020 --format=iife --global-name=Plot \
    --legal-comments=none --metafile=bundled.json --outfile=bundle.js --log-level=warning
node licences.mjs >"$here/LICENCES.txt"
{ printf '/*\n' && cat "$here/LICENCES.txt" && printf '*/\n' && cat bundle.js; } >"$here/plot.min.js"
