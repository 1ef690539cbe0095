import { hash } from 'node:crypto'
import { base32 } from './base32.ts'

/** What is the same for all dead letters of one cause. */
export type Cause = {
  readonly reason: string
  readonly statusCode: number | undefined
  readonly problem: string | undefined
  readonly error: string
}

const mostCharacters = 512
const cutTo = 120

/** Most dead letters of a queue have one of a few causes. */
const known = new Map<string, string>()
const mostKnown = 200

/** Ten characters that are the same for dead letters of the same cause: the group that they belong to. */
export const fingerprint = ({ reason, statusCode, problem, error }: Cause): string => {
  const parts = [reason, statusCode ?? '', problem ?? '']
  const key = [...parts, error.slice(0, mostCharacters)].join('\0')
  const before = known.get(key)
  if (before !== undefined) return before
  const found = base32(hash('sha256', [...parts, normalised(error)].join('\0'), 'buffer')).slice(0, 10)
  if (known.size >= mostKnown) known.clear()
  known.set(key, found)
  return found
}

/**
 * An error without what differs between two messages of one cause: numbers, ids, addresses, times and what stands in quotes.
 * Takes linear time, whatever the text.
 */
export const normalised = (error: string): string => {
  const end = error.indexOf('; given up after ')
  const text = error.slice(0, Math.min(end === -1 ? error.length : end, mostCharacters))
  let out = ''
  for (let at = 0; at < text.length && out.length < cutTo; ) {
    const code = text.charCodeAt(at)
    const next = isQuote(code) ? endOfQuoted(text, at) : isWord(code) ? endOfWord(text, at) : at + 1
    out += isQuote(code) ? '"…"' : isWord(code) ? generalised(text.slice(at, next)) : text[at]
    at = next
  }
  return out.slice(0, cutTo)
}

const isQuote = (code: number): boolean => code === 0x22 || code === 0x27 || code === 0x60

/** The end of what is quoted; an opening quote that nothing closes stands for all that follows. */
const endOfQuoted = (text: string, start: number): number => {
  const end = text.indexOf(text[start] as string, start + 1)
  return end === -1 ? text.length : end + 1
}

/** Letters, digits, and what holds together an id, an address or a time. */
const isWord = (code: number): boolean =>
  isDigit(code) || isLetter(code) || code === 0x2d || code === 0x2e || code === 0x3a || code === 0x5f || code > 0x7f

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a

const endOfWord = (text: string, start: number): number => {
  let at = start
  while (at < text.length && isWord(text.charCodeAt(at))) at += 1
  return at
}

/** A word with a digit is taken for an id, an address, a number or a time; a full stop behind it stays. */
const generalised = (word: string): string => {
  for (let at = 0; at < word.length; at++) if (isDigit(word.charCodeAt(at))) return word.endsWith('.') ? '#.' : '#'
  return word
}
