{{/* Generated from src/api by npm run generate: all resources of waybill.dev; those that the role edit may change; the statuses of those that declare something, and of those that act. */}}

{{- define "waybill.resources" -}}
[brokers, deadletterpolicies, discards, queues, replays, subscriptions, topics]
{{- end -}}

{{- define "waybill.editable" -}}
[brokers, deadletterpolicies, queues, replays, subscriptions, topics]
{{- end -}}

{{- define "waybill.statuses" -}}
[brokers/status, deadletterpolicies/status, queues/status, subscriptions/status, topics/status]
{{- end -}}

{{- define "waybill.jobStatuses" -}}
[discards/status, replays/status]
{{- end -}}
