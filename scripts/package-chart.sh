#!/bin/sh
# package-chart.sh [FOLDER]: the chart as a package in FOLDER (dist/chart), whose pods start from IMAGE_REPOSITORY where that is
# set: the registry of the image is known to those who publish, not to this repository.
set -e
folder=${1:-dist/chart}
helm=$(sh scripts/find-helm.sh)
rm -rf "$folder"
mkdir -p "$folder"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R charts/waybill "$copy"
if [ -n "${IMAGE_REPOSITORY:-}" ]; then
  sed -i "s|^  repository: waybill\$|  repository: $IMAGE_REPOSITORY|" "$copy/waybill/values.yaml"
  grep -q "^  repository: $IMAGE_REPOSITORY\$" "$copy/waybill/values.yaml"
fi
"$helm" lint --strict "$copy/waybill"
"$helm" package "$copy/waybill" --destination "$folder"
