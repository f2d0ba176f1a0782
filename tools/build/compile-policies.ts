// Called by after-tsc: what the policies that ship say of themselves, as JSON, so that nobody
// has to compile them to show a form.
import { readPolicyFolder, SHIPPED_POLICIES } from '../../config/policy-files.js'
import { BadParams } from '../../src/policy/params.js'
import type { Params } from '../../src/policy/params.js'
import { loadRegoPolicy } from '../../src/policy/rego-policy.js'

/** Lists that must be given are empty here: what they are for is asked, not what they hold. */
function loadWith<Loaded>(load: (params: Params) => Loaded): Loaded {
  try {
    return load({})
  } catch (cause) {
    if (!(cause instanceof BadParams)) throw cause
    const needed = cause.problems.map((problem) => problem.split(' ', 1)[0] ?? '')
    return load(Object.fromEntries(needed.map((name) => [name, []])))
  }
}

/** The text of `dist/config/policies.json`; rejects when one cannot be compiled. */
export async function compilePolicies(): Promise<string> {
  const { policies, lib } = await readPolicyFolder(SHIPPED_POLICIES)
  const clock = { monotonic: () => performance.now() }
  const told = policies.map((file) => {
    const { stem: name } = file
    const load = (params: Params) =>
      loadRegoPolicy({ name, source: file, lib, params, clock })
    const loaded = loadWith(load)
    if (loaded.kind !== 'ok') throw new Error(`${file.name} cannot be compiled`)
    const { description, parameters = {}, readsContent } = loaded.policy
    return { name, description, reads_content: readsContent, parameters }
  })
  return JSON.stringify(told)
}
