import type { Option } from './options.ts'

const deployment = 'Deployment/waybill-console spec.template.spec'
const container = `${deployment}.containers.console`
const enabled = { enabled: true, tlsInFront: true }
const proxy = [{ podSelector: { matchLabels: { app: 'proxy' } } }]
const server = 'https://data.elsewhere:9500'

const option = (values: object, changes: readonly string[], dispatcher?: object): Option => ({
  from: { console: enabled, ...(dispatcher ? { dispatcher } : {}) },
  values: { console: { ...enabled, ...values }, ...(dispatcher ? { dispatcher } : {}) },
  changes,
})

/** The values of the console, and the differences that they make; `shared` are those of its pods. */
export const consoleOptions = (shared: Readonly<Record<string, Option>>): Readonly<Record<string, Option>> => ({
  ...shared,
  'console.enabled': {
    values: { console: enabled },
    changes: ['Deployment', 'NetworkPolicy', 'Service', 'ServiceAccount'].map((kind) => `+${kind}/waybill-console`),
  },
  'console.port': option({ port: 9500 }, [
    `${container}.args.--listen: "--listen=:9500"`,
    `${container}.ports.http.containerPort: 9500`,
    'Service/waybill-console spec.ports.http.port: 9500',
  ]),
  'console.tlsInFront': {
    from: { console: { enabled: true, tlsSecretName: 'console-tls' } },
    values: { console: enabled },
    changes: [
      `${container}.args.--tls-cert: `,
      `${container}.args.--tls-in-front: "--tls-in-front"`,
      `${container}.args.--tls-key: `,
      ...['liveness', 'readiness', 'startup'].map((probe) => `${container}.${probe}Probe.httpGet.scheme: "HTTP"`),
      `${container}.volumeMounts: `,
      `${deployment}.volumes: `,
    ],
  },
  'console.tlsSecretName': {
    from: { console: { enabled: true, tlsSecretName: 'console-tls' } },
    values: { console: { enabled: true, tlsSecretName: 'other' } },
    changes: [`${deployment}.volumes.tls.secret.secretName: "other"`],
  },
  'console.trustAuthorizationHeader': option({ trustAuthorizationHeader: true }, [
    `${container}.args.--trust-authorization-header: "--trust-authorization-header"`,
  ]),
  'console.ingressFrom': option({ ingressFrom: proxy }, [
    `NetworkPolicy/waybill-console spec.ingress.0.from: ${JSON.stringify(proxy)}`,
  ]),
  'console.data.server': option({ data: { server } }, [
    `${container}.args.--data-server: "--data-server=${server}"`,
    'NetworkPolicy/waybill-console spec.egress.2: {"ports":[{"port":9500}]}',
  ]),
  'console.data.caSecretName': option(
    { data: { caSecretName: 'data-tls' } },
    [
      `${container}.args.--data-ca: "--data-ca=/etc/waybill/data-ca/ca.crt"`,
      `${container}.volumeMounts: [{"name":"data-ca","mountPath":"/etc/waybill/data-ca","readOnly":true}]`,
      `${deployment}.volumes: [{"name":"data-ca","secret":{"secretName":"data-tls","items":[{"key":"ca.crt","path":"ca.crt"}]}}]`,
    ],
    { data: { enabled: true, tlsSecretName: 'data-tls' } },
  ),
})
