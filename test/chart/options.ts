import { kinds } from '../../src/api/kinds/kinds.ts'
import { consoleOptions } from './console-options.ts'

/**
 * Every value of the chart, set to something other than its default, and the differences that this makes: see
 * changes.ts.
 */
const pod = 'spec.template.spec'
const tolerations = [{ key: 'spot', operator: 'Exists' }]
const affinity = { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }
const spread = [
  { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b' } } },
]
const volumes = [{ configMap: { name: 'ca' }, name: 'ca' }]
const mounts = [{ mountPath: '/ca', name: 'ca', readOnly: true }]
const env = [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=300' }]
const digest = `sha256:${'0a'.repeat(32)}`
const prometheus = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }]
const deployments = ['Deployment/waybill-dispatcher', 'Deployment/waybill-operator']

/** Every object of the chart with its defaults. */
const labelled = [
  ...['dead-letters-admin', 'dispatcher', 'edit', 'operator', 'view'].map((name) => `ClusterRole/waybill-${name}`),
  ...['dispatcher', 'operator'].flatMap((name) => [
    ...['ClusterRoleBinding', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceAccount'].map(
      (kind) => `${kind}/waybill-${name}`,
    ),
    ...['Role', 'RoleBinding'].map((kind) => `${kind}/waybill-${name}-lease`),
  ]),
  ...['Service/waybill-dispatcher-peers', 'Pod/waybill-test'],
]

export type Option = {
  readonly values: object
  readonly changes: readonly string[]
  /** The values to compare with, if not the defaults. */
  readonly from?: object
}

/** The values that all components have. */
const shared = (component: 'operator' | 'dispatcher' | 'console', from: object = {}): Record<string, Option> => {
  const name = `Deployment/waybill-${component}`
  const option = (field: string, value: unknown, ...lines: string[]): [string, Option] => [
    `${component}.${field}`,
    {
      from: { [component]: from },
      values: { [component]: { ...from, [field]: value } },
      changes: lines.map((line) => `${name} ${line}`),
    },
  ]
  const container = `${pod}.containers.${component}`
  return Object.fromEntries([
    ...(component === 'console' ? [] : [option('replicas', 5, 'spec.replicas: 5')]),
    option('resources', { limits: { memory: '1Gi' } }, `${container}.resources.limits.memory: "1Gi"`),
    option('podAnnotations', { a: 'b' }, 'spec.template.metadata.annotations: {"a":"b"}'),
    option('podLabels', { a: 'b' }, 'spec.template.metadata.labels.a: "b"'),
    option('extraEnv', env, `${container}.env: ${JSON.stringify(env)}`),
    option('extraVolumes', volumes, `${pod}.volumes: ${JSON.stringify(volumes)}`),
    option('extraVolumeMounts', mounts, `${container}.volumeMounts: ${JSON.stringify(mounts)}`),
    [
      `${component}.serviceAccountAnnotations`,
      {
        from: { [component]: from },
        values: { [component]: { ...from, serviceAccountAnnotations: { role: 'x' } } },
        changes: [`ServiceAccount/waybill-${component} metadata.annotations: {"role":"x"}`],
      },
    ],
    option('nodeSelector', { disk: 'ssd' }, `${pod}.nodeSelector: {"disk":"ssd"}`),
    option('tolerations', tolerations, `${pod}.tolerations: ${JSON.stringify(tolerations)}`),
    option('affinity', affinity, `${pod}.affinity: ${JSON.stringify(affinity)}`),
    option(
      'topologySpreadConstraints',
      spread,
      `${pod}.topologySpreadConstraints.0.labelSelector.matchLabels.a: "b"`,
      `${pod}.topologySpreadConstraints.0.labelSelector.matchLabels.app.kubernetes.io/component: `,
      `${pod}.topologySpreadConstraints.0.labelSelector.matchLabels.app.kubernetes.io/instance: `,
      `${pod}.topologySpreadConstraints.0.labelSelector.matchLabels.app.kubernetes.io/name: `,
      `${pod}.topologySpreadConstraints.0.topologyKey: "zone"`,
      `${pod}.topologySpreadConstraints.0.whenUnsatisfiable: "DoNotSchedule"`,
    ),
    option('priorityClassName', 'high', `${pod}.priorityClassName: "high"`),
  ])
}

const image = (path: string, value: unknown): string[] => [
  `Deployment/waybill-dispatcher ${pod}.containers.dispatcher.${path}: ${JSON.stringify(value)}`,
  `Deployment/waybill-operator ${pod}.containers.operator.${path}: ${JSON.stringify(value)}`,
  `Pod/waybill-test spec.containers.test.${path}: ${JSON.stringify(value)}`,
]

const argument = (component: string, flag: string, value = ''): string =>
  `Deployment/waybill-${component} ${pod}.containers.${component}.args.--${flag}: "--${flag}${value}"`

const except = (list: readonly string[], index: number): string[] =>
  ['dispatcher', 'operator'].flatMap((component) =>
    list.map((line) => `NetworkPolicy/waybill-${component} spec.egress.2.to.${index}.ipBlock.except${line}`),
  )

