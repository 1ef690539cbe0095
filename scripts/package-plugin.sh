#!/bin/sh
# package-plugin.sh [FOLDER]: the plugin of kubectl in FOLDER (dist/plugin): an archive with the bundle, which needs Node and no
# packages, and its manifest for krew. PLUGIN_URL is the folder that the archive will be downloaded from, PLUGIN_HOMEPAGE a page
# about it: both are known to those who publish, not to this repository.
set -e
folder=${1:-dist/plugin}
version=$(node -p 'require("./package.json").version')
archive=waybill-plugin-$version.tar.gz
rm -rf "$folder"
mkdir -p "$folder"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
sh scripts/with-packages.sh npm run --silent bundle -- --outdir="$copy/dist/cli"
chmod 755 "$copy/dist/cli/main.js"
cp package.json LICENSE "$copy"
# The same bytes from the same sources, whenever and by whomever it is made.
(cd "$copy" && tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - LICENSE dist package.json) | gzip -n -9 >"$folder/$archive"
sha256=$(sha256sum "$folder/$archive" | cut -d ' ' -f 1)
sed -e "s|vVERSION|v$version|" -e "s|SHA256|$sha256|" \
  -e "s|URI|${PLUGIN_URL:-https://example.com/waybill}/$archive|" \
  -e "s|HOMEPAGE|${PLUGIN_HOMEPAGE:-https://example.com/waybill}|" scripts/krew.yaml | grep -v '^#' >"$folder/waybill.yaml"
