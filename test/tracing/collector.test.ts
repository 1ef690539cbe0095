import { openTracing } from '../../src/tracing/open.ts'
import { startTracing } from '../../src/tracing/otlp.ts'
import { samplerOf } from '../../src/tracing/sampler.ts'
import { startTraceCollector } from '../support/trace-collector.ts'
import { eventually } from '../support/wait.ts'

const lines: { readonly fields: object; readonly message: string }[] = []
const say = (fields: object, message: string): void => void lines.push({ fields, message })
const log = { info: () => undefined, warn: say }
const none = () => ({})
const service = { service: 'waybill', version: '1', log }

/** The exporter reads its own variables from the process. */
const withEndpoint = async (url: string, test: () => Promise<void>): Promise<void> => {
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: '500' })
  try {
    await test()
  } finally {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
    delete process.env.OTEL_EXPORTER_OTLP_TIMEOUT
  }
}
beforeEach(() => void lines.splice(0))

test('without an endpoint, or disabled, there is no tracing', async () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  for (const env of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
    { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
  ])
    expect(await openTracing({ ...service, env })).toBeUndefined()
})

test('an endpoint that is no URL is logged, and nothing is traced', () =>
  withEndpoint('nowhere', async () => {
    expect(await openTracing(service)).toBeUndefined()
    expect(lines.map(({ message }) => message)).toEqual([expect.stringContaining('must be an http:// or https:// URL')])
  }))

test('a collector that refuses is complained about once', async () => {
  const collector = await startTraceCollector(400)
  await withEndpoint(collector.url, async () => {
    const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' }
    const tracing = startTracing({ ...service, env })
    for (let at = 1; at <= 5; at++) tracing.start({ name: 'x', at, attributes: none }).end(at, none)
    await eventually(() => collector.requests >= 2)
    await tracing.close()
    expect(lines).toEqual([
      {
        fields: { spans: 1, reason: expect.any(String) },
        message: 'Could not send spans to the collector, they are lost',
      },
    ])
  })
  await collector.close()
})

test('what is not sampled is neither asked for nor sent, and has its place in its trace; what is says all of it', async () => {
  const collector = await startTraceCollector()
  await withEndpoint(collector.url, async () => {
    const tracing = startTracing({ ...service, env: {} })
    const asked: string[] = []
    const attributes = (name: string) => () => {
      asked.push(name)
      return { name, long: 'x'.repeat(1_000), nothing: undefined }
    }
    for (const [name, flags] of [
      ['not sampled', '00'],
      ['sampled', '01'],
    ] as const) {
      const parent = { traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-${flags}` }
      const span = tracing.start({ name, parent, at: 1, attributes: attributes(name) })
      expect(span.isRecorded).toBe(name === 'sampled')
      expect(span.context.traceparent).toMatch(new RegExp(`^00-1{32}-(?!1{16})[0-9a-f]{16}-${flags}$`))
      span.end(2, attributes(`end of ${name}`), 'Timeout')
    }
    expect(await tracing.close()).toBe(true)
    expect(asked).toEqual(['sampled', 'end of sampled'])
    expect(collector.spans).toEqual([
      expect.objectContaining({
        name: 'sampled',
        attributes: { name: 'end of sampled', long: 'x'.repeat(512), 'error.type': 'Timeout' },
      }),
    ])
  })
  await collector.close()
})

test('a collector that never answers does not hold up the end', async () => {
  const collector = await startTraceCollector(0)
  await withEndpoint(collector.url, async () => {
    const tracing = startTracing({ ...service, env: { OTEL_BSP_EXPORT_TIMEOUT: '60000' } })
    tracing.start({ name: 'x', at: 1, attributes: none }).end(2, none)
    expect(await tracing.close(50)).toBe(false)
  })
  await collector.close()
})

test.each([
  [undefined, undefined, 'ParentBased{root=AlwaysOnSampler'],
  ['parentbased_always_off', undefined, 'ParentBased{root=AlwaysOffSampler'],
  ['parentbased_traceidratio', '0.25', 'ParentBased{root=TraceIdRatioBased{0.25}'],
  ['traceidratio', 'all', 'TraceIdRatioBased{1}'],
  ['always_off', undefined, 'AlwaysOffSampler'],
  ['jaeger_remote', undefined, 'ParentBased{root=AlwaysOnSampler'],
])('the sampler %s with the argument %s', (name, argument, sampler) => {
  expect(String(samplerOf(name, argument))).toContain(sampler)
})
