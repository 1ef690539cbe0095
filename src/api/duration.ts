const unitMs = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** Milliseconds of a duration that matches the schema (`1h30m`, `500ms`); terms add up. */
export const milliseconds = (duration: string): number => {
  let total = 0
  for (const [, amount, unit] of duration.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs]
  }
  return total
}

/** The one shortest spelling of a duration: `60s` and `1m` are both `1m`, so equal delays share one name. */
export const durationText = (ms: number): string => {
  let rest = Math.max(0, Math.round(ms))
  let text = ''
  for (const [unit, size] of Object.entries(unitMs)) {
    const amount = Math.floor(rest / size)
    if (amount > 0) text += `${amount}${unit}`
    rest -= amount * size
  }
  return text || '0s'
}
