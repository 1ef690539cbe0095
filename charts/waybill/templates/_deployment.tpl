{{/* Arguments that say which namespaces are watched. */}}
{{- define "waybill.watched" -}}
{{- $args := list }}
{{- range .Values.watchNamespaces }}
{{- $args = append $args (printf "--watch-namespace=%s" .) }}
{{- end }}
{{- with .Values.watchNamespaceSelector }}
{{- if $.Values.watchNamespaces }}
{{- fail "watchNamespaces and watchNamespaceSelector exclude each other" }}
{{- end }}
{{- $args = append $args (printf "--watch-namespace-selector=%s" .) }}
{{- end }}
{{- toJson $args }}
{{- end -}}

{{/*
Takes (dict "root" $ "component" "operator" "args" … "graceSeconds" …), where it serves something else than HTTP at 9402
"port" and "scheme", further "ports", and "secrets": a list of (dict "name" … "path" … "secretName" … "items" …).
*/}}
{{- define "waybill.deployment" -}}
{{- $values := index .root.Values .component -}}
{{- $scheme := .scheme | default "" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "waybill.metadata" . | nindent 2 }}
spec:
  {{- if not (kindIs "invalid" $values.replicas) }}
  replicas: {{ $values.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "waybill.selector" . | nindent 6 }}
  template:
    metadata:
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      labels:
        {{- merge (include "waybill.labels" . | fromYaml) ($values.podLabels | default dict) | toYaml | nindent 8 }}
    spec:
      serviceAccountName: {{ include "waybill.name" . }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- include "waybill.podSecurity" . | nindent 8 }}
      terminationGracePeriodSeconds: {{ .graceSeconds }}
      containers:
        - name: {{ .component }}
          image: {{ include "waybill.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args:
            - {{ .component }}
            {{- range .args }}
            - {{ . | quote }}
            {{- end }}
          {{- with $values.extraEnv }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - {name: http, containerPort: {{ .port | default 9402 }}}
            {{- range .ports }}
            - {name: {{ .name }}, containerPort: {{ .port }}}
            {{- end }}
          {{- if or .secrets $values.extraVolumeMounts }}
          volumeMounts:
            {{- range .secrets }}
            - {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
            {{- end }}
            {{- with $values.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- end }}
          startupProbe:
            httpGet: {path: /healthz, port: http{{ with $scheme }}, scheme: {{ . }}{{ end }}}
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: http{{ with $scheme }}, scheme: {{ . }}{{ end }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: http{{ with $scheme }}, scheme: {{ . }}{{ end }}}
            periodSeconds: 5
            timeoutSeconds: 5
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- include "waybill.containerSecurity" . | nindent 12 }}
      {{- if or .secrets $values.extraVolumes }}
      volumes:
        {{- range .secrets }}
        - name: {{ .name }}
          secret: {secretName: {{ .secretName }}{{ with .items }}, items: {{ toJson . }}{{ end }}}
        {{- end }}
        {{- with $values.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      topologySpreadConstraints:
        {{- if $values.topologySpreadConstraints }}
        {{- toYaml $values.topologySpreadConstraints | nindent 8 }}
        {{- else }}
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "waybill.selector" . | nindent 14 }}
        {{- end }}
      {{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
      {{- with index $values $field }}
      {{ $field }}: {{ toJson . }}
      {{- end }}
      {{- end }}
{{- end -}}

{{/* The requirements of the Pod Security level `restricted`, and a read-only root filesystem. The image sets the user. */}}
{{- define "waybill.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "waybill.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
