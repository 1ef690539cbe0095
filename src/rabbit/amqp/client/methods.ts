/**
 * The methods of AMQP 0-9-1 that this client knows: class and method in one number, as they stand on the wire.
 * https://www.rabbitmq.com/amqp-0-9-1-reference
 */
const method = (classId: number, methodId: number): number => classId * 65_536 + methodId

export const connection = {
  start: method(10, 10),
  startOk: method(10, 11),
  tune: method(10, 30),
  tuneOk: method(10, 31),
  open: method(10, 40),
  openOk: method(10, 41),
  close: method(10, 50),
  closeOk: method(10, 51),
  blocked: method(10, 60),
  unblocked: method(10, 61),
}

export const channel = {
  open: method(20, 10),
  openOk: method(20, 11),
  flow: method(20, 20),
  flowOk: method(20, 21),
  close: method(20, 40),
  closeOk: method(20, 41),
}

export const exchange = {
  declare: method(40, 10),
  declareOk: method(40, 11),
  delete: method(40, 20),
  deleteOk: method(40, 21),
}

export const queue = {
  declare: method(50, 10),
  declareOk: method(50, 11),
  bind: method(50, 20),
  bindOk: method(50, 21),
  delete: method(50, 40),
  deleteOk: method(50, 41),
  unbind: method(50, 50),
  unbindOk: method(50, 51),
}

export const basic = {
  qos: method(60, 10),
  qosOk: method(60, 11),
  consume: method(60, 20),
  consumeOk: method(60, 21),
  cancel: method(60, 30),
  cancelOk: method(60, 31),
  publish: method(60, 40),
  return: method(60, 50),
  deliver: method(60, 60),
  get: method(60, 70),
  getOk: method(60, 71),
  getEmpty: method(60, 72),
  ack: method(60, 80),
  reject: method(60, 90),
  nack: method(60, 120),
}

export const confirm = { select: method(85, 10), selectOk: method(85, 11) }

/** A method by its numbers, for messages. */
export const nameOf = (id: number): string => `${Math.floor(id / 65_536)}.${id % 65_536}`

export const frame = { method: 1, header: 2, body: 3, heartbeat: 8, end: 0xce } as const
/** What a frame has around its payload: type, channel and size before it, the end octet behind it. */
export const frameOverhead = 8
/** What a content header has before its properties: class, weight and body size. */
export const headerPrefix = 12
export const basicClass = 60
