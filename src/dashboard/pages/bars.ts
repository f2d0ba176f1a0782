/** Pictures of numbers as SVG, each with the same numbers as a table for who does not see it. */
import { html } from 'htm/preact'
import type { Html } from './parts.js'
import { number, say } from './say.js'

export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

interface BarsProps {
  readonly title: string
  /** What stands below each column. */
  readonly labels: readonly string[]
  readonly series: readonly Series[]
}

const [HEIGHT, LEFT, BELOW, ABOVE] = [190, 34, 20, 8]
const narrow = matchMedia('(max-width: 48rem)')

/** Columns, a series above the other. */
export function Bars({ title, labels, series }: BarsProps): Html {
  const sums = labels.map((_, at) =>
    series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
  )
  // Letters keep their size: what is narrower has fewer units across.
  const width = narrow.matches ? 340 : 640
  const top = niceTop(Math.max(...sums, 1))
  const inner = HEIGHT - BELOW - ABOVE
  const step = (width - LEFT) / labels.length
  const y = (value: number): number => ABOVE + inner - (value / top) * inner
  const columns = labels.map((label, at) => {
    let below = 0
    return series.map(({ name, values }, index) => {
      const value = values[at] ?? 0
      if (value === 0) return null
      below += value
      return html`<rect
        class=${`s${Math.min(index, 5)}`}
        x=${LEFT + at * step + step * 0.12}
        width=${step * 0.76}
        y=${y(below)}
        height=${Math.max(1, (value / top) * inner)}
      >
        <title>${label}, ${name}: ${number(value)}</title>
      </rect>`
    })
  })
  const every = Math.ceil(labels.length / (narrow.matches ? 4 : 8))
  return html`<figure class="picture">
    <svg class="chart" viewBox=${`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
      ${[0, top / 2, top].map(
        (value) =>
          html`<line x1=${LEFT} x2=${width} y1=${y(value)} y2=${y(value)} />
            <text x=${LEFT - 6} y=${y(value) + 4} text-anchor="end"
              >${number(value)}</text
            >`,
      )}
      ${columns}
      ${labels.map((label, at) =>
        at % every === 0
          ? html`<text
              x=${LEFT + at * step + step / 2}
              y=${HEIGHT - 4}
              text-anchor="middle"
            >
              ${label}
            </text>`
          : null,
      )}
    </svg>
    <ul class="legend" aria-hidden="true">
      ${series.map(
        ({ name, values }, index) =>
          html`<li>
            <i class=${`s${Math.min(index, 5)}`}></i>${name}
            <span class="soft"> ${number(values.reduce((a, b) => a + b, 0))}</span>
          </li>`,
      )}
    </ul>
    <table class="hidden">
      <caption>
        ${title}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say('time')}</th>
          ${series.map(({ name }) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${labels.map((label, at) =>
          sums[at] === 0
            ? null
            : html`<tr>
                <th scope="row">${label}</th>
                ${series.map(({ values }) => html`<td>${number(values[at] ?? 0)}</td>`)}
              </tr>`,
        )}
      </tbody>
    </table>
  </figure>`
}

/** An even number above, so that half of it is whole. */
function niceTop(most: number): number {
  const scale = 10 ** Math.floor(Math.log10(most))
  const found = [1, 2, 4, 6, 8, 10].find((step) => step * scale >= most) ?? 10
  return Math.max(2, found * scale)
}

/** A name, a number, and how much of all it is. */
export function Share({
  name,
  value,
  all,
  shown,
  index = 0,
}: {
  readonly name: unknown
  readonly value: number
  readonly all: number
  readonly shown?: string
  readonly index?: number
}): Html {
  const width = all === 0 ? 0 : (100 * value) / all
  return html`<li class="share">
    <span>${name}</span><span class="num soft">${shown ?? number(value)}</span>
    <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect class=${`s${index}`} width=${width} height="1" />
    </svg>
  </li>`
}
