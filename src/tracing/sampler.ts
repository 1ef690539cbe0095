import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'

/**
 * The sampler that `OTEL_TRACES_SAMPLER` and its argument name. Without them, or with others, a span is sampled where what it
 * is a part of is, and where it begins a trace.
 */
export const samplerOf = (name: string | undefined, argument: string | undefined): Sampler => {
  const [, parentBased, root = 'always_on'] = /^(parentbased_)?(.+)$/.exec(name?.trim().toLowerCase() ?? '') ?? []
  const found = rootOf(root, argument)
  if (found && parentBased === undefined && name) return found
  return new ParentBasedSampler({ root: found ?? new AlwaysOnSampler() })
}

const rootOf = (name: string, argument: string | undefined): Sampler | undefined => {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler()
    case 'always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratioOf(argument))
    default:
      return undefined
  }
}

const ratioOf = (argument: string | undefined): number => {
  const ratio = Number(argument?.trim() || 1)
  return ratio >= 0 && ratio <= 1 ? ratio : 1
}
