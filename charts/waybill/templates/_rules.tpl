{{/* What each component may do in the namespaces that it watches. Secrets can be read by name, but not listed. */}}

{{- define "waybill.rules.operator" -}}
- apiGroups: [waybill.dev]
  resources: {{ include "waybill.resources" . }}
  # patch: finalizers
  verbs: [get, list, watch, patch]
- apiGroups: [waybill.dev]
  resources: {{ include "waybill.statuses" . }}
  verbs: [patch]
{{- if not .Values.watchNamespaces }}
# Labels, where a Broker lets namespaces by them (customNames, adoption), or watchNamespaceSelector does. A Role cannot give this right.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}
{{ include "waybill.rules.both" . }}
{{- end -}}

{{- define "waybill.rules.dispatcher" -}}
- apiGroups: [waybill.dev]
  resources: {{ include "waybill.resources" . }}
  verbs: [get, list, watch]
- apiGroups: [waybill.dev]
  # Of queues, what it finds in their dead-letter queues.
  resources: [queues/status, subscriptions/status]
  verbs: [patch]
- apiGroups: [waybill.dev]
  resources: {{ include "waybill.jobStatuses" . }}
  verbs: [patch]
# Those that have ended, as ttlAfterFinished says.
- apiGroups: [waybill.dev]
  resources: [replays, discards]
  verbs: [delete]
{{- if .Values.watchNamespaceSelector }}
# Which of them are watched.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}
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
