/** What was kept: searched, page by page, and taken along. */
import { html } from 'htm/preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { filterIn } from '../filter.js'
import { Problem } from './api.js'
import { FilterBar } from './filter-bar.js'
import { keyOf, listed, moreOf, openList } from './list.js'
import { Card, Empty, Failed, Page } from './parts.js'
import type { Html } from './parts.js'
import { route } from './route.js'
import { Rows } from './rows.js'
import { number, say } from './say.js'

export function RecordPage(): Html {
  const text = route.value.query.toString()
  const filter = useMemo(() => filterIn(new URLSearchParams(text)), [text])
  const key = keyOf(filter)
  const [problem, setProblem] = useState<Problem>()
  const [isBusy, setBusy] = useState(false)
  const run = (work: Promise<void>): void => {
    setBusy(true)
    setProblem(undefined)
    work
      .catch((cause: unknown) => {
        if (cause instanceof Problem) setProblem(cause)
      })
      .finally(() => setBusy(false))
  }
  const load = (): void => run(openList(filter))
  useEffect(load, [key])
  const list = listed.value?.of === key ? listed.value : undefined
  return html`<${Page} title=${say('record')}>
    <${FilterBar} filter=${filter} path="record" hasTime=${true} />
    <${Failed} problem=${problem} again=${load} />
    <${Card}>
      ${
        list === undefined
          ? null
          : list.rows.length === 0 && list.next === null
            ? html`<${Empty} title=${say('nothingYet')}
                >${say(Object.keys(filter).length > 0 ? 'nothingFits' : 'nothingYetNext')}<//
              >`
            : html`<${Rows} rows=${list.rows} filter=${filter} name=${say('record')} />`
      }
      ${
        list === undefined
          ? null
          : html`<div class="row spread">
              <span class="soft">${say('rowsN', { n: number(list.rows.length) })}</span>
              ${
                list.next === null
                  ? null
                  : html`<button
                      type="button"
                      disabled=${isBusy}
                      onClick=${() => run(moreOf(filter))}
                    >
                      ${say('moreRows')}
                    </button>`
              }
            </div>`
      }
    <//>
    <p class="soft">${say('exportHow')} <code>yori audit export</code></p>
  <//>`
}
