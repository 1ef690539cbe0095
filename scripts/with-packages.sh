#!/bin/sh
# with-packages.sh COMMAND…: runs a command of package.json, after installing the npm packages where they are missing or
# older than package-lock.json. It must work in an empty clone and with any Node: what it installs brings the right one.

# An npm that only pretends, as in npm publish --dry-run, would let this one pretend too.
install() { npm ci --no-dry-run --no-audit --no-fund --loglevel=error >&2; }

# The node of node_modules/.bin where that has one: npm puts the folder in front of PATH before there is anything in it.
supported() {
  # shellcheck disable=SC2016 # it is JavaScript
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number)
    if (major > 22 || (major === 22 && minor >= 19)) process.exit(0)
    console.error(`Waybill needs Node 22.19 or newer, this is ${process.version}: install one from https://nodejs.org`)
    process.exit(1)
  '
}

# shellcheck disable=SC3013 # every sh knows -nt
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  # Two commands at once, in two terminals: the second one waits, and finds the packages there.
  exec 9> .packages.lock
  ! command -v flock > /dev/null || flock 9
fi
# shellcheck disable=SC3013 # every sh knows -nt
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo 'Installing packages (about 20 s)…' >&2
  install || { echo 'Trying once more…' >&2; install; } || exit 1
  touch node_modules/.package-lock.json
  supported || { rm node_modules/.package-lock.json; exit 1; }
fi
exec 9>&-
exec "$@"