const data = { dispatcher: { data: { enabled: true, tlsSecretName: 'data-tls' } } }
const dataArguments = [
  argument('dispatcher', 'data-listen', '=:9403'),
  argument('dispatcher', 'data-tls-cert', '=/etc/waybill/data-tls/tls.crt'),
  argument('dispatcher', 'data-tls-key', '=/etc/waybill/data-tls/tls.key'),
]

export const options: Readonly<Record<string, Option>> = {
  ...shared('operator'),
  ...shared('dispatcher'),
  ...consoleOptions(shared('console', { enabled: true, tlsInFront: true })),
  'image.repository': { values: { image: { repository: 'my/waybill' } }, changes: image('image', 'my/waybill:0.1.0') },
  'image.tag': { values: { image: { tag: 'dev' } }, changes: image('image', 'waybill:dev') },
  'image.digest': { values: { image: { tag: 'dev', digest } }, changes: image('image', `waybill@${digest}`) },
  'image.pullPolicy': { values: { image: { pullPolicy: 'Always' } }, changes: image('imagePullPolicy', 'Always') },
  imagePullSecrets: {
    values: { imagePullSecrets: [{ name: 'pull' }] },
    changes: [
      ...deployments.map((name) => `${name} ${pod}.imagePullSecrets: [{"name":"pull"}]`),
      'Pod/waybill-test spec.imagePullSecrets: [{"name":"pull"}]',
    ],
  },
  instance: { values: { instance: 'blue' }, changes: [argument('operator', 'instance', '=blue')] },
  logLevel: {
    values: { logLevel: 'debug' },
    changes: [argument('dispatcher', 'log-level', '=debug'), argument('operator', 'log-level', '=debug')],
  },
  'crds.install': {
    values: { crds: { install: true } },
    changes: kinds.map(({ plural }) => `+CustomResourceDefinition/${plural}.waybill.dev`),
  },
  commonLabels: {
    values: { commonLabels: { team: 'post' } },
    changes: [...labelled, ...deployments.map((name) => `${name} spec.template`)].map(
      (name) => `${name}${name.includes(' ') ? '.' : ' '}metadata.labels.team: "post"`,
    ),
  },
  'rbac.create': {
    values: { rbac: { create: false } },
    changes: [
      ...['dead-letters-admin', 'dispatcher', 'edit', 'operator', 'view'].map((name) => `-ClusterRole/waybill-${name}`),
      ...['dispatcher', 'operator'].flatMap((name) => [
        `-ClusterRoleBinding/waybill-${name}`,
        `-Role/waybill-${name}-lease`,
        `-RoleBinding/waybill-${name}-lease`,
      ]),
    ],
  },
  'rbac.aggregate': {
    values: { rbac: { aggregate: false } },
    changes: ['dead-letters-admin', 'edit', 'view'].map((name) => `-ClusterRole/waybill-${name}`),
  },
  'rbac.finalizersEverywhere': {
    from: { watchNamespaces: ['shop'] },
    values: { watchNamespaces: ['shop'], rbac: { finalizersEverywhere: false } },
    changes: ['-ClusterRole/waybill-operator-finalizers', '-ClusterRoleBinding/waybill-operator-finalizers'],
  },
  'dispatcher.drainTimeoutSeconds': {
    values: { dispatcher: { drainTimeoutSeconds: 120 } },
    changes: [
      argument('dispatcher', 'drain-timeout', '=120s'),
      `Deployment/waybill-dispatcher ${pod}.terminationGracePeriodSeconds: 135`,
    ],
  },
  'dispatcher.allowLoopback': {
    values: { dispatcher: { allowLoopback: true } },
    changes: [argument('dispatcher', 'allow-loopback')],
  },
  'dispatcher.data.enabled': {
    values: data,
    changes: [
      '+ClusterRole/waybill-data-reviews',
      '+ClusterRoleBinding/waybill-data-reviews',
      'ClusterRole/waybill-dead-letters-admin rules.1: {"apiGroups":["waybill.dev"],"resources":["subscriptions/deadletters"],"verbs":["get","list","update"]}',
      'ClusterRole/waybill-dead-letters-admin rules.2: {"apiGroups":["waybill.dev"],"resources":["subscriptions/deadletterbodies"],"verbs":["get"]}',
      '+Role/waybill-data-port',
      '+Service/waybill-dispatcher-data',
      'ClusterRole/waybill-view rules.1: {"apiGroups":["waybill.dev"],"resources":["subscriptions/deadletters"],"verbs":["get","list"]}',
      ...dataArguments,
      `Deployment/waybill-dispatcher ${pod}.containers.dispatcher.ports.data: {"name":"data","containerPort":9403}`,
      `Deployment/waybill-dispatcher ${pod}.containers.dispatcher.volumeMounts: [{"name":"data-tls","mountPath":"/etc/waybill/data-tls","readOnly":true}]`,
      `Deployment/waybill-dispatcher ${pod}.volumes: [{"name":"data-tls","secret":{"secretName":"data-tls"}}]`,
      'NetworkPolicy/waybill-dispatcher spec.ingress.1: {"ports":[{"port":"data"}]}',
    ],
  },
  'dispatcher.data.port': {
    from: data,
    values: { dispatcher: { data: { ...data.dispatcher.data, port: 9500 } } },
    changes: [
      argument('dispatcher', 'data-listen', '=:9500'),
      `Deployment/waybill-dispatcher ${pod}.containers.dispatcher.ports.data.containerPort: 9500`,
      'Service/waybill-dispatcher-data spec.ports.data.port: 9500',
    ],
  },
  'dispatcher.data.tlsSecretName': {
    from: data,
    values: { dispatcher: { data: { ...data.dispatcher.data, tlsSecretName: 'other' } } },
    changes: [`Deployment/waybill-dispatcher ${pod}.volumes.data-tls.secret.secretName: "other"`],
  },
  'dispatcher.data.ingressFrom': {
    from: data,
    values: { dispatcher: { data: { ...data.dispatcher.data, ingressFrom: prometheus } } },
    changes: [`NetworkPolicy/waybill-dispatcher spec.ingress.1.from: ${JSON.stringify(prometheus)}`],
  },
  'podDisruptionBudget.enabled': {
    values: { podDisruptionBudget: { enabled: false } },
    changes: ['-PodDisruptionBudget/waybill-dispatcher', '-PodDisruptionBudget/waybill-operator'],
  },
  'networkPolicy.enabled': {
    values: { networkPolicy: { enabled: false } },
    changes: ['-NetworkPolicy/waybill-dispatcher', '-NetworkPolicy/waybill-operator'],
  },
  'networkPolicy.ingressFrom': {
    values: { networkPolicy: { ingressFrom: prometheus } },
    changes: ['dispatcher', 'operator'].map((name) => {
      const own = { 'app.kubernetes.io/name': 'waybill', 'app.kubernetes.io/instance': 'waybill' }
      const from = [...prometheus, { podSelector: { matchLabels: own } }]
      return `NetworkPolicy/waybill-${name} spec.ingress.0.from: ${JSON.stringify(from)}`
    }),
  },
  'networkPolicy.apiServerPorts': {
    values: { networkPolicy: { apiServerPorts: [16443] } },
    changes: ['dispatcher', 'operator'].flatMap((name) => [
      `NetworkPolicy/waybill-${name} spec.egress.1.ports.0.port: 16443`,
      `NetworkPolicy/waybill-${name} spec.egress.1.ports.1: `,
    ]),
  },
  'networkPolicy.brokerPorts': {
    values: { networkPolicy: { brokerPorts: [5671, 15671] } },
    changes: ['NetworkPolicy/waybill-operator spec.egress.2.ports: [{"port":5671},{"port":15671}]'],
  },
  'networkPolicy.blocked': {
    values: { networkPolicy: { blocked: ['10.0.0.0/8'] } },
    changes: [...except(['.0: "10.0.0.0/8"', '.1: ', '.2: ', '.3: '], 0), ...except([': '], 1)],
  },
  'metrics.serviceMonitor.enabled': {
    values: { metrics: { serviceMonitor: { enabled: true } } },
    changes: ['+ServiceMonitor/waybill'],
  },
  'metrics.serviceMonitor.labels': {
    from: { metrics: { serviceMonitor: { enabled: true } } },
    values: { metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } } },
    changes: ['ServiceMonitor/waybill metadata.labels.release: "prometheus"'],
  },
  'metrics.serviceMonitor.interval': {
    from: { metrics: { serviceMonitor: { enabled: true } } },
    values: { metrics: { serviceMonitor: { enabled: true, interval: '1m' } } },
    changes: ['ServiceMonitor/waybill spec.endpoints.0.interval: "1m"'],
  },
  'metrics.prometheusRule.enabled': {
    values: { metrics: { prometheusRule: { enabled: true } } },
    changes: ['+PrometheusRule/waybill'],
  },
  'metrics.prometheusRule.labels': {
    from: { metrics: { prometheusRule: { enabled: true } } },
    values: { metrics: { prometheusRule: { enabled: true, labels: { release: 'prometheus' } } } },
    changes: ['PrometheusRule/waybill metadata.labels.release: "prometheus"'],
  },
  'metrics.dashboard.enabled': {
    values: { metrics: { dashboard: { enabled: true } } },
    changes: ['+ConfigMap/waybill-dashboard'],
  },
  'metrics.dashboard.labels.grafana_dashboard': {
    from: { metrics: { dashboard: { enabled: true } } },
    values: { metrics: { dashboard: { enabled: true, labels: { grafana_dashboard: 'yes' } } } },
    changes: ['ConfigMap/waybill-dashboard metadata.labels.grafana_dashboard: "yes"'],
  },
}

/** Values that rename everything or replace one kind with another; they have tests of their own. */
export const othersByName = ['fullnameOverride', 'watchNamespaces', 'watchNamespaceSelector'] as const
