import { Payload } from './arguments.ts'
import type { Cursor } from './cursor.ts'
import { Violation } from './ended.ts'
import { connection as methods, nameOf } from './methods.ts'

export type Login = {
  readonly username: string
  readonly password: string
  readonly vhost: string
  /** As RabbitMQ's management shows the connection. */
  readonly name: string
  readonly heartbeatSeconds: number
}

/** What was agreed with the broker. */
export type Tuned = { readonly channelMax: number; readonly frameMax: number; readonly heartbeatSeconds: number }

/** How far the handshake came: what an end means depends on it. */
export type Step = 'start' | 'login' | 'open'

export const protocolHeader = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')

const frameMax = 128 * 1024
const channelMax = 2_047

const capabilities = {
  publisher_confirms: true,
  exchange_exchange_bindings: true,
  'basic.nack': true,
  consumer_cancel_notify: true,
  'connection.blocked': true,
  // So that a wrong password is told from a broker that hangs up.
  authentication_failure_close: true,
}

/** The first methods of a connection: who we are, how large and how many, which virtual host. */
export class Handshake {
  #step: Step = 'start'
  #tuned: Tuned | undefined
  #version: string | undefined
  readonly #login: Login
  readonly #send: (payload: Buffer) => void

  constructor(login: Login, send: (payload: Buffer) => void) {
    this.#login = login
    this.#send = send
  }

  /** The version of the broker, as it calls it. */
  get version(): string | undefined {
    return this.#version
  }

  get step(): Step {
    return this.#step
  }

  /** Takes the broker's next method; returns what was agreed with the last one. @throws {Violation} */
  take(id: number, cursor: Cursor): Tuned | undefined {
    if (this.#step === 'start' && id === methods.start) this.#start(cursor)
    else if (this.#step === 'login' && id === methods.tune) this.#tune(cursor)
    else if (this.#step === 'open' && id === methods.openOk) return this.#tuned
    else throw new Violation(`method ${nameOf(id)} in the handshake`)
    return undefined
  }

  #start(cursor: Cursor): void {
    cursor.short()
    this.#version = cursor.tableText('version')
    const mechanisms = cursor.longText().split(' ')
    if (!mechanisms.includes('PLAIN')) throw new Violation(`no login with a password, but ${mechanisms.join(', ')}`)
    const { username, password, name } = this.#login
    const client = { product: 'waybill', platform: 'Node.js', connection_name: name, capabilities }
    const payload = new Payload(methods.startOk).table(client).text('PLAIN')
    this.#send(payload.longText(`\0${username}\0${password}`).text('en_US').bytes)
    this.#step = 'login'
  }

  #tune(cursor: Cursor): void {
    const tuned = {
      channelMax: lower(cursor.short(), channelMax),
      frameMax: lower(cursor.long(), frameMax),
      heartbeatSeconds: lower(cursor.short(), this.#login.heartbeatSeconds),
    }
    this.#tuned = tuned
    const payload = new Payload(methods.tuneOk).short(tuned.channelMax).long(tuned.frameMax)
    this.#send(payload.short(tuned.heartbeatSeconds).bytes)
    this.#send(new Payload(methods.open).text(this.#login.vhost).text('').bits(false).bytes)
    this.#step = 'open'
  }
}

/** The lower of two limits, of which 0 is none. */
const lower = (one: number, other: number): number =>
  one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other)
