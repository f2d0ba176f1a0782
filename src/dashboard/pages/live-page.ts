/** What happens, as it happens: a table that follows, and waits while one reads further down. */
import { useSignal } from '@preact/signals'
import { html } from 'htm/preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { filterIn, fits } from '../filter.js'
import type { Row } from '../filter.js'
import { Problem } from './api.js'
import { FilterBar } from './filter-bar.js'
import { keyOf, listed, openList, withNew } from './list.js'
import { Card, Empty, Failed, Page } from './parts.js'
import type { Html } from './parts.js'
import { href, route } from './route.js'
import { Rows } from './rows.js'
import { number, say } from './say.js'
import { connection, listen, missed } from './stream.js'

/** Further down than so many pixels, one reads. */
const READING_PX = 160
/** What comes meanwhile; more is counted. */
const MOST_HELD = 200

const NONE: ReadonlySet<string> = new Set()

export function LivePage(): Html {
  const text = route.value.query.toString()
  const filter = useMemo(() => {
    const { since: _since, ...rest } = filterIn(new URLSearchParams(text))
    return rest
  }, [text])
  const key = keyOf(filter)
  const [problem, setProblem] = useState<Problem>()
  const [fresh, setFresh] = useState<ReadonlySet<string>>(NONE)
  const [isHeld, setHeld] = useState(false)
  const isByHand = useRef(false)
  const held = useRef<Row[]>([])
  /** What came before the list was there. */
  const early = useRef<Row[]>([])
  const heldCount = useSignal(0)
  const left = useSignal(0)

  const show = (come: readonly Row[]): void => {
    const now = listed.peek()
    if (now === undefined || now.of !== key) {
      early.current.push(...come)
      return
    }
    const next = withNew(now.rows, come)
    listed.value = { ...now, rows: next.rows }
    setFresh(next.fresh)
  }
  const goOn = (): void => {
    isByHand.current = false
    setHeld(false)
    show(held.current)
    held.current = []
    heldCount.value = 0
  }
  const state = useRef({ isHeld, show })
  state.current = { isHeld, show }

  const load = (): void => {
    setProblem(undefined)
    openList(filter)
      .then(() => {
        state.current.show(early.current)
        early.current = []
      })
      .catch((cause: unknown) => {
        if (cause instanceof Problem) setProblem(cause)
      })
  }
  useEffect(load, [key, missed.value])

  useEffect(() => {
    held.current = []
    early.current = []
    heldCount.value = 0
    return listen(({ rows, left: count }) => {
      left.value += count
      const come = rows.filter((row) => fits(row, filter))
      if (come.length === 0) return
      if (!state.current.isHeld) return state.current.show(come)
      held.current.push(...come)
      const over = held.current.length - MOST_HELD
      if (over > 0) held.current.splice(0, over)
      heldCount.value += come.length
    })
  }, [key])

  useEffect(() => {
    const look = (): void => {
      if (isByHand.current) return
      const isReading = scrollY > READING_PX
      if (isReading === state.current.isHeld) return
      if (isReading) setHeld(true)
      else goOn()
    }
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [key])

  const toggle = (): void => {
    if (isHeld) {
      goOn()
      scrollTo({ top: 0 })
      return
    }
    isByHand.current = true
    setHeld(true)
  }
  const rows = listed.value?.of === key ? listed.value.rows : undefined
  const side = html`<${Follow} isHeld=${isHeld} count=${heldCount.value} />
    <button type="button" aria-pressed=${isHeld ? 'true' : 'false'} onClick=${toggle}>
      ${say(isHeld ? 'goOn' : 'pause')}
    </button>`
  return html`<${Page} title=${say('live')} side=${side}>
    <${FilterBar} filter=${filter} path="live" hasTime=${false} />
    <${Failed} problem=${problem} again=${load} />
    ${
      left.value === 0
        ? null
        : html`<p class="warn">${say('leftOutN', { n: number(left.value) })}</p>`
    }
    <${Card}>
      ${
        rows === undefined
          ? null
          : rows.length === 0
            ? html`<${Empty} title=${say('nothingYet')}
                >${
                  Object.keys(filter).length > 0
                    ? say('nothingFits')
                    : html`${say('nothingYetNext')}
                        <p>
                          <a class="button" href=${href(['trust'])}>${say('trust')}</a>
                        </p>`
                }<//
              >`
            : html`<${Rows}
                rows=${rows}
                filter=${filter}
                fresh=${fresh}
                name=${say('live')}
              />`
      }
    <//>
  <//>`
}

function Follow({
  isHeld,
  count,
}: {
  readonly isHeld: boolean
  readonly count: number
}): Html {
  const isOn = connection.value === 'on'
  const kind = isHeld ? '' : isOn ? 'on' : 'off'
  const text = isHeld
    ? say('heldN', { n: number(count) })
    : say(isOn ? 'following' : connection.value === 'off' ? 'lost' : 'connecting')
  return html`<span class="soft" role="status"
    ><i class=${`dot ${kind}`}></i>${text}</span
  >`
}
