import type { ArraySchema, IntegerSchema, ObjectSchema, Rule, StringSchema } from './schema.ts'

/** Schema fragments that several kinds share. */

/** Gateway API durations (GEP-2257): `30s`, `1h30m`, `500ms`. */
export const duration = {
  type: 'string',
  pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
  maxLength: 24,
} as const satisfies StringSchema

/** RabbitMQ counts milliseconds in 32 bits here: before 4.0 a longer TTL brings a quorum queue down (tried on 3.10.8). */
export const timeToLive = (least: string) =>
  ({
    ...duration,
    'x-kubernetes-validations': [
      {
        rule: `duration(self) >= duration('${least}') && duration(self) <= duration('1193h')`,
        message: `must be from ${least} to 1193h (49 days), the most that RabbitMQ 3 can count`,
      },
    ],
  }) as const satisfies StringSchema

export const objectName = {
  type: 'string',
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  minLength: 1,
  maxLength: 253,
} as const satisfies StringSchema

export const namespaceName = {
  type: 'string',
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  minLength: 1,
  maxLength: 63,
} as const satisfies StringSchema

/** A name on the broker. `amq.` is reserved by AMQP 0-9-1; names are limited to 255 bytes. */
export const brokerObjectName = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\x00-\\x1f]+$',
  'x-kubernetes-validations': [
    { rule: "!self.startsWith('amq.')", message: 'must not start with amq., which AMQP reserves for the broker' },
  ],
} as const satisfies StringSchema

export const immutable = (what: string): readonly [Rule] => [
  { rule: 'self == oldSelf', message: `${what} cannot be changed: create another resource instead` },
]

/** A Secret of the same namespace: a secret reference never has a namespace. */
export const secretRef = {
  type: 'object',
  description: 'A Secret in the same namespace.',
  required: ['name'],
  properties: { name: { ...objectName, description: 'Name of the Secret.' } },
} as const satisfies ObjectSchema

export const localRef = (kind: string) =>
  ({
    type: 'object',
    description: `A ${kind} in the same namespace.`,
    required: ['name'],
    properties: { name: { ...objectName, description: `Name of the ${kind}.` } },
  }) as const satisfies ObjectSchema

export const crossRef = (kind: string, consent: string) =>
  ({
    type: 'object',
    description: `The ${kind}. In another namespace it must allow this one (${consent}).`,
    required: ['name'],
    properties: {
      name: { ...objectName, description: `Name of the ${kind}.` },
      namespace: { ...namespaceName, description: `Namespace of the ${kind}; the resource's own when left out.` },
    },
  }) as const satisfies ObjectSchema

export const routingKeys = {
  type: 'array',
  description: 'Binding keys: words separated by dots; * stands for one word, # for any number of words.',
  items: { type: 'string', maxLength: 255 },
  minItems: 1,
  maxItems: 64,
  'x-kubernetes-list-type': 'set',
} as const satisfies ArraySchema

export const from = (what: string) =>
  ({
    type: 'object',
    description: what,
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

export const observedGeneration = {
  type: 'integer',
  format: 'int64',
  description: 'The generation of the specification that this status is about.',
} as const satisfies IntegerSchema
