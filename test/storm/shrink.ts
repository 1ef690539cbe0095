/**
 * The fewest of `numbers` with which `fails` still holds, as far as removing halves, quarters and so on down to single ones
 * finds them. It asks at most `most` times.
 */
export const shrink = async (
  numbers: readonly number[],
  fails: (some: readonly number[]) => Promise<boolean>,
  most: number,
): Promise<readonly number[]> => {
  let rest = numbers
  let asked = 0
  for (let size = Math.ceil(rest.length / 2); size >= 1 && asked < most; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < rest.length && asked < most; ) {
      const without = [...rest.slice(0, from), ...rest.slice(from + size)]
      asked += 1
      if (await fails(without)) rest = without
      else from += size
    }
  }
  return rest
}
