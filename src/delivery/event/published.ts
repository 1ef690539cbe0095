import type { Message } from '../message/message.ts'
import type { CloudEvent } from './cloud-event.ts'

/** Some producers leave the timestamp at nothing; nothing was published before 2001. */
const earliestMs = 1e12

/** When an event was published, in ms since 1970, where that can be known: its `time`, else the timestamp of its message. */
export const publishedAt = ({ attributes }: CloudEvent, message: Message): number | undefined => {
  for (let at = 0; at < attributes.length; at += 2) {
    if (attributes[at] !== 'time') continue
    const time = Date.parse(String(attributes[at + 1]))
    return time >= earliestMs ? time : undefined
  }
  return stampedAt(message)
}

/** The timestamp of a message, in ms since 1970; it is of whole seconds. */
export const stampedAt = ({ properties: { timestamp } }: Message): number | undefined => {
  const time = Number(timestamp ?? 0) * 1_000
  return time >= earliestMs ? time : undefined
}
