/** The frame around every page: where one can go, who one is, and what is wrong with YORI. */
import { signal } from '@preact/signals'
import { html } from 'htm/preact'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { TextKey } from '../texts.js'
import { ask, may, me } from './api.js'
import type { Role } from './api.js'
import type { Html } from './parts.js'
import { href, route } from './route.js'
import { say } from './say.js'
import { SIGNS } from './signs.js'
import { waitingCount } from './waiting.js'

interface Place {
  readonly path: string
  readonly text: TextKey
  readonly role?: Role
}

/** The first four stand on a phone's bar; the rest behind `More`. */
const PLACES: readonly Place[] = [
  { path: 'today', text: 'today' },
  { path: 'live', text: 'live' },
  { path: 'approvals', text: 'approvals' },
  { path: 'devices', text: 'devices' },
  { path: 'talks', text: 'talks' },
  { path: 'record', text: 'record' },
  { path: 'policies', text: 'policies' },
  { path: 'trust', text: 'trust' },
  { path: 'alerts', text: 'alerts' },
  { path: 'settings', text: 'settings', role: 'admin' },
]
const ON_BAR = 4

const isOpen = signal(false)

export function Mark(): Html {
  return html`<svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="#0b5c4a" />
    <path
      d="M8 8l8 10 8-10M16 18v7"
      fill="none"
      stroke="#fff"
      stroke-width="3.4"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>`
}

function Sign({ of }: { readonly of: string }): Html {
  return html`<svg class="sign" viewBox="0 0 24 24" aria-hidden="true">
    <path d=${SIGNS[of]} />
  </svg>`
}

export function Frame({ children }: { readonly children?: ComponentChildren }): Html {
  const here = route.value.parts[0] ?? 'today'
  useEffect(() => {
    isOpen.value = false
  }, [route.value])
  const places = PLACES.filter(({ role }) => role === undefined || may(role))
  return html`<a class="skip" href="#main" onClick=${toMain}>${say('skip')}</a>
    <div class="frame">
      <nav class=${`side ${isOpen.value ? 'open' : ''}`} aria-label=${say('pages')}>
        <a class="brand" href=${href([])}><${Mark} /> YORI</a>
        <ul>
          ${places.map(
            ({ path, text }, index) =>
              html`<li class=${index < ON_BAR ? '' : 'rest'}>
                <a
                  href=${href([path])}
                  aria-current=${here === path ? 'page' : undefined}
                >
                  <${Sign} of=${path} /><span>${say(text)}</span>
                  ${
                    path === 'approvals' && waitingCount.value > 0
                      ? html`<b class="count">${waitingCount.value}</b>`
                      : null
                  }
                </a>
              </li>`,
          )}
          <li>
            <button
              class="more"
              type="button"
              aria-expanded=${isOpen.value ? 'true' : 'false'}
              onClick=${() => (isOpen.value = !isOpen.value)}
            >
              <${Sign} of="more" /><span>${say('more')}</span>
            </button>
          </li>
        </ul>
        <div class="who">
          ${say('loggedInAs', { who: nameOf(me.value?.who) })}
          <br /><button type="button" onClick=${leave}>${say('logout')}</button>
        </div>
      </nav>
      <main id="main" tabindex="-1">${children}</main>
    </div>`
}

const nameOf = (who: string | undefined): string =>
  who === 'link' ? say('byLink') : (who ?? '')

/** The address says where the page is, and so a link into it would lead away. */
function toMain(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

async function leave(): Promise<void> {
  await ask('/api/logout', { method: 'POST' }).catch(() => undefined)
  me.value = null
}
