/** The CA on disk: can it be used, and does somebody have to do something about it? */
import { conditionOf } from '../../../ca/condition.js'
import { asServed, findCa, ROTATION_WAYS, summarise } from '../../../ca/show-ca.js'
import { caSettingsOf } from '../../assembly/from-config/ca.js'
import { momentText } from '../../core/moment-text.js'
import { printable } from '../../audit/printable.js'
import type { Finding, Level, StatusSection } from './status-section.js'

const LEVELS = {
  good: 'good',
  'renewal-due': 'notice',
  unusable: 'bad',
} as const satisfies Record<string, Level>

export const caSection: StatusSection = {
  name: 'CA',
  async read({ config, clock }): Promise<Finding> {
    const settings = caSettingsOf(config)
    const found = await findCa(settings.directory, clock)
    if (found === undefined) {
      const lines = ['there is none yet: the first start, or `yori ca init`, makes one']
      return { level: 'notice', facts: { kind: 'none' }, lines }
    }
    const ca = asServed(found, settings)
    const nowMs = clock.now()
    const words = (ms: number): string => momentText(ms, config.enforcement.timezone)
    const condition = conditionOf(ca, nowMs, words)
    const { root, issuing, staged, names } = summarise(ca, settings, nowMs)
    const waiting = names.needRotation.length + names.needNewRoot.length
    const level = LEVELS[condition.kind]
    return {
      level: level === 'good' && waiting > 0 ? 'notice' : level,
      facts: {
        ...condition,
        root: root.sha256,
        issuingUntil: issuing.notAfter,
        staged,
        names,
      },
      lines: [
        condition.kind === 'good'
          ? `usable; ${names.served.length} names, issuing CA until ${words(Date.parse(issuing.notAfter))}`
          : condition.reason,
        `root ${root.sha256}`,
        ...(staged === null ? [] : [`a new root is staged: ${staged.sha256}`]),
        ...(names.needRotation.length > 0
          ? [
              `not served yet: ${listed(names.needRotation)}`,
              `to serve them: ${ROTATION_WAYS[ca.rootKey]}`,
            ]
          : []),
        ...(names.needNewRoot.length > 0
          ? [`not served without a new root: ${listed(names.needNewRoot)}`]
          : []),
      ],
    }
  },
}

function listed(names: readonly string[]): string {
  return names.map(printable).join(', ')
}
