import { objectName, secretRef } from './fields.ts'
import type { ObjectSchema } from './schema.ts'

/** Who receives: the `spec.subscriber` of a Subscription. */
export const subscriber = {
  type: 'object',
  description: 'Who receives: url, or serviceRef with path.',
  properties: {
    url: {
      type: 'string',
      description: 'Where each message is sent with POST.',
      minLength: 8,
      maxLength: 2048,
      pattern: '^https?://[^\\s]+$',
      'x-kubernetes-validations': [
        {
          rule: "!self.matches('^https?://[^/?#]*@')",
          message: 'must not hold a user or a password: they would be shown to everybody who can read this resource',
        },
        { rule: 'isURL(self)', message: 'must be a URL such as http://host:8080/path' },
        { rule: "!self.contains('#')", message: 'must not hold a fragment (#…): it is never sent' },
      ],
    },
    serviceRef: {
      type: 'object',
      description: 'A Kubernetes Service in the same namespace.',
      required: ['name'],
      properties: {
        name: { ...objectName, maxLength: 63, description: 'Name of the Service.' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 80, description: 'Port of the Service.' },
        scheme: { type: 'string', enum: ['Http', 'Https'], default: 'Http', description: 'How to talk to it.' },
      },
    },
    path: {
      type: 'string',
      description: 'Path and query at the Service; with url it is part of the url.',
      maxLength: 1024,
      pattern: '^/[^\\s#]*$',
    },
    contentMode: {
      type: 'string',
      enum: ['Binary', 'Structured'],
      default: 'Binary',
      description:
        'How the CloudEvent is put on HTTP. Binary: attributes in ce- headers, the body untouched. Structured: one JSON document.',
    },
    headers: {
      type: 'object',
      description: 'Headers added to each request. Not for secrets: this resource is readable.',
      maxProperties: 32,
      additionalProperties: { type: 'string', maxLength: 1024, pattern: '^[\\x20-\\x7e]*$' },
      'x-kubernetes-validations': [
        {
          rule: "self.all(name, name.matches('^[A-Za-z0-9-]{1,128}$'))",
          message: 'header names are letters, digits and hyphens',
        },
        {
          rule: "self.all(name, !name.lowerAscii().matches('^(host|connection|content-length|content-type|transfer-encoding|expect|upgrade|keep-alive|te|trailer|(ce|webhook|waybill)-.*)$'))",
          message:
            'must not set headers that Waybill or HTTP itself sets (host, content-…, connection, ce-…, webhook-…, waybill-…)',
        },
      ],
    },
    tls: {
      type: 'object',
      description: 'For https: whom to trust and who to be.',
      properties: {
        caSecretRef: {
          ...secretRef,
          description: 'A Secret in the same namespace with ca.crt, the only authority trusted.',
        },
        clientCertificateSecretRef: {
          ...secretRef,
          description: 'A Secret in the same namespace with tls.crt and tls.key.',
        },
      },
    },
  },
  'x-kubernetes-validations': [
    { rule: 'has(self.url) != has(self.serviceRef)', message: 'set exactly one of url and serviceRef' },
    {
      rule: 'has(self.serviceRef) || !has(self.path)',
      message: 'path goes with serviceRef; with url, write it into the url',
    },
  ],
} as const satisfies ObjectSchema
