/** The filter of a page, as a form; it stands in the address, and so survives every link. */
import { html } from 'htm/preact'
import type { FilterName, RowFilter } from '../filter.js'
import type { TextKey } from '../texts.js'
import type { Html } from './parts.js'
import { go, href, route } from './route.js'
import { say } from './say.js'

const OUTCOMES: readonly (readonly [string, TextKey])[] = [
  ['', 'any'],
  ['response', 'outcomeResponse'],
  ['block', 'outcomeBlock'],
  ['error', 'outcomeError'],
  ['request', 'outcomeOpen'],
]
const SPANS: readonly (readonly [string, TextKey])[] = [
  ['', 'any'],
  ['1h', 'lastHour'],
  ['24h', 'lastDay'],
  ['7d', 'lastWeek'],
  ['30d', 'lastMonth'],
]
/** Those that have no field of their own are shown as what they are, and can be taken off. */
const WITH_FIELD: readonly FilterName[] = ['device', 'model', 'outcome', 'text', 'since']

interface FilterProps {
  readonly filter: RowFilter
  /** Of the page that it is on. */
  readonly path: string
  readonly hasTime: boolean
}

export function FilterBar({ filter, path, hasTime }: FilterProps): Html {
  const change = (name: FilterName, value: string): void =>
    go(href([path], { ...filter, [name]: value }), 'replace')
  const field = (name: FilterName, label: TextKey): unknown =>
    html`<div class="field">
      <label for=${`f-${name}`}>${say(label)}</label>
      <input
        id=${`f-${name}`}
        type="search"
        value=${filter[name] ?? ''}
        maxlength="256"
        onChange=${(event: Event) => change(name, (event.target as HTMLInputElement).value)}
      />
    </div>`
  const choice = (
    name: FilterName,
    label: TextKey,
    values: readonly (readonly [string, TextKey])[],
  ): unknown =>
    html`<div class="field">
      <label for=${`f-${name}`}>${say(label)}</label>
      <select
        id=${`f-${name}`}
        value=${filter[name] ?? ''}
        onChange=${(event: Event) => change(name, (event.target as HTMLSelectElement).value)}
      >
        ${values.map(
          ([value, text]) =>
            html`<option value=${value} selected=${(filter[name] ?? '') === value}>
              ${say(text)}
            </option>`,
        )}
      </select>
    </div>`
  const others = (Object.entries(filter) as [FilterName, string][]).filter(
    ([name]) => !WITH_FIELD.includes(name),
  )
  return html`<form
    class="filters"
    role="search"
    aria-label=${say('filter')}
    onSubmit=${(event: Event) => event.preventDefault()}
  >
    ${field('text', 'words')} ${field('device', 'device')} ${field('model', 'model')}
    ${choice('outcome', 'outcome', OUTCOMES)}
    ${hasTime ? choice('since', 'since', SPANS) : null}
    ${others.map(
      ([name, value]) =>
        html`<button type="button" onClick=${() => change(name, '')}>
          ${name}: ${value.slice(0, 24)} ✕
        </button>`,
    )}
    ${
      Object.keys(filter).length === 0
        ? null
        : html`<div class="row">
            <a class="button" href=${href(route.value.parts)}>${say('noFilter')}</a>
          </div>`
    }
  </form>`
}
