/** A process that is killed before any step of any change leaves a CA that works. */
import assert from 'node:assert/strict'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openAuthority } from '../../ca/authority.js'
import { takeRootKeyAway } from '../../ca/manage.js'
import { run, startCa } from './support/ca.js'
import type { TestCa } from './support/ca.js'

const child = fileURLToPath(new URL('./support/manage-child.js', import.meta.url))

interface Change {
  readonly what: 'remove' | 'back' | 'import'
  readonly title: string
  /** Brings the CA to where the change begins; gives further arguments. */
  readonly before: (ca: TestCa) => Promise<readonly string[]>
}

async function foreignRoot(ca: TestCa): Promise<readonly string[]> {
  const [key, cert] = [await ca.file('home.key', ''), await ca.file('home.crt', '')]
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=Home CA', '-days', '30', '-keyout', key, '-out', cert],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  assert.equal(made.code, 0, made.stderr)
  return [key, cert]
}

const changes: readonly Change[] = [
  {
    what: 'remove',
    title: 'the way out of the root key',
    before: () => Promise.resolve([]),
  },
  {
    what: 'back',
    title: 'its way back',
    before: async (ca) => {
      const copy = await ca.file('copy.key', '')
      await copyFile(join(ca.folder, 'root.key'), copy)
      await takeRootKeyAway(ca.options)
      return [copy]
    },
  },
  { what: 'import', title: 'an import that is staged', before: foreignRoot },
  {
    what: 'import',
    title: 'an import where there is no CA',
    before: async (ca) => {
      await rm(ca.folder, { recursive: true })
      return foreignRoot(ca)
    },
  },
]

describe('a CA whose process was killed', () => {
  for (const { what, title, before } of changes)
    it(`before any step of ${title} works`, async () => {
      let killed = 0
      for (let step = 1; ; step++) {
        await using ca = await startCa()
        const more = await before(ca)
        const args = [child, ca.folder, what, String(step), ...more]
        const end = await run(process.execPath, args).catch(() => undefined)
        if (end !== undefined) {
          assert.equal(end.code, 0, end.stderr)
          break
        }
        killed += 1
        ca.clock.nowMs = Date.now()
        const after = await openAuthority(ca.options)
        assert.equal(after.usable(ca.clock.now()).kind, 'usable', `step ${step}`)
        const chain = await ca.file('chain.pem', after.chainPem)
        const root = await ca.file('root.pem', after.rootPem)
        const leaf = after.mint('api.openai.com', ca.clock.now()).leafPem
        const verified = await run(
          'openssl',
          ['verify', '-CAfile', root, '-untrusted', chain],
          leaf,
        )
        assert.equal(verified.code, 0, `step ${step}: ${verified.stderr}`)
      }
      assert.ok(killed >= 4, `${killed} steps`)
    })
})
