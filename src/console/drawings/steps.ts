/** One value for each of so many columns: their sum, or their latest. What is not known stays `null`. */
export const columnsOf = (
  values: readonly (number | null)[],
  columns: number,
  join: 'sum' | 'latest',
): (number | null)[] => {
  const width = Math.ceil(values.length / columns)
  return Array.from({ length: columns }, (_, column) => {
    const known = values.slice(column * width, (column + 1) * width).filter((value) => value !== null)
    if (known.length === 0) return null
    return join === 'sum' ? known.reduce((sum, value) => sum + value, 0) : (known.at(-1) ?? null)
  })
}

export type Scale = { readonly width: number; readonly height: number; readonly most: number }

/** Height over the ground; what there is little of can be seen all the same. */
const heightOf = (value: number, { height, most }: Scale): number =>
  value === 0 ? 0 : Math.max(1, Math.round((value / most) * height * 10) / 10)

const rounded = (value: number): number => Math.round(value * 10) / 10

/** A filled shape with a step for each column, as the data of an SVG path; it stands on `ground`, which are values below it. */
export const stepsPath = (
  values: readonly (number | null)[],
  scale: Scale,
  ground?: readonly (number | null)[],
): string => {
  let path = ''
  for (let at = 0; at < values.length; ) {
    const [value, base] = [values[at] ?? 0, ground?.[at] ?? 0]
    let end = at + 1
    while (end < values.length && (values[end] ?? 0) === value && (ground?.[end] ?? 0) === base) end += 1
    if (value > 0) {
      const bottom = rounded(scale.height - heightOf(base, scale))
      const top = rounded(Math.max(0, bottom - heightOf(value, scale)))
      path += `M${at * scale.width} ${bottom}V${top}h${(end - at) * scale.width}V${bottom}z`
    }
    at = end
  }
  return path
}

/** A line through the middle of each column; broken where nothing is known. */
export const linePath = (values: readonly (number | null)[], scale: Scale): string => {
  let path = ''
  let before: number | undefined
  values.forEach((value, at) => {
    if (value === null) {
      before = undefined
      return
    }
    const y = rounded(scale.height - 0.5 - (value / scale.most) * (scale.height - 1))
    const x = rounded((at + 0.5) * scale.width)
    const isSame = y === before && y === lineHeight(values[at + 1], scale)
    if (before === undefined) path += `M${x} ${y}`
    else if (!isSame) path += `L${x} ${y}`
    before = y
  })
  return path
}

const lineHeight = (value: number | null | undefined, { height, most }: Scale): number | undefined =>
  typeof value === 'number' ? rounded(height - 0.5 - (value / most) * (height - 1)) : undefined
