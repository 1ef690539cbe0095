#!/bin/sh
# Checks .github/workflows with actionlint: the one on PATH, else the one that actionlint/go.mod pins, which go builds once
# and keeps in its cache. Without shellcheck, so that every machine gives the same answer.
set -- -shellcheck= -pyflakes= "$PWD"/.github/workflows/*.yml
if command -v actionlint >/dev/null; then exec actionlint "$@"; fi
if command -v go >/dev/null; then exec go -C scripts/actionlint tool actionlint "$@"; fi
echo 'Neither actionlint nor go: install Go 1.26 or newer (https://go.dev/dl)' >&2
exit 1
