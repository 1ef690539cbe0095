/**
 * What a terminal would act on or hide: control characters, marks that turn the direction of text, characters without width,
 * separators of lines, and halves of characters.
 */
const unsafe =
  /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

const escaped = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`

/** A text of a message in one line, safe to print. */
export const visible = (text: string): string => text.replace(unsafe, escaped)

/** A body that is text, safe to print; its lines and tabs stay. */
export const visibleLines = (text: string): string =>
  text.replace(unsafe, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))

/** JSON that is safe to print, and still the same JSON. */
export const visibleJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(unsafe, (character) =>
    character === '\n'
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join(''),
  )

/** A text in one line, safe to print, with so many characters at most. */
export const short = (text: string, most: number): string => {
  const shown = visible(text)
  return shown.length > most ? `${shown.slice(0, most - 1).toWellFormed()}…` : shown
}
