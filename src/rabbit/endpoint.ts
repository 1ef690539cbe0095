import { X509Certificate } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { connectionString, portFault } from './connection-string.ts'
import { EndpointError } from './endpoint-error.ts'
import { hostOf } from './host.ts'

/** Where a broker is, with the credentials for it. Never log it: it holds the password. */
export type Endpoint = {
  readonly amqp: {
    readonly protocol: 'amqp' | 'amqps'
    readonly hostname: string
    readonly port: number
  }
  /** Base of the management API, without a trailing slash and without credentials. */
  readonly management: string
  readonly username: string
  readonly password: string
  readonly vhost: string
  /** PEM of the only authority trusted; the system's authorities when left out. */
  readonly ca?: string
  /** Resolves its names; the system when left out. */
  readonly lookup?: LookupFunction
}

type SecretText = Readonly<Record<string, string>>

/**
 * Reads the keys that the RabbitMQ Cluster Operator writes into its default-user Secret: `connection_string`, or `host`,
 * `port`, `username` and `password`; single keys override parts of the connection string. Nothing says there that a cluster
 * is for TLS alone but the scheme or the port; what is TLS for AMQP is TLS for the management API too, unless its URI says
 * otherwise, so that the password never goes out in clear.
 * https://www.rabbitmq.com/kubernetes/operator/using-operator#find
 *
 * @throws EndpointError
 */
export const endpointOf = (secret: SecretText, wanted: string | undefined, ca?: string): Endpoint => {
  const url = secret.connection_string === undefined ? undefined : connectionString(secret.connection_string)
  const hostname = secret.host ? hostOf(secret.host, 'key host') : url?.hostname
  const username = secret.username ?? url?.username
  const password = secret.password ?? url?.password
  if (!hostname)
    throw new EndpointError('needs the key connection_string, or host, username and password: host is missing')
  if (!username) throw new EndpointError('needs the key username, or a connection_string with a user')
  if (!password) throw new EndpointError('needs the key password, or a connection_string with a password')
  const given = portOf(secret.port ?? url?.port)
  const protocol = isSecure(secret.tls, url?.protocol, given) ? 'amqps' : 'amqp'
  const [scheme, managementPort] = protocol === 'amqps' ? ['https', 15671] : ['http', 15672]
  return {
    amqp: { protocol, hostname, port: given ?? (protocol === 'amqps' ? 5671 : 5672) },
    management: managementUri(secret.management_uri ?? `${scheme}://${bracketed(hostname)}:${managementPort}`),
    username,
    password,
    vhost: agreed(wanted, url?.vhost),
    ...(ca === undefined ? {} : { ca }),
  }
}

const isSecure = (tls: string | undefined, scheme: string | undefined, port: number | undefined): boolean => {
  if (tls !== undefined && tls !== 'true' && tls !== 'false') throw new EndpointError('key tls must be true or false')
  if (tls === 'false' && scheme === 'amqps') throw new EndpointError('key tls is false, and connection_string is amqps')
  return tls === undefined ? scheme === 'amqps' || port === 5671 : tls === 'true'
}

const agreed = (wanted: string | undefined, found: string | undefined): string => {
  if (wanted !== undefined && found !== undefined && wanted !== found) {
    const both = `virtual host ${JSON.stringify(found)}, and spec.vhost is ${JSON.stringify(wanted)}`
    throw new EndpointError(`key connection_string is for ${both}: leave one of them out`)
  }
  return wanted ?? found ?? '/'
}

const managementUri = (text: string): string => {
  const trimmed = text.trim()
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    const fault = portFault(trimmed) ?? 'must be a URL such as http://host:15672, without a user'
    throw new EndpointError(`key management_uri ${fault}`)
  }
  if (url.search || url.hash) throw new EndpointError('key management_uri must end with its path, without ? and #')
  return url.href.replace(/\/+$/, '')
}

const portOf = (text: string | undefined): number | undefined => {
  if (!text) return undefined
  const port = Number(text.trim())
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new EndpointError('key port must be from 1 to 65535')
  return port
}

const bracketed = (hostname: string): string => (hostname.includes(':') ? `[${hostname}]` : hostname)

type SecretRef = { readonly name: string }

/** The part of a Broker resource that says where it is. */
export type Address = {
  readonly metadata: { readonly namespace: string }
  readonly spec: {
    readonly connection: { readonly secretRef: SecretRef }
    readonly vhost?: string
    readonly tls?: { readonly caSecretRef?: SecretRef }
  }
}

/** Reads a Secret with the keys that it must have, or says what is wrong with it. */
export type ReadSecret = (
  secret: { readonly namespace: string; readonly name: string },
  keys: readonly string[],
) => Promise<{ readonly data: Readonly<Record<string, Uint8Array>> } | { readonly problem: string }>

/** Reads the Secrets that a Broker names. @throws EndpointError that names the Secret and what it lacks */
export const readEndpoint = async (
  { metadata: { namespace }, spec }: Address,
  readSecret: ReadSecret,
  lookup?: LookupFunction,
): Promise<Endpoint> => {
  const read = async ({ name }: SecretRef, keys: readonly string[]): Promise<SecretText> => {
    const found = await readSecret({ namespace, name }, keys)
    if ('problem' in found) throw new EndpointError(found.problem)
    const texts = Object.entries(found.data).map(([key, value]) => [key, Buffer.from(value).toString('utf8').trim()])
    return Object.fromEntries(texts)
  }
  const { secretRef } = spec.connection
  const caRef = spec.tls?.caSecretRef
  const [connection, trust] = await Promise.all([read(secretRef, []), caRef && read(caRef, ['ca.crt'])])
  if (caRef && !isCertificate(trust?.['ca.crt'] ?? '')) {
    throw new EndpointError(`Secret ${namespace}/${caRef.name} has no certificate in PEM in its key ca.crt`)
  }
  try {
    return { ...endpointOf(connection, spec.vhost, trust?.['ca.crt']), ...(lookup === undefined ? {} : { lookup }) }
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error
    throw new EndpointError(`Secret ${namespace}/${secretRef.name} ${error.message}`)
  }
}

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}
