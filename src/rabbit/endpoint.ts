import type { LookupFunction } from 'node:net'

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

/** The Secret of a Broker is missing or invalid. The message holds no secret. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError'
}

/**
 * Reads the keys that the RabbitMQ Cluster Operator writes into its default-user Secret: `connection_string`, or `host`,
 * `port`, `username` and `password`; single keys override parts of the connection string.
 * https://www.rabbitmq.com/kubernetes/operator/using-operator#find
 */
export const endpointOf = (secret: SecretText, vhost: string, ca?: string): Endpoint => {
  const url = connectionString(secret.connection_string)
  const hostname = secret.host ?? (url && decodeHost(url.hostname))
  const username = secret.username ?? (url && userPart(url.username))
  const password = secret.password ?? (url && userPart(url.password))
  if (!hostname)
    throw new EndpointError('needs the key connection_string, or host, username and password: host is missing')
  if (!username) throw new EndpointError('needs the key username, or a connection_string with a user')
  if (!password) throw new EndpointError('needs the key password, or a connection_string with a password')
  const protocol = url?.protocol === 'amqps:' || secret.tls === 'true' ? 'amqps' : 'amqp'
  const port = portOf(secret.port ?? url?.port, protocol === 'amqps' ? 5671 : 5672)
  const management = managementUri(secret.management_uri ?? `http://${bracketed(hostname)}:15672`)
  return {
    amqp: { protocol, hostname, port },
    management,
    username,
    password,
    vhost,
    ...(ca === undefined ? {} : { ca }),
  }
}

const connectionString = (text: string | undefined): URL | undefined => {
  if (text === undefined) return undefined
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  if (url === undefined || !['amqp:', 'amqps:'].includes(url.protocol)) {
    throw new EndpointError('key connection_string must be a URL such as amqp://user:password@host:5672/')
  }
  return url
}

const userPart = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new EndpointError(
      'key connection_string has a % in its user or password that is not part of an escape: write %25',
    )
  }
}

const managementUri = (text: string): string => {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    throw new EndpointError('key management_uri must be a URL such as http://host:15672, without a user')
  }
  return url.href.replace(/\/+$/, '')
}

const portOf = (text: string | undefined, otherwise: number): number => {
  if (!text) return otherwise
  const port = Number(text.trim())
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new EndpointError('key port must be from 1 to 65535')
  return port
}

const decodeHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')
const bracketed = (hostname: string): string => (hostname.includes(':') ? `[${hostname}]` : hostname)

type SecretRef = { readonly name: string }

/** The part of a Broker resource that says where it is. */
export type Address = {
  readonly metadata: { readonly namespace: string }
  readonly spec: {
    readonly connection: { readonly secretRef: SecretRef }
    readonly vhost: string
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
  try {
    return { ...endpointOf(connection, spec.vhost, trust?.['ca.crt']), ...(lookup === undefined ? {} : { lookup }) }
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error
    throw new EndpointError(`Secret ${namespace}/${secretRef.name} ${error.message}`)
  }
}
