import type { Tracing } from '../telemetry/tracing.ts'
import type { TracingOptions } from './otlp.ts'

/**
 * The tracing that the environment asks for with the variables of OpenTelemetry; `undefined` where it asks for none, and then
 * none of its packages is loaded. What it asks for and cannot be had is logged: deliveries matter more. Never rejects.
 */
export const openTracing = async (options: TracingOptions): Promise<Tracing | undefined> => {
  const { log, env = process.env } = options
  const endpoint = endpointOf(env)
  if (endpoint === undefined) return undefined
  // The exporter would take the default for it, and say nothing.
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    log.warn({}, 'Nothing is traced: the endpoint in the OTEL variables must be an http:// or https:// URL')
    return undefined
  }
  try {
    const { startTracing } = await import('./otlp.ts')
    return startTracing({ ...options, env })
  } catch (error) {
    log.warn(
      { reason: error instanceof Error ? error.message : String(error) },
      'Nothing is traced: it cannot be set up',
    )
    return undefined
  }
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const endpointOf = (env: NodeJS.ProcessEnv): string | undefined => {
  const isOff = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER?.trim() === 'none'
  return isOff
    ? undefined
    : env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim() || env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || undefined
}
