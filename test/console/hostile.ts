import type { ShownLetter } from '../../src/delivery/letters/shown.ts'

/** Texts that must be seen, and do nothing. */
export const hostile = [
  `</title><script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  `a\r\nset-cookie: x=1`,
  `\u202egnp.exe\u0000`,
  `</textarea></pre></bdi><svg onload=alert(1)>`,
  '&lt;script&gt;${7*7}{{7*7}}',
]

/** A dead letter in which every text is this one. */
export const letterWith = (text: string, more: Partial<ShownLetter> = {}): ShownLetter => ({
  id: 'aaaaaaaaaaaaaaaa',
  group: 'bbbbbbbbbb',
  ...{ reason: text, error: text, problem: text, eventId: text, eventType: text, exchange: text, routingKey: text },
  ...{ contentType: text, messageId: text, statusCode: 503, attempts: 3, replays: 1, size: 2_000_000 },
  deadLettered: '2026-11-28T10:00:00.000Z',
  lastAttempts: [{ time: '2026-11-28T09:59:59.000Z', result: text, tookMs: 12 }],
  headers: [
    { name: text, value: text },
    { name: 'nested', value: { table: [{ name: text, value: [text] }] } },
    { name: 'authorization', masked: true },
  ],
  ...more,
})
