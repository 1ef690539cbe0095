import { createLog, type LogLevel } from '../../src/telemetry/log.ts'

const linesOf = (level: LogLevel, write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] => {
  let text = ''
  const to = {
    write: (line: string) => {
      text += line
    },
  }
  write(createLog({ level, to }))
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

test('a log line is one JSON object, with the fields of its log', () => {
  const lines = linesOf('info', (log) => log.child({ broker: 'shop/main' }).info({ queues: 3 }, 'Observed the broker'))
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      broker: 'shop/main',
      queues: 3,
      message: 'Observed the broker',
    },
  ])
})

test('log lines below the level of the log are left out', () => {
  const lines = linesOf('warn', (log) => {
    log.debug({}, 'a')
    log.info({}, 'b')
    log.warn({}, 'c')
    log.error({}, 'd')
  })
  expect(lines.map(({ level }) => level)).toEqual(['warn', 'error'])
})

test('an error is logged with its code and causes, without its other properties', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', config: { password: 'hunter2' } })
  const [line] = linesOf('info', (log) => log.error({ error: new TypeError('no broker', { cause }) }, 'Failed'))
  expect(line?.error).toMatchObject({ type: 'TypeError', message: 'no broker', cause: { code: 'ECONNREFUSED' } })
  expect(JSON.stringify(line)).not.toContain('hunter2')
})

test.each([
  { url: 'amqp://ann:hunter2@host/' },
  { error: new Error('cannot reach https://ann:hunter2@host/x') },
  { password: 'hunter2' },
  { options: { password: 'hunter2' } },
  { headers: { authorization: 'Basic hunter2' } },
  { connection_string: 'hunter2' },
  { list: ['http://ann:hunter2@host'] },
])('a secret in a log line is masked: %j', (fields) => {
  const lines = linesOf('info', (log) => log.info(fields, 'At amqp://ann:hunter2@host'))
  expect(lines).toHaveLength(1)
  expect(JSON.stringify(lines)).not.toContain('hunter2')
})
