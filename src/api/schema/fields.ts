import type { ArraySchema, IntegerSchema, ObjectSchema, Rule, Schema, SecretContent, StringSchema } from './schema.ts'

/** Schema fragments that several kinds share. */

/** Every shape is a rule, not a `pattern`: a rule has a message for people, and the API server shows it. */
const shape = (pattern: string, message: string) =>
  [{ rule: `self.matches('${pattern}')`, message }] as const satisfies readonly Rule[]

/** Gateway API durations (GEP-2257): `30s`, `1h30m`, `500ms`. */
const durationPattern = '^([0-9]{1,5}(h|m|s|ms)){1,4}$'
const durationText = 'must be a duration such as 30s or 5m'

/** Whether a text is a duration as the schema allows it. */
export const isDuration = (text: string): boolean => new RegExp(durationPattern).test(text)

/** Whether a schema is that of a duration. */
export const isDurationSchema = (schema: Schema): boolean =>
  schema['x-kubernetes-validations']?.some(({ rule }) => rule.includes(durationPattern)) ?? false

export const duration = {
  type: 'string',
  maxLength: 24,
  'x-kubernetes-validations': shape(durationPattern, durationText),
} as const satisfies StringSchema

/** A duration within limits; `why` follows them in the message. */
export const durationBetween = (least: string, most: string, why = '') =>
  ({
    ...duration,
    'x-kubernetes-validations': [
      {
        rule: `self.matches('${durationPattern}') && duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
        message: `${durationText}, from ${least} to ${most}${why}`,
      },
    ],
  }) as const satisfies StringSchema

/** A moment, by RFC 3339. */
export const dateTime = { type: 'string', format: 'date-time', maxLength: 64 } as const satisfies StringSchema

/** Whether a text is a moment as the API server takes it. https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
export const isDateTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))

/** A TTL. RabbitMQ counts its milliseconds in 32 bits: before 4.0 a longer one crashes a quorum queue (tried on 3.10.8). */
export const timeToLive = (least: string) =>
  durationBetween(least, '1193h', ' (49 days), the most that RabbitMQ 3 can count')

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'

/** The name of a resource. */
export const objectName = {
  type: 'string',
  maxLength: 253,
  'x-kubernetes-validations': shape(
    `^${label}([.]${label})*$`,
    'must be lower-case letters, digits, - and ., and start and end with a letter or digit',
  ),
} as const satisfies StringSchema

/** The name of a namespace or of a Service. */
export const labelName = {
  type: 'string',
  maxLength: 63,
  'x-kubernetes-validations': shape(
    `^${label}$`,
    'must be lower-case letters, digits and -, and start and end with a letter or digit',
  ),
} as const satisfies StringSchema

/** AMQP 0-9-1 limits names and routing keys to 255 bytes; `maxLength` counts characters. */
export const amqpBytes = {
  rule: 'bytes(self).size() <= 255',
  message: 'must have at most 255 bytes in UTF-8, the most that AMQP can carry',
} as const satisfies Rule

/** Far more messages than a broker holds, and few enough to be the same number everywhere. */
export const longestQueue = 1_000_000_000_000

/** The management API takes them for steps of its own paths, escaped or not, so nothing of that name can be read or deleted. */
export const notDots = {
  rule: "self != '.' && self != '..'",
  message: 'must not be . or .., which the management API of RabbitMQ cannot address',
} as const satisfies Rule

/** A name on the broker. `amq.` is reserved by AMQP 0-9-1. */
export const brokerObjectName = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  'x-kubernetes-validations': [
    amqpBytes,
    notDots,
    { rule: "!self.startsWith('amq.')", message: 'must not start with amq., which AMQP reserves for the broker' },
    { rule: "!self.matches('[\\\\x00-\\\\x1f]')", message: 'must not contain control characters' },
  ],
} as const satisfies StringSchema

/** Rules of a field that never changes. */
export const immutable = [
  { rule: 'self == oldSelf', message: 'cannot be changed: create another resource instead' },
] as const satisfies readonly Rule[]

/**
 * The longest name on the broker that Waybill makes of a resource's name, `waybill.dlq.Queue.<namespace>.<name>`, still
 * fits into the 255 bytes of AMQP where the namespace has all of its 63 characters.
 */
export const nameOnBroker = [
  {
    rule: 'self.metadata.name.size() <= 173',
    message: 'must have at most 173 characters: it becomes part of names on the broker, which AMQP limits to 255 bytes',
    fieldPath: '.metadata.name',
  },
] as const satisfies readonly Rule[]

/** The rule of an optional field that is neither added nor removed later; it belongs on the object that holds the field. */
export const fixedPresence = (field: string): Rule => ({
  rule: `has(self.${field}) == has(oldSelf.${field})`,
  message: 'cannot be changed: create another resource instead',
  fieldPath: `.${field}`,
})

/**
 * A Secret in the same namespace: a secret reference never has a namespace. `content` is what is read from it: the keys
 * that it must have, or the address of a RabbitMQ. It is declared here alone; readers, `waybill lint` and the field
 * reference follow it.
 */
export const secretRef = <const Content extends SecretContent>(content: Content, description: string) =>
  ({
    type: 'object',
    description: `A Secret in the same namespace with ${content === 'endpoint' ? '' : content.join(' and ')}${description}`,
    required: ['name'],
    properties: { name: { ...objectName, description: 'Name of the Secret.' } },
    'x-waybill-secret': content as NoInfer<Content>,
  }) as const satisfies ObjectSchema

/** A reference to a resource in the same namespace. */
export const localRef = (kind: string) =>
  ({
    type: 'object',
    description: `A ${kind} in the same namespace.`,
    required: ['name'],
    properties: { name: { ...objectName, description: `Name of the ${kind}.` } },
  }) as const satisfies ObjectSchema

/** A reference to a resource that may be in another namespace, where the field `consent` of that resource allows it. */
export const crossRef = (kind: string, consent: string) =>
  ({
    type: 'object',
    description: `The ${kind}. In another namespace it must allow this one (${consent}).`,
    required: ['name'],
    properties: {
      name: { ...objectName, description: `Name of the ${kind}.` },
      namespace: { ...labelName, description: `Namespace of the ${kind}; the resource's own when left out.` },
    },
  }) as const satisfies ObjectSchema

/** Binding keys of AMQP. */
export const routingKeys = {
  type: 'array',
  description: 'Binding keys: words separated by dots; * stands for one word, # for any number of words.',
  items: { type: 'string', maxLength: 255, 'x-kubernetes-validations': [amqpBytes] },
  minItems: 1,
  maxItems: 64,
  'x-kubernetes-list-type': 'set',
} as const satisfies ArraySchema

const labelText = { type: 'string', maxLength: 63 } as const satisfies StringSchema

const namespaceSelector = {
  type: 'object',
  description: 'Labels of a namespace, all of which must match.',
  properties: {
    matchLabels: {
      type: 'object',
      description: 'Labels and the values that they must have.',
      maxProperties: 16,
      additionalProperties: labelText,
    },
    matchExpressions: {
      type: 'array',
      description: 'Requirements on labels.',
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        description: 'One requirement.',
        required: ['key', 'operator'],
        properties: {
          key: { type: 'string', minLength: 1, maxLength: 317, description: 'The label.' },
          operator: {
            type: 'string',
            enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
            description: 'How its value relates to values. NotIn also holds where the label is not there.',
          },
          values: {
            type: 'array',
            description: 'With In and NotIn.',
            items: labelText,
            maxItems: 64,
            'x-kubernetes-list-type': 'atomic',
          },
        },
        'x-kubernetes-validations': [
          {
            rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
            message: 'set it with In and NotIn, and only then',
            fieldPath: '.values',
          },
        ],
      },
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '(has(self.matchLabels) && self.matchLabels.size() > 0) || (has(self.matchExpressions) && self.matchExpressions.size() > 0)',
      message: 'set matchLabels or matchExpressions: from: All means every namespace',
    },
  ],
} as const satisfies ObjectSchema

