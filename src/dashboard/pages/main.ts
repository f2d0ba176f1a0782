/** Where the script begins: who is asking, and which page the address names. */
import { html } from 'htm/preact'
import { render } from 'preact'
import type { FunctionComponent } from 'preact'
import { useEffect } from 'preact/hooks'
import { me, whoAmI } from './api.js'
import { AlertsPage } from './alerts-page.js'
import { ApprovalsPage } from './approvals-page.js'
import { DevicesPage } from './devices-page.js'
import { ExchangePage } from './exchange-page.js'
import { Frame } from './frame.js'
import { LivePage } from './live-page.js'
import { LoginPage } from './login-page.js'
import { Busy, Empty, Page } from './parts.js'
import type { Html } from './parts.js'
import { PoliciesPage } from './policies-page.js'
import { RecordPage } from './record-page.js'
import { href, route } from './route.js'
import { say } from './say.js'
import { SettingsPage } from './settings-page.js'
import { TalksPage } from './talks-page.js'
import { TodayPage } from './today-page.js'
import { TrustPage } from './trust-page.js'
import { countWaiting } from './waiting.js'

/** By the first part of the address; the second is handed on as `id`. */
const PAGES: Readonly<Record<string, FunctionComponent<{ readonly id?: string }>>> = {
  today: TodayPage as FunctionComponent,
  live: LivePage as FunctionComponent,
  approvals: ApprovalsPage as FunctionComponent,
  devices: DevicesPage as FunctionComponent,
  record: RecordPage as FunctionComponent,
  policies: PoliciesPage as FunctionComponent,
  settings: SettingsPage as FunctionComponent,
  trust: TrustPage as FunctionComponent,
  alerts: AlertsPage as FunctionComponent,
  talks: TalksPage as FunctionComponent<{ readonly id?: string }>,
  exchange: ExchangePage as FunctionComponent<{ readonly id?: string }>,
}

function NotFound(): Html {
  return html`<${Page} title=${say('notFound')}>
    <${Empty} title=${say('notFoundSays')}
      ><p><a href=${href([])}>${say('today')}</a></p><//
    >
  <//>`
}

function App(): Html {
  const { parts } = route.value
  const who = me.value
  useEffect(() => {
    if (who) void countWaiting()
  }, [who])
  useEffect(() => {
    scrollTo(0, 0)
  }, [parts.join('/')])
  if (who === undefined) return html`<main class="alone"><${Busy} /></main>`
  if (who === null) return html`<${LoginPage} />`
  const [name = 'today', id] = parts
  const Shown = Object.hasOwn(PAGES, name) ? PAGES[name] : NotFound
  return html`<${Frame}><${Shown} key=${name} id=${id} /><//>`
}

const root = document.getElementById('app')
if (root !== null) {
  render(html`<${App} />`, root)
  whoAmI().catch(() => (me.value = null))
}
