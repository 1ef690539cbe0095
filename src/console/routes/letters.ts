import { subscription } from '../../api/kinds/subscription.ts'
import type { ResourceName } from '../../api/resource.ts'
import { filterIn, filterNames } from '../filter.ts'
import { letterPage } from '../pages/letter.ts'
import { lettersOnPage, lettersPage } from '../pages/letters.ts'
import type { Html } from '../pages/markup.ts'
import { paths } from '../pages/paths.ts'
import type { RevealedHeader } from '../port.ts'
import type { Pages } from '../served.ts'
import { type Visit, viewerOf } from '../visit.ts'
import { mayIn, namedIn } from './subscription.ts'

const mostParts = 250
const base = '/subscriptions/:namespace/:name/deadletters'

export const addLetters = ({ get, post }: Pages): void => {
  get(base, async (visit, context) => {
    const { backend, nowMs } = visit
    const of = namedIn(context.req.param())
    const given = new URL(context.req.url).searchParams
    const filter = filterIn(given, nowMs)
    // The address is the filter, so that it means the same for everybody who gets it, also later.
    if (isUntidy(given, filter)) return context.redirect(paths.letters(of, filter), 303)
    const part = Math.min(mostParts, Math.max(1, Number.parseInt(given.get('part') ?? '1', 10) || 1))
    const query = new URLSearchParams(filter)
    query.set('limit', String(part * lettersOnPage + 1))
    const [listed, found, may] = await Promise.all([
      backend.letters(of, query),
      backend.get(subscription, of).catch(() => undefined),
      mayIn(backend, of.namespace),
    ])
    const about = found?.status?.deadLetters?.count
    return lettersPage({ viewer: viewerOf(visit), nowMs, of, filter, listed, part, about, may })
  })

  get(`${base}/:id`, async (visit, context) => {
    const params = context.req.param()
    return shownLetter(visit, namedIn(params), params.id ?? '')
  })

  post(`${base}/:id/body`, async (visit, form, context) => {
    const params = context.req.param()
    const [of, id] = [namedIn(params), params.id ?? '']
    const body = await visit.backend.body(of, id)
    if (!form.has('download')) return shownLetter(visit, of, id, { body })
    return context.body(new Uint8Array(body), 200, {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${id.replace(/[^a-z0-9]/gi, '')}.bin"`,
    })
  })

  post(`${base}/:id/headers`, async (visit, _form, context) => {
    const params = context.req.param()
    const [of, id] = [namedIn(params), params.id ?? '']
    return shownLetter(visit, of, id, { revealed: await visit.backend.headers(of, id) })
  })
}

const isUntidy = (given: URLSearchParams, filter: URLSearchParams): boolean => {
  const own = new URLSearchParams([...given].filter(([name]) => filterNames.includes(name)))
  const rest = [...given.keys()].filter((name) => name !== 'part' && !filterNames.includes(name))
  own.sort()
  const sorted = new URLSearchParams(filter)
  sorted.sort()
  return rest.length > 0 || own.toString() !== sorted.toString()
}

type Asked = { readonly body?: Uint8Array; readonly revealed?: readonly RevealedHeader[] }

const shownLetter = async (visit: Visit, of: ResourceName, id: string, asked: Asked = {}): Promise<Html> => {
  const { backend } = visit
  const [found, may, body] = await Promise.all([
    backend.letter(of, id),
    mayIn(backend, of.namespace),
    backend.may({ verb: 'get', resource: 'subscriptions/deadletterbodies', namespace: of.namespace }),
  ])
  return letterPage({ viewer: viewerOf(visit), of, found, may: { ...may, body }, ...asked })
}
