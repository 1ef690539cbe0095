import { labelName, secretRef } from '../schema/fields.ts'
import type { ObjectSchema } from '../schema/schema.ts'
import { url, urlRules } from '../url.ts'

/** Who receives: the `spec.subscriber` of a Subscription. */
export const subscriber = {
  type: 'object',
  description: 'Where messages are sent: url, or serviceRef with path.',
  properties: {
    url: { ...url, description: 'Where each message is sent with POST.' },
    serviceRef: {
      type: 'object',
      description: 'A Kubernetes Service in the same namespace.',
      required: ['name'],
      properties: {
        name: { ...labelName, description: 'Name of the Service.' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 80, description: 'Port of the Service.' },
        scheme: {
          type: 'string',
          enum: ['Http', 'Https'],
          default: 'Http',
          description: 'The protocol of the Service.',
        },
      },
    },
    path: {
      type: 'string',
      description: 'Path and query at the Service; with url, they are part of the url.',
      maxLength: 1024,
      'x-kubernetes-validations': [
        {
          rule: "self.matches('^/[^\\\\x00-\\\\x20#]*$')",
          message: 'must start with /, without spaces and #',
        },
      ],
    },
    contentMode: {
      type: 'string',
      enum: ['Binary', 'Structured'],
      default: 'Binary',
      description:
        'How the CloudEvent is sent over HTTP. Binary: attributes in ce- headers, the body unchanged. Structured: one JSON document.',
    },
    headers: {
      type: 'object',
      description:
        'Headers added to each request. Do not put secrets here: everybody who may read this resource can see them.',
      maxProperties: 32,
      additionalProperties: {
        type: 'string',
        maxLength: 1024,
        'x-kubernetes-validations': [
          {
            rule: "self.matches('^[ -~]*$')",
            message: 'must contain only spaces and visible ASCII characters',
          },
        ],
      },
      'x-kubernetes-validations': [
        {
          rule: "self.all(name, name.matches('^[A-Za-z0-9-]{1,128}$'))",
          message: 'must have names of letters, digits and hyphens, at most 128',
        },
        {
          rule: 'self.all(one, self.exists_one(other, one.lowerAscii() == other.lowerAscii()))',
          message: 'must not name a header twice: names are not case-sensitive',
        },
        {
          rule: "self.all(name, !name.lowerAscii().matches('^(host|connection|content-length|content-type|transfer-encoding|expect|upgrade|keep-alive|te|trailer)$|^(ce|webhook|waybill)-'))",
          message:
            'must not set headers that Waybill or HTTP itself sets (host, content-…, connection, ce-…, webhook-…, waybill-…)',
        },
      ],
    },
    readProblems: {
      type: 'boolean',
      default: false,
      description:
        'Whether the type of a problem that an answer describes as application/problem+json (RFC 9457) is kept with the dead letter, in the header waybill-problem and in its group.',
    },
    tls: {
      type: 'object',
      description: 'For https: which authority to trust, and which certificate to present.',
      properties: {
        caSecretRef: secretRef(['ca.crt'], ', the only authority trusted.'),
        clientCertificateSecretRef: secretRef(['tls.crt', 'tls.key'], '.'),
      },
    },
  },
  'x-kubernetes-validations': [
    ...urlRules,
    { rule: 'has(self.url) != has(self.serviceRef)', message: 'set exactly one of url and serviceRef' },
    {
      rule: 'has(self.serviceRef) || !has(self.path)',
      message: 'needs serviceRef; with url, write it into the url',
      fieldPath: '.path',
    },
    {
      rule: "!has(self.tls) || (has(self.url) ? self.url.startsWith('https:') : has(self.serviceRef) && self.serviceRef.scheme == 'Https')",
      message: 'needs https: a url that starts with https://, or a serviceRef with scheme Https',
      fieldPath: '.tls',
    },
  ],
} as const satisfies ObjectSchema
