/** Where the page is: `#/live?device=phone`. Filters stand in the address, so that it can be kept. */
import { signal } from '@preact/signals'

export interface Route {
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

function read(): Route {
  const hash = location.hash.replace(/^#\/?/, '')
  const mark = hash.indexOf('?')
  const path = mark < 0 ? hash : hash.slice(0, mark)
  return {
    parts: path.split('/').filter(Boolean).map(decoded),
    query: new URLSearchParams(mark < 0 ? '' : hash.slice(mark + 1)),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const route = signal<Route>(read())
addEventListener('hashchange', () => (route.value = read()))

type Values = Readonly<Record<string, string | undefined>>

/** An address of ours; what is undefined or empty is left out. */
export function href(
  parts: readonly string[],
  query: Values | URLSearchParams = {},
): string {
  const pairs =
    query instanceof URLSearchParams
      ? [...query]
      : (Object.entries(query) as [string, string][])
  const kept = pairs.filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(kept).toString()
  return `#/${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') location.hash = to
  else {
    history.replaceState(null, '', to)
    route.value = read()
  }
}
