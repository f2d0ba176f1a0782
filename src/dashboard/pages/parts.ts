/** What every page is made of. */
import { html } from 'htm/preact'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import type { TextKey } from '../texts.js'
import { busy } from './api.js'
import type { Problem } from './api.js'
import { say } from './say.js'

export type Html = VNode | VNode[] | null
/** What htm gives. */
export const one = (node: VNode | VNode[]): VNode => node as VNode

interface PageProps {
  readonly title: string
  readonly side?: ComponentChildren
  readonly children?: ComponentChildren
}

/** A page with its heading; where the page is new, a screen reader begins there. */
export function Page({ title, side, children }: PageProps): Html {
  useEffect(() => {
    document.title = `${title} · YORI`
  }, [title])
  return html`<div class="head">
      <h1>${title}</h1>
      ${busy.value > 0 ? html`<${Busy} />` : null} ${side}
    </div>
    ${children}`
}

export function Busy(): Html {
  return html`<span class="busy" role="status">${say('busy')}</span>`
}

interface CardProps {
  readonly title?: string
  readonly id?: string
  readonly kind?: string
  readonly children?: ComponentChildren
}

export function Card({ title, id, kind = '', children }: CardProps): Html {
  const name = id ?? `card-${(title ?? '').replaceAll(/\W+/g, '-').toLowerCase()}`
  return html`<section
    class=${`card ${kind}`}
    aria-labelledby=${title === undefined ? undefined : name}
  >
    ${title === undefined ? null : html`<h2 id=${name}>${title}</h2>`} ${children}
  </section>`
}

/** Nothing is there, and what to do next. */
export function Empty({
  title,
  children,
}: {
  readonly title: string
  readonly children?: ComponentChildren
}): Html {
  return html`<div class="empty"><strong>${title}</strong>${children}</div>`
}

/** What went wrong, and a way on. */
export function Failed({
  problem,
  again,
}: {
  readonly problem: Problem | undefined
  readonly again?: () => void
}): Html {
  if (problem === undefined) return null
  return html`<div class="note bad" role="alert">
    <div><p>${problem.message}</p></div>
    ${
      again === undefined
        ? null
        : html`<button type="button" onClick=${again}>${say('again')}</button>`
    }
  </div>`
}

export function Note({
  kind = '',
  children,
}: {
  readonly kind?: '' | 'bad' | 'warn'
  readonly children?: ComponentChildren
}): Html {
  return html`<div class=${`note ${kind}`}><div>${children}</div></div>`
}

/** A table that scrolls sideways in itself, and may be reached by keyboard for that. */
export function Wide({
  name,
  children,
}: {
  readonly name: string
  readonly children?: ComponentChildren
}): Html {
  return html`<div class="wide" role="region" aria-label=${name} tabindex="0">
    ${children}
  </div>`
}

const OUTCOMES: Readonly<Record<string, readonly [string, TextKey]>> = {
  response: ['quiet', 'outcomeResponse'],
  block: ['bad', 'outcomeBlock'],
  error: ['warn', 'outcomeError'],
  request: ['quiet', 'outcomeOpen'],
}

export function Outcome({ of }: { readonly of: unknown }): Html {
  const [kind, key] = OUTCOMES[String(of)] ?? ['quiet', undefined]
  return html`<span class=${`tag ${kind}`}
    >${key === undefined ? String(of) : say(key)}</span
  >`
}

const text = (row: Readonly<Record<string, unknown>>, name: string): string => {
  const value = row[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
export { text as textOf }

/** What people call the device. */
export function deviceName(row: Readonly<Record<string, unknown>>): string {
  return (
    text(row, 'device_name') ||
    text(row, 'program') ||
    text(row, 'device_hostname') ||
    text(row, 'device_ip')
  )
}

export const tokensOf = (row: Readonly<Record<string, unknown>>): number =>
  Number(row['prompt_tokens'] ?? 0) + Number(row['response_tokens'] ?? 0)
