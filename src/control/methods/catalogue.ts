/** What can be set: every policy that there is with its parameters, and every setting. */
import { readFile } from 'node:fs/promises'
import { configSchema } from '../../../config/schema.js'
import { packageFile } from '../../core/package-root.js'
import { CONSENT_TEXT } from '../../policy/consent.js'
import type { Parameters } from '../../policy/params.js'
import { Refusal, json } from '../answer.js'
import type { Handler } from '../method.js'

interface Shipped {
  readonly name: string
  readonly description: string
  readonly reads_content: boolean
  readonly parameters: Parameters
}

let shipped: Promise<readonly Shipped[]> | undefined

/** As the build wrote it. */
function shippedPolicies(): Promise<readonly Shipped[]> {
  shipped ??= readFile(packageFile('dist', 'config', 'policies.json'), 'utf8').then(
    (text) => JSON.parse(text) as readonly Shipped[],
  )
  shipped.catch(() => (shipped = undefined))
  return shipped
}

/** Those that ship, and the household's own: of these, without what they take. */
export const policyCatalogue: Handler = async ({ on: { port } }) => {
  const { config, services } = port.appliance.current
  const { mode, enforcement, policies } = config
  const ships = await shippedPolicies().catch(() => {
    throw new Refusal(503, 'unavailable', 'the policies are not built: `npm run build`')
  })
  const known = new Map(ships.map((one) => [one.name, one]))
  const set = new Map(services.decider.policies.map((one) => [one.name, one]))
  const names = [...new Set([...known.keys(), ...set.keys()])].sort()
  return json({
    mode,
    enforcement_enabled: enforcement.enabled,
    consent: { accepted: enforcement.consent_accepted, text: CONSENT_TEXT },
    policies: names.map((name) => ({
      name,
      shipped: known.has(name),
      description: known.get(name)?.description ?? null,
      reads_content: known.get(name)?.reads_content ?? null,
      parameters: known.get(name)?.parameters ?? null,
      params: policies.files[name]?.params ?? {},
      configured: Object.hasOwn(policies.files, name),
      enabled: policies.files[name]?.enabled ?? set.get(name)?.enabled ?? false,
      action: policies.files[name]?.action ?? set.get(name)?.action ?? 'alert',
    })),
  })
}

/** Draft-07 keywords, with what each key means. */
export const settingsSchema: Handler = () => json(configSchema)
