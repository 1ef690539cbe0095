# Installs the npm packages where they are missing or older than package-lock.json. Runs before npm's scripts, on any Node.
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
install() { npm ci --no-audit --no-fund --loglevel=error >&2; }
echo 'Installing packages (about 20 s)…' >&2
install || { echo 'Trying once more…' >&2; install; } || exit 1
touch node_modules/.package-lock.json
PATH="$PWD/node_modules/.bin:$PATH" node -e '
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) process.exit(0)
  console.error(`Waybill needs Node 22.19 or newer, this is ${process.version}: install one from https://nodejs.org`)
  process.exit(1)
' || { rm node_modules/.package-lock.json; exit 1; }
