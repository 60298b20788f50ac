{{- define "assay.name" -}}
{{- if contains "assay" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-assay" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "assay.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "assay.selector" -}}
app.kubernetes.io/name: assay
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "assay.labels" -}}
{{ include "assay.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* assay.yaml of one process: what the values say, and what is the chart's own. */}}
{{- define "assay.config" -}}
{{- $own := dict "data" "/var/lib/assay" "experiments" "/etc/assay/experiments" "metrics" "/etc/assay/metrics" "reports" "/var/lib/assay/reports" "listen" "0.0.0.0:8344" "memory" .root.Values.ingest.memory }}
{{- $config := mergeOverwrite (deepCopy .root.Values.config) $own }}
{{- if .root.Values.serve.tokens }}
{{- $config = mergeOverwrite $config (dict "access" (dict "tokens" "/etc/assay/tokens/tokens.json")) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "assay.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "assay.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The pod of a process: root, component, args, values of its own. */}}
{{- define "assay.pod" -}}
metadata:
  labels: {{- include "assay.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ include "assay.config" . | sha256sum }}
spec:
  serviceAccountName: {{ include "assay.name" .root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  securityContext: {{- include "assay.podSecurity" . | nindent 4 }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .own.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .own.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .own.topologySpreadConstraints }}
  topologySpreadConstraints: {{- toYaml . | nindent 4 }}
  {{- end }}
  affinity:
    {{- if .own.affinity }}
    {{- toYaml .own.affinity | nindent 4 }}
    {{- else }}
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels: {{- include "assay.selector" . | nindent 16 }}
    {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "assay.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{- toYaml (concat (list "--config" "/etc/assay/assay.yaml" "--log-level" "info") .args) | nindent 8 }}
      envFrom:
        - secretRef: {name: {{ .root.Values.secret.name }}}
      ports:
        - {name: http, containerPort: 8344}
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: {{ .ready | default "/readyz" | quote }}, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
      resources: {{- toYaml .own.resources | nindent 8 }}
      securityContext: {{- include "assay.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/assay/assay.yaml, subPath: assay.yaml, readOnly: true}
        - {name: experiments, mountPath: /etc/assay/experiments, readOnly: true}
        - {name: metrics, mountPath: /etc/assay/metrics, readOnly: true}
        - {name: state, mountPath: /var/lib/assay}
        {{- if .tokens }}
        - {name: tokens, mountPath: /etc/assay/tokens, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "assay.name" .root }}}
    - name: experiments
      configMap: {name: {{ include "assay.name" .root }}-experiments}
    - name: metrics
      configMap: {name: {{ include "assay.name" .root }}-metrics}
    - name: state # nothing in it must outlive the pod: what is counted lies in ClickHouse
      emptyDir: {}
    {{- if .tokens }}
    - name: tokens
      secret: {secretName: {{ .tokens }}}
    {{- end }}
{{- end }}
