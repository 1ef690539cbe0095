import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { apiVersion } from '../../src/api/resource.ts'
import type { Vhost } from './vhost.ts'

export type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec?: object
}

const namespace = 'shop'

const manifest = (kind: string, name: string, spec: object): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  spec,
})

/** A Broker on the virtual host, and the Secret that it needs. */
export const brokerOf = (vhost: Vhost, spec: object = {}): Manifest[] => [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'rabbitmq', namespace },
    ...{ stringData: vhost.secret },
  },
  manifest('Broker', 'rabbitmq', {
    connection: { secretRef: { name: 'rabbitmq' } },
    vhost: vhost.name,
    resyncInterval: '1s',
    ...spec,
  }),
]

/** A Topic on that Broker; its exchange is `shop.<name>`. */
export const topicOf = (name: string, spec: object = {}): Manifest =>
  manifest('Topic', name, { brokerRef: { name: 'rabbitmq' }, ...spec })

/** A Queue on that Broker, named `shop.<name>`. */
export const queueOf = (name: string, spec: object = {}): Manifest =>
  manifest('Queue', name, { brokerRef: { name: 'rabbitmq' }, ...spec })

/** The same resource in another namespace, on the Broker of `shop` where it names a Broker. */
export const inNamespace = (namespace: string, { metadata, spec = {}, ...rest }: Manifest): Manifest => {
  const brokerRef = 'brokerRef' in spec ? { brokerRef: { name: 'rabbitmq', namespace: 'shop' } } : {}
  return { ...rest, metadata: { ...metadata, namespace }, spec: { ...spec, ...brokerRef } }
}

/** A Subscription to a Topic, delivered to `url`. */
export const subscriptionOf = (name: string, topic: string, url: string, spec: object = {}): Manifest =>
  manifest('Subscription', name, { topicRef: { name: topic }, subscriber: { url }, ...spec })

export const deadLetterPolicyOf = (name: string, spec: object = {}): Manifest =>
  manifest('DeadLetterPolicy', name, spec)

/** A Replay or Discard of the dead letters of a Subscription; its name is that of the Subscription where none is given. */
export const jobOf = (
  kind: 'Replay' | 'Discard',
  subscription: string,
  spec: object = {},
  name = subscription,
): Manifest => manifest(kind, name, { subscriptionRef: { name: subscription }, selector: { all: true }, ...spec })

/** A Replay or Discard of everything in the source that its spec names. */
export const jobFrom = (kind: 'Replay' | 'Discard', name: string, spec: object): Manifest =>
  manifest(kind, name, { selector: { all: true }, ...spec })

export type ManifestFolder = {
  readonly path: string
  /** Writes `<name>.yaml` with one document for each manifest; a string is written unchanged. */
  write(name: string, manifests: readonly object[] | string): void
  delete(name: string): void
  /** Removes the folder. */
  drop(): void
}

/** A temporary folder of manifests for `waybill run -f`. */
export const manifestFolder = (): ManifestFolder => {
  const path = mkdtempSync(join(tmpdir(), 'waybill-manifests-'))
  const fileOf = (name: string) => join(path, `${name}.yaml`)
  return {
    path,
    write(name, manifests) {
      const documents = typeof manifests === 'string' ? manifests : manifests.map((one) => stringify(one)).join('---\n')
      writeFileSync(fileOf(name), documents)
    },
    delete: (name) => rmSync(fileOf(name)),
    drop: () => rmSync(path, { recursive: true, force: true }),
  }
}
