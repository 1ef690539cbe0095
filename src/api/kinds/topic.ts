import { conditions } from '../conditions.ts'
import { defineKind, type Resource } from '../resource.ts'
import { ageColumn, messageColumn, reasonColumn } from '../schema/columns.ts'
import {
  allowedNamespaces,
  brokerObjectName,
  crossRef,
  immutable,
  nameOnBroker,
  observedGeneration,
} from '../schema/fields.ts'

export const topic = defineKind({
  kind: 'Topic',
  plural: 'topics',
  singular: 'topic',
  shortName: 'wbt',
  description: 'Where producers publish one family of events: an exchange.',
  spec: {
    type: 'object',
    description: 'Which exchange, and who may use it.',
    required: ['brokerRef'],
    properties: {
      brokerRef: {
        ...crossRef('Broker', 'spec.allowedNamespaces'),
        'x-kubernetes-validations': immutable,
      },
      exchange: {
        type: 'object',
        description: 'The exchange that producers publish to.',
        default: {},
        properties: {
          name: { ...brokerObjectName, description: 'Name of the exchange; <namespace>.<name> when left out.' },
          type: {
            type: 'string',
            enum: ['Topic', 'Fanout', 'Headers'],
            default: 'Topic',
            description: 'How it routes: by routing key, to all subscriptions, or by headers.',
          },
        },
        'x-kubernetes-validations': immutable,
      },
      allowedSubscribers: allowedNamespaces('Which namespaces may subscribe.'),
      unrouted: {
        type: 'string',
        enum: ['Park', 'Drop'],
        default: 'Park',
        description:
          'What happens to an event that no subscription wants. Park keeps it in the queue waybill.unrouted.<namespace>.<name>.',
      },
      adopt: {
        type: 'boolean',
        default: false,
        description:
          'Use an exchange that already exists. It is never deleted. A policy of the lowest priority parks its unrouted events; any other policy that matches the exchange takes precedence.',
      },
      deletionPolicy: {
        type: 'string',
        enum: ['Retain', 'Delete'],
        default: 'Retain',
        description: 'What happens to the exchange and its parked events when this resource is deleted.',
      },
    },
  },
  status: {
    type: 'object',
    description: 'Observed state, written by Waybill.',
    properties: {
      observedGeneration,
      exchange: { type: 'string', description: 'Name of the exchange.' },
      subscriptions: { type: 'integer', description: 'How many subscriptions it has.' },
      unrouted: {
        type: 'integer',
        description: 'Events parked because no subscription wanted them, rounded to two significant digits.',
      },
      conditions,
    },
  },
  rules: nameOnBroker,
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Exchange', type: 'string', jsonPath: '.status.exchange' },
    { name: 'Subscriptions', type: 'integer', jsonPath: '.status.subscriptions' },
    { name: 'Unrouted', type: 'integer', jsonPath: '.status.unrouted' },
    { name: 'Broker', type: 'string', jsonPath: '.spec.brokerRef.name', priority: 1 },
    reasonColumn('Ready'),
    ageColumn,
    messageColumn('Ready'),
  ],
})

export type Topic = Resource<typeof topic>
