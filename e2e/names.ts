/** Names that the run uses. */
export const release = 'waybill'
export const system = 'waybill-system'
export const shopNamespace = 'shop'
/** Namespaces for resources that are broken on purpose. */
export const faults = 'waybill-e2e-faults'
export const doomed = 'waybill-e2e-doomed'

/** Marks the namespaces that a run created, so that the next run may remove them. */
export const ownLabel = 'waybill.dev/e2e=true'
/** Selects all pods of the installation, except the one of `helm test`. */
export const podsOfWaybill = `app.kubernetes.io/instance=${release},app.kubernetes.io/component in (operator,dispatcher)`
/** Of the chart and the program in `older-release`. */
export const olderVersion = '0.0.1'
