import { conditions } from '../conditions.ts'
import { defineKind, type Resource } from '../resource.ts'
import { ageColumn, messageColumn, reasonColumn } from '../schema/columns.ts'
import {
  allowedNamespaces,
  amqpBytes,
  durationBetween,
  immutable,
  notDots,
  observedGeneration,
  secretRef,
  selectedNamespaces,
} from '../schema/fields.ts'

export const broker = defineKind({
  kind: 'Broker',
  plural: 'brokers',
  singular: 'broker',
  shortName: 'wbb',
  description: 'One virtual host of a RabbitMQ cluster (3.10 to 4.3), and who may use it.',
  spec: {
    type: 'object',
    description: 'Where RabbitMQ is, and how Waybill manages it.',
    required: ['connection'],
    'x-kubernetes-validations': [
      { rule: 'has(oldSelf.vhost) || !has(self.vhost)', message: immutable[0].message, fieldPath: '.vhost' },
    ],
    properties: {
      connection: {
        type: 'object',
        required: ['secretRef'],
        description: 'How to reach RabbitMQ.',
        properties: {
          secretRef: secretRef(
            'endpoint',
            'connection_string, or host, port, username and password, and optionally management_uri (default: same host, port 15672, or https and 15671 where AMQP uses TLS): the keys that the RabbitMQ Cluster Operator writes. amqps, port 5671, or the key tls (true) mean TLS.',
          ),
        },
      },
      vhost: {
        type: 'string',
        description: 'The virtual host, which must exist. Default: the one in connection_string, or /.',
        minLength: 1,
        maxLength: 255,
        'x-kubernetes-validations': [amqpBytes, notDots, ...immutable],
      },
      tls: {
        type: 'object',
        description: 'Which authority to trust for amqps and https addresses.',
        properties: {
          caSecretRef: secretRef(['ca.crt'], ', the only authority trusted.'),
        },
      },
      allowedNamespaces: allowedNamespaces('Which namespaces may attach topics and queues.'),
      customNames: selectedNamespaces(
        'Which namespaces may choose any name on the broker (exchange.name of a Topic, name of a Queue). Others may choose names that begin with their own namespace and a dot. What a resource has declared by its name before, it keeps.',
      ),
      adoption: selectedNamespaces(
        'Which namespaces may adopt queues and exchanges that Waybill did not declare, and so read and change them.',
      ),
      management: {
        type: 'string',
        enum: ['Manage', 'Observe'],
        default: 'Manage',
        description:
          'Manage: make RabbitMQ equal to the resources. Observe: report the differences and change nothing.',
      },
      resyncInterval: {
        ...durationBetween('1s', '24h'),
        default: '60s',
        description: 'How often RabbitMQ is compared with the resources while nothing changes.',
      },
      deletionPolicy: {
        type: 'string',
        enum: ['Retain', 'Delete'],
        default: 'Retain',
        description:
          'What happens to the shared delay queues when this resource is deleted. Delete removes those that are empty.',
      },
    },
  },
  status: {
    type: 'object',
    description: 'Observed state, written by Waybill.',
    properties: {
      observedGeneration,
      version: { type: 'string', description: 'Version of RabbitMQ.' },
      capabilities: {
        type: 'array',
        description: 'What this version can do that other versions cannot.',
        items: { type: 'string' },
        maxItems: 16,
      },
      knownIssues: {
        type: 'array',
        description: 'Faults of this version that matter to delivery, and the version that fixes them.',
        items: { type: 'string' },
        maxItems: 16,
      },
      attached: {
        type: 'object',
        description: 'How many resources use this Broker.',
        properties: {
          topics: { type: 'integer', description: 'Topics on this Broker.' },
          queues: { type: 'integer', description: 'Queues on this Broker.' },
          subscriptions: { type: 'integer', description: 'Subscriptions that deliver from this Broker.' },
        },
      },
      delayed: {
        type: 'integer',
        description:
          'Messages of all subscriptions that wait for their next attempt, rounded to two significant digits.',
      },
      orphaned: {
        type: 'integer',
        description:
          'Delayed messages whose queue was deleted, kept in waybill.orphans, rounded to two significant digits.',
      },
      retained: {
        type: 'array',
        description: 'Queues and exchanges that Waybill declared for resources that no longer exist.',
        items: { type: 'string' },
        maxItems: 20,
      },
      conditions,
    },
  },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Version', type: 'string', jsonPath: '.status.version' },
    { name: 'Subscriptions', type: 'integer', jsonPath: '.status.attached.subscriptions' },
    { name: 'Delayed', type: 'integer', jsonPath: '.status.delayed' },
    { name: 'Vhost', type: 'string', jsonPath: '.spec.vhost', priority: 1 },
    reasonColumn('Ready'),
    ageColumn,
    messageColumn('Ready'),
  ],
})

export type Broker = Resource<typeof broker>

/** Whether Waybill may change what is on the broker, or only reports. */
export const manages = ({ spec }: Broker): boolean => spec.management === 'Manage'
