import type { Queue } from '../api/queue.ts'
import type { Resource } from '../api/resource.ts'
import type { Subscription } from '../api/subscription.ts'
import type { Refusal } from './desired.ts'
import { maxNameBytes, nameField } from './names.ts'
import type { Objects } from './objects.ts'

/** What makes a name, a routing key or a header's name that AMQP cannot carry: a schema counts characters, AMQP bytes. */
export const tooLong = (resource: Resource, objects: Objects): Refusal | undefined =>
  longName(resource, objects) ?? longText(resource)

const encoder = new TextEncoder()
const bytesOf = (text: string): number => encoder.encode(text).length

const longName = (resource: Resource, { exchanges = [], queues = [] }: Objects): Refusal | undefined => {
  const found = [...exchanges, ...queues].find(({ name }) => bytesOf(name) > maxNameBytes)
  if (found === undefined) return undefined
  const message = `makes the name ${found.name.slice(0, 40)}… of ${bytesOf(found.name)} bytes on the broker, where ${maxNameBytes} is the limit: choose a shorter name`
  const isChosen = !found.name.endsWith(`${resource.metadata.namespace}.${resource.metadata.name}`)
  const field = isChosen ? nameField(resource) : 'metadata.name'
  const value = isChosen ? found.name : resource.metadata.name
  return { resource, reason: 'NameTooLong', field, value, message }
}

const longText = (resource: Resource): Refusal | undefined => {
  const [field, value] = textsOf(resource).find(([, text]) => bytesOf(text) > maxNameBytes) ?? []
  if (field === undefined || value === undefined) return undefined
  const message = `has ${bytesOf(value)} bytes, where AMQP allows ${maxNameBytes}: shorten it`
  return { resource, reason: 'Invalid', field, value, message }
}

type Text = readonly [field: string, text: string]

/** What goes into bindings, by field. */
const textsOf = (resource: Resource): readonly Text[] => {
  if (resource.kind === 'Queue') {
    const { bindings = [] } = (resource as Queue).spec
    return bindings.flatMap(({ routingKeys }, index) => listed(`spec.bindings[${index}].routingKeys`, routingKeys))
  }
  if (resource.kind !== 'Subscription') return []
  const { routingKeys, headers = {} } = (resource as Subscription).spec.filter
  const names = Object.keys(headers).map((name): Text => [`spec.filter.headers.${name}`, name])
  return [...listed('spec.filter.routingKeys', routingKeys), ...names]
}

const listed = (field: string, texts: readonly string[]): Text[] =>
  texts.map((text, index) => [`${field}[${index}]`, text])