/** The namespaces that may refer to a resource; `description` says for what. */
export const allowedNamespaces = (description: string) =>
  ({
    type: 'object',
    description,
    default: {},
    properties: {
      from: {
        type: 'string',
        enum: ['Same', 'All'],
        default: 'Same',
        description: 'Same: only the same namespace. All: every namespace.',
      },
    },
  }) as const satisfies ObjectSchema

/** The namespaces that may do something with a Broker, also by their labels; `description` says what. */
export const selectedNamespaces = (description: string) => {
  const allowed = allowedNamespaces(description)
  return {
    ...allowed,
    properties: {
      from: {
        ...allowed.properties.from,
        enum: ['Same', 'All', 'Selector'],
        description: 'Same: only the same namespace. All: every namespace. Selector: those with these labels too.',
      },
      selector: namespaceSelector,
    },
    'x-kubernetes-validations': [
      {
        // The API server checks the default, {}, before it fills in that of `from`.
        rule: "has(self.selector) == (has(self.from) && self.from == 'Selector')",
        message: 'set it with from: Selector, and only then',
        fieldPath: '.selector',
      },
    ],
  } as const satisfies ObjectSchema
}

/** The field of every status that says how old it is. */
export const observedGeneration = {
  type: 'integer',
  format: 'int64',
  description: 'The generation of the specification that this status is about.',
} as const satisfies IntegerSchema
