#!/bin/sh
# Prints the path of helm: the one on PATH, else the one that the tests use.
command -v helm && exit
assets=${WAYBILL_CACHE:-$HOME/.cache/waybill}
for file in "${KUBEBUILDER_ASSETS:-}/helm" "$assets"/kube-*/bin/helm; do
  [ -x "$file" ] && echo "$file" && exit
done
echo 'No helm: install it (https://helm.sh/docs/intro/install), or run npm test once, which builds one with go' >&2
exit 1
