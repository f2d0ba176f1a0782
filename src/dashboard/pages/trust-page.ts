/** Who trusts YORI's certificate, who turned it away, and how another device gets it. */
import { html } from 'htm/preact'
import { useAnswer } from './api.js'
import { Card, Empty, Failed, Note, Page } from './parts.js'
import type { Html } from './parts.js'
import { ago, exactly, say } from './say.js'

interface Device {
  readonly device: string
  readonly ip: string
  readonly hostname: string | null
  readonly trusts: boolean
  readonly trusted_at: string | null
  readonly refused_at: string | null
  readonly refused_name: string | null
  readonly refused_cause: string | null
}

interface Trust {
  readonly root: { readonly sha256: string; readonly constrained: boolean }
  readonly staged: {
    readonly sha256: string
    readonly from: string | null
    readonly not_ready: readonly string[]
  } | null
  readonly condition: { readonly kind: string; readonly says: string | null }
  readonly page: string | null
  readonly devices: readonly Device[]
}

export function TrustPage(): Html {
  const { data, problem, again } = useAnswer<Trust>('/api/trust')
  return html`<${Page} title=${say('trust')}>
    <${Failed} problem=${problem} again=${again} />
    ${data === undefined ? null : html`<${Shown} of=${data} />`}
  <//>`
}

function Shown({ of }: { readonly of: Trust }): Html {
  const { root, staged, condition, page, devices } = of
  return html`${
      condition.says === null
        ? null
        : html`<${Note} kind=${condition.kind === 'unusable' ? 'bad' : 'warn'}
            ><p>${say('rotationDue')} <code>yori ca rotate</code></p>
            <p class="soft">${condition.says}</p><//
          >`
    }
    <div class="grid">
      <${Card} title=${say('whoTrusts')} kind="most">
        ${
          devices.length === 0
            ? html`<${Empty} title=${say('nobodyMet')}>${say('nobodyMetNext')}<//>`
            : devices.map((device) => html`<${Line} key=${device.device} of=${device} />`)
        }
      <//>
      <div class="third">
        <${Card} title=${say('anotherDevice')}>
          ${
            page === null
              ? html`<p>${say('noTrustPage')} <code>listen</code></p>`
              : html`<p>${say('scanThis')} <a href=${page}>${page}</a></p>
                  <img class="qr" src="/api/trust/qr" alt=${say('qrOf', { page })} />`
          }
        <//>
        <${Card} title=${say('certificate')}>
          <p class="soft">SHA-256</p>
          <p><code>${root.sha256}</code></p>
          <p class="soft">${say(root.constrained ? 'constrained' : 'notConstrained')}</p>
          ${
            staged === null
              ? null
              : html`<p class="warn">
                  ${say('stagedSays', {
                    t: staged.from === null ? '' : exactly(staged.from),
                    n: staged.not_ready.length,
                  })}
                </p>`
          }
        <//>
      </div>
    </div>`
}

function Line({ of }: { readonly of: Device }): Html {
  const name = of.hostname ?? of.ip
  return html`<article class="ask" aria-label=${name}>
    <div class="row spread">
      <h3>${name}</h3>
      <span class=${`tag ${of.trusts ? 'good' : 'bad'}`}
        >${say(of.trusts ? 'trusts' : 'trustsNot')}</span
      >
    </div>
    <p class="soft">
      ${[...new Set([of.ip, of.device])].join(' · ')}${' · '}
      ${ago(of.trusts ? of.trusted_at : of.refused_at)}
    </p>
    ${
      of.refused_at === null
        ? null
        : html`<p>
            ${say('turnedAway', { name: of.refused_name ?? '', t: ago(of.refused_at) })}
            ${of.refused_cause === null ? null : html` <code>${of.refused_cause}</code>`}
          </p>`
    }
  </article>`
}
