import { methodFrame } from '../../support/amqp-proxy.ts'
import type { Fault } from '../fault.ts'

/** Faults between Waybill and the broker. */

export const cut: Fault = async ({ amqp }) => {
  amqp.cut()
  return async () => amqp.cut()
}

export const silent =
  (towards?: 'client' | 'target'): Fault =>
  async ({ amqp }) => {
    amqp.goSilent(towards)
    return async () => amqp.recover()
  }

export const sliced: Fault = async ({ amqp }, random) => {
  amqp.shape(random.pick([1, 3, 7]), 0)
  return async () => amqp.shape(0, 0)
}

export const slow: Fault = async ({ amqp }, random) => {
  amqp.shape(random.pick([200, 2_000]), random.between(5, 50))
  return async () => amqp.shape(0, 0)
}

const text = (words: string): Buffer => Buffer.concat([Buffer.of(words.length), Buffer.from(words)])
const short = (number: number): Buffer => Buffer.of(number >> 8, number & 255)

const closing =
  (classId: number, methodId: number, codes: readonly number[]): Fault =>
  async ({ amqp }, random) => {
    const fields = Buffer.concat([short(random.pick(codes)), text('STORM - inserted'), Buffer.alloc(4)])
    amqp.insert((channel) => methodFrame(classId === 10 ? 0 : channel, classId, methodId, fields))
    return async () => undefined
  }

export const connectionClose = closing(10, 50, [320, 501, 541])
export const channelClose = closing(20, 40, [404, 406, 541])

export const managementCut: Fault = async ({ management }) => {
  management.cut()
  management.goSilent()
  return async () => {
    management.recover()
    management.cut()
  }
}
