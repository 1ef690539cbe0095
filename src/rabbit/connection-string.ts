import { EndpointError } from './endpoint-error.ts'
import { hostOf } from './host.ts'

/** What a `connection_string` says; parts that it leaves out are `undefined`. */
export type ConnectionString = {
  readonly protocol: 'amqp' | 'amqps'
  readonly hostname: string | undefined
  readonly port: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly vhost: string | undefined
}

const key = 'key connection_string'

/** https://www.rabbitmq.com/docs/uri-spec @throws EndpointError */
export const connectionString = (text: string): ConnectionString => {
  const trimmed = text.trim()
  const unescaped = trimmed.match(/^amqps?:\/\/[^@/?#]*([/?#]).*@/)?.[1]
  if (unescaped !== undefined) {
    const escaped = encodeURIComponent(unescaped)
    throw new EndpointError(
      `${key} has a ${unescaped} in its user or password: write ${escaped} for it, or use the keys username and password`,
    )
  }
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined
  if (url === undefined || !['amqp:', 'amqps:'].includes(url.protocol)) {
    throw new EndpointError(`${key} ${portFault(trimmed) ?? 'must be a URL such as amqp://user:password@host:5672/'}`)
  }
  const [option] = url.searchParams.keys()
  if (option !== undefined) throw new EndpointError(`${key} has the option ${option}, which is not known: leave it out`)
  if (url.hash) throw new EndpointError(`${key} has a #, which has no meaning there: write %23 for it`)
  return {
    protocol: url.protocol === 'amqps:' ? 'amqps' : 'amqp',
    hostname: url.hostname ? hostOf(decoded(url.hostname, 'host'), key) : undefined,
    port: url.port || undefined,
    username: decoded(url.username, 'user or password') || undefined,
    password: decoded(url.password, 'user or password') || undefined,
    vhost: vhostOf(url.pathname),
  }
}

/** `has port 70000: it must be from 1 to 65535`, where that is what is wrong with an address. */
export const portFault = (address: string): string | undefined => {
  const port = address.match(/:(\d+)(?:[/?#]|$)/)?.[1]
  return port !== undefined && Number(port) > 65535 ? `has port ${port}: it must be from 1 to 65535` : undefined
}

/** A lone slash ends the address, as the RabbitMQ Cluster Operator writes it, and names no virtual host. */
const vhostOf = (path: string): string | undefined => {
  const name = path.slice(1)
  if (name.includes('/')) {
    throw new EndpointError(`${key} has a / in its virtual host: write %2F for it, or use spec.vhost`)
  }
  return decoded(name, 'virtual host') || undefined
}

const decoded = (text: string, part: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new EndpointError(`${key} has a % in its ${part} that is not part of an escape: write %25`)
  }
}
