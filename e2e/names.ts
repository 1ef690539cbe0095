/** What the run calls its things. */
export const release = 'waybill'
export const system = 'waybill-system'
export const shopNamespace = 'shop'
/** Namespaces for faults of our own making. */
export const faults = 'waybill-e2e-faults'
export const doomed = 'waybill-e2e-doomed'

/** Marks the namespaces that a run made, so that the next one knows what it may remove. */
export const ownLabel = 'waybill.dev/e2e=true'
/** All pods that the installation runs; the one of `helm test` is none of them. */
export const podsOfWaybill = `app.kubernetes.io/instance=${release},app.kubernetes.io/component in (operator,dispatcher)`
