const reading: ReadonlySet<string> = new Set(['GET', 'LIST', 'WATCH', 'CONNECT', 'WATCHLIST'])

/**
 * How often each resource was written to, from the metrics of an API server. Leases are left out: their holders renew
 * them all the time.
 */
export const requestTotals = (metrics: string): ReadonlyMap<string, number> => {
  const totals = new Map<string, number>()
  for (const [, labels = '', count] of metrics.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    const resource = [label('resource'), label('subresource')].filter(Boolean).join('/')
    if (reading.has(label('verb')) || resource === 'leases') continue
    totals.set(resource, (totals.get(resource) ?? 0) + Number(count))
  }
  return totals
}

/** Which resources were written to in between, and how often. */
export const difference = (
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> =>
  new Map(
    [...after].flatMap(([resource, count]) => {
      const more = count - (before.get(resource) ?? 0)
      return more > 0 ? [[resource, more]] : []
    }),
  )
