/**
 * Exchanges as they end: one `EventSource` for the whole page, closed while nobody looks at it.
 * What comes is handed on twice a second at most, however much it is.
 */
import { signal } from '@preact/signals'
import type { Row } from '../filter.js'

/** Two frames a second. */
export const FRAME_MS = 500
/** Of one frame; older ones are counted. */
export const MOST_IN_FRAME = 200

export interface Frame {
  readonly rows: readonly Row[]
  /** So many were left out, here or by YORI. */
  readonly left: number
}

type Listener = (frame: Frame) => void

export const connection = signal<'on' | 'off' | 'wait'>('wait')
/** Counts the times when something may have been missed: what is listed is asked for anew. */
export const missed = signal(0)
/** Between two pages nobody listens for a moment. */
const LINGER_MS = 1_000

let hasOpened = false

let source: EventSource | undefined
let waiting: Row[] = []
let left = 0
let timer: number | undefined
let lastFrame = -Infinity
const listeners = new Set<Listener>()

/** Until the function that it gives is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener)
  open()
  return () => {
    listeners.delete(listener)
    setTimeout(() => listeners.size === 0 && close(), LINGER_MS)
  }
}

function open(): void {
  if (source !== undefined || listeners.size === 0 || document.hidden) return
  source = new EventSource('/api/events')
  source.addEventListener('open', () => {
    connection.value = 'on'
    if (hasOpened) missed.value++
    hasOpened = true
  })
  source.addEventListener('error', () => {
    connection.value = 'off'
    // Refused for good: tried again by hand, since the browser does not.
    if (source?.readyState === EventSource.CLOSED) {
      close()
      setTimeout(open, 5_000)
    }
  })
  source.addEventListener('exchanges', (event) => {
    take(JSON.parse((event as MessageEvent<string>).data) as Told)
  })
}

interface Told {
  readonly exchanges: readonly Row[]
  readonly left_out: number
}

function close(): void {
  source?.close()
  source = undefined
  connection.value = 'wait'
}

function take({ exchanges, left_out: leftOut }: Told): void {
  waiting.push(...exchanges)
  left += leftOut
  const over = waiting.length - MOST_IN_FRAME
  if (over > 0) {
    waiting.splice(0, over)
    left += over
  }
  const wait = lastFrame + FRAME_MS - performance.now()
  timer ??= setTimeout(flush, Math.max(0, wait))
}

function flush(): void {
  timer = undefined
  lastFrame = performance.now()
  const frame = { rows: waiting, left }
  waiting = []
  left = 0
  for (const listener of [...listeners]) listener(frame)
}

document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
