import rhea, { type Message, type Sender } from 'rhea'
import type { Vhost } from './vhost.ts'

/** Sends messages to a queue as an AMQP 1.0 producer does, each once the broker has taken the one before. RabbitMQ 4. */
export const sendAmqp10 = async (vhost: Vhost, queue: string, messages: readonly Message[]): Promise<void> => {
  const { amqp, username, password } = vhost.endpoint
  const container = rhea.create_container()
  const connection = container.connect({
    ...{ host: amqp.hostname, port: amqp.port, username, password, reconnect: false },
    hostname: `vhost:${vhost.name}`,
  })
  try {
    const sender = await new Promise<Sender>((resolve, reject) => {
      container.once('sendable', ({ sender }) => resolve(sender as Sender))
      container.once('sender_error', ({ sender }) => reject(sender?.error as Error))
      container.once('disconnected', ({ error }) => reject(error ?? new Error('the broker closed the connection')))
      connection.open_sender({ target: { address: `/queues/${encodeURIComponent(queue)}` } })
    })
    for (const message of messages) {
      const settled = new Promise((resolve) => container.once('settled', resolve))
      sender.send(message)
      await settled
    }
  } finally {
    container.removeAllListeners('disconnected')
    container.on('disconnected', () => {})
    connection.close()
  }
}
