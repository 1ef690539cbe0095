/** Loaded before a process of Waybill, for pictures: what would take an hour takes two minutes. */
import { hurried, variable } from './clock.ts'

const real = Date.now
const began = Number(process.env[variable])
const now = (): number => hurried(began, real())

globalThis.Date = class extends Date {
  constructor(...given: [] | [number | string | Date]) {
    super(given.length === 0 ? now() : given[0])
  }

  static override now = now
} as DateConstructor
