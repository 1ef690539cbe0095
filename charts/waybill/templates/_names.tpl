{{/* Prefix of all names. The longest suffix of a Service has 17 characters, and its name may have 63. */}}
{{- define "waybill.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The templates below take (dict "root" $ "component" "operator"). */}}

{{- define "waybill.name" -}}
{{- include "waybill.fullname" .root }}-{{ .component -}}
{{- end -}}

{{/* Labels that select the pods of a component and no others. They must never change. */}}
{{- define "waybill.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "waybill.labels" -}}
{{ include "waybill.selector" . }}
{{ include "waybill.releaseLabels" .root }}
{{- end -}}

{{/* Labels of every object, and of those that no component has. They take the root alone. */}}

{{- define "waybill.releaseLabels" -}}
app.kubernetes.io/part-of: waybill
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "waybill.commonLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{ include "waybill.releaseLabels" . }}
{{- end -}}

{{- define "waybill.metadata" -}}
name: {{ include "waybill.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "waybill.labels" . | nindent 2 }}
{{- end -}}

{{- define "waybill.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
