/** The value of an option that counts something; throws where it is no whole number above 0. */
export const countOf = (option: string, text: string): number => {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new Error(`${option}: must be a whole number above 0, found ${JSON.stringify(text)}`)
}
