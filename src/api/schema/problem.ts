/** One problem of a resource: where, what was found, and what would be right. */
export type Problem = {
  /** Path of the field as kubectl prints it: `spec.delivery.timeout`, `spec.bindings[0].topicRef`; '' for the whole. */
  readonly field: string
  /** The value found; left out where something is missing. */
  readonly value?: unknown
  /** What is wrong and what to do, without the field and the value. */
  readonly message: string
}

/** `spec.delivery.timeout: must match …, found "5 parsecs"`. */
export const problemText = ({ field, value, message }: Problem): string => {
  const found = value === undefined ? '' : `, found ${shortened(value)}`
  return `${field && `${field}: `}${message}${found}`
}

const shortened = (value: unknown): string => {
  // A password in a URL is refused, so it may well be in this value; it must not be shown.
  const text = (JSON.stringify(value) ?? String(value)).replace(/\/\/[^\s"]*@/g, '//***@')
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
