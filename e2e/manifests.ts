const apiVersion = 'waybill.dev/v1alpha1'

export type Manifest = { readonly apiVersion: string; readonly kind: string; readonly metadata: object }

/** A manifest of a Waybill resource. */
export const manifest = (kind: string, namespace: string, name: string, spec: object): Manifest & { spec: object } => ({
  apiVersion,
  kind,
  metadata: { namespace, name },
  spec,
})

/** The Secret of a Broker in the namespace, with its connection string. */
export const secretOf = (namespace: string, connection: string): Manifest & { stringData: object } => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name: 'rabbitmq' },
  stringData: { connection_string: connection },
})

/** A Broker with that Secret, and defaults for everything else that is not given. */
export const brokerOf = (namespace: string, spec: object = {}): Manifest =>
  manifest('Broker', namespace, 'rabbitmq', { connection: { secretRef: { name: 'rabbitmq' } }, ...spec })

export const topicOf = (namespace: string, name: string): Manifest =>
  manifest('Topic', namespace, name, { brokerRef: { name: 'rabbitmq' } })

/** A Subscription of any namespace that delivers to the shop's Shipping. */
export const subscriptionOf = (namespace: string, name: string, topic: string, spec: object = {}): Manifest => {
  const subscriber = { url: `http://shipping.shop.svc:9503/${name}` }
  return manifest('Subscription', namespace, name, { topicRef: { name: topic }, subscriber, ...spec })
}

/** Several manifests as one text for `kubectl apply -f -`. */
export const listOf = (...items: readonly Manifest[]): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
