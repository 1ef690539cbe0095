const minute = 60
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

/** How long ago, in the words of kubectl: `45s`, `3m20s`, `5h`, `12d`; two units only where the second matters. */
export const age = (seconds: number): string => {
  const s = Math.max(0, Math.floor(seconds))
  if (s < 2 * minute) return `${s}s`
  if (s < 10 * minute) return both(s, minute, 'm', 1, 's')
  if (s < 3 * hour) return `${Math.floor(s / minute)}m`
  if (s < 8 * hour) return both(s, hour, 'h', minute, 'm')
  if (s < 2 * day) return `${Math.floor(s / hour)}h`
  if (s < 8 * day) return both(s, day, 'd', hour, 'h')
  if (s < 2 * year) return `${Math.floor(s / day)}d`
  if (s < 8 * year) return both(s, year, 'y', day, 'd')
  return `${Math.floor(s / year)}y`
}

const both = (seconds: number, large: number, largeName: string, small: number, smallName: string): string => {
  const rest = Math.floor((seconds % large) / small)
  return `${Math.floor(seconds / large)}${largeName}${rest > 0 ? `${rest}${smallName}` : ''}`
}

/** How long ago a time was; empty where it is none. */
export const ago = (time: unknown, nowMs: number): string => {
  const ms = Date.parse(String(time))
  return Number.isNaN(ms) ? '' : age((nowMs - ms) / 1000)
}
