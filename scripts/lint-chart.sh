#!/bin/sh
# Lints the chart and renders it with its defaults; the tests of test/chart render it with every option.
set -e
helm=$(sh scripts/find-helm.sh)
"$helm" lint --strict charts/waybill
"$helm" template waybill charts/waybill --kube-version 1.36 >/dev/null
