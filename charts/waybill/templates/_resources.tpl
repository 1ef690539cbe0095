{{/* Generated from src/api by npm run generate: all resources of waybill.dev, and their statuses. */}}

{{- define "waybill.resources" -}}
[brokers, deadletterpolicies, queues, subscriptions, topics]
{{- end -}}

{{- define "waybill.statuses" -}}
[brokers/status, deadletterpolicies/status, queues/status, subscriptions/status, topics/status]
{{- end -}}
