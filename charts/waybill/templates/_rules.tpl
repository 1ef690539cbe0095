{{/* What each component may do in the namespaces that it watches. Secrets cannot be listed, only read by name. */}}

{{- define "waybill.rules.operator" -}}
- apiGroups: [waybill.dev]
  resources: [brokers, deadletterpolicies, queues, subscriptions, topics]
  # patch: finalizers
  verbs: [get, list, watch, patch]
- apiGroups: [waybill.dev]
  resources: [brokers/status, deadletterpolicies/status, queues/status, subscriptions/status, topics/status]
  verbs: [patch]
{{ include "waybill.rules.both" . }}
{{- end -}}

{{- define "waybill.rules.dispatcher" -}}
- apiGroups: [waybill.dev]
  resources: [brokers, deadletterpolicies, queues, subscriptions, topics]
  verbs: [get, list, watch]
- apiGroups: [waybill.dev]
  resources: [subscriptions/status]
  verbs: [patch]
{{ include "waybill.rules.both" . }}
{{- end -}}

{{- define "waybill.rules.both" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
