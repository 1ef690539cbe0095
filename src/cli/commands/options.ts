import { InvalidArgumentError, Option } from 'commander'
import { isDuration } from '../../api/schema/fields.ts'
import { PeerNameError, peerName } from '../../dispatcher/replicas/peers.ts'
import { logLevels } from '../../telemetry/log.ts'
import { type Entry, entryOf } from '../resolve.ts'

/** `--instance`; the name is written into owners, in front of a colon. */
export const instance = (): Option =>
  new Option(
    '--instance <name>',
    'name of this installation, part of the owner of everything it declares on the broker',
  )
    .default('waybill')
    .argParser((text) => {
      if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return text
      throw new InvalidArgumentError('Use lower-case letters, digits and hyphens, at most 63.')
    })

/** `--drain-timeout` */
export const drainTimeout = (): Option =>
  new Option('--drain-timeout <duration>', 'how long deliveries in flight may take to finish after SIGTERM')
    .default('30s')
    .argParser(durationOf)

/** `--log-level` */
export const logLevel = (): Option =>
  new Option('--log-level <level>', 'lowest level to log (default: $LOG_LEVEL, else info)').choices(logLevels)

/** `--resolve` */
export const resolve = (): Option =>
  new Option(
    '--resolve <name=address...>',
    'address to use for a host name of a broker or subscriber; *.NAME matches every host name that ends in .NAME',
  ).argParser((text, previous: readonly Entry[] = []) => {
    const entry = entryOf(text)
    if (entry) return [...previous, entry]
    throw new InvalidArgumentError("Use a name and an IP address, such as '*.shop.svc=127.0.0.1'.")
  })

/** `--peers` */
export const peers = (): Option =>
  new Option(
    '--peers <host:port...>',
    'addresses of all dispatcher replicas; a host name means every address that it resolves to',
  ).argParser((text, previous: readonly string[] = []) => {
    try {
      peerName(text)
    } catch (error) {
      if (error instanceof PeerNameError) throw new InvalidArgumentError(error.message)
      throw error
    }
    return [...previous, text]
  })

/** The argument of an option that is a duration. @throws InvalidArgumentError */
export function durationOf(text: string): string {
  if (isDuration(text)) return text
  throw new InvalidArgumentError('Use a duration such as 30s, 5m or 1h30m.')
}
