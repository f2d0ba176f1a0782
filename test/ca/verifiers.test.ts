import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { readCaCertificate } from '../../ca/certificate.js'
import {
  issueIssuing,
  issueLeaf,
  issuerOf,
  newKey,
  subjectKeyOf,
} from '../../ca/issue.js'
import type { Signer } from '../../ca/issue.js'
import { stageNewRoot } from '../../ca/manage.js'
import { DAY_MS, serveTls, startCa, tempFolder } from './support/ca.js'
import type { TempFolder, TestCa } from './support/ca.js'
import { verifiers } from './support/verifiers.js'
import type { Case } from './support/verifiers.js'
import { needs } from '../support/needs.js'

const PERMITTED = 'api.openai.com'
const BANK = 'bank.example'

/** A server's chain with the key of its leaf, and the root that the client trusts. */
interface Served {
  readonly name: string
  readonly chain: readonly string[]
  readonly keyPem: string
  readonly rootPem: string
}

async function stolen(ca: TestCa, which: 'root' | 'issuing'): Promise<Signer> {
  const pem = which === 'root' ? ca.authority.rootPem : ca.authority.issuingPem
  const key = createPrivateKey(await readFile(join(ca.folder, `${which}.key`)))
  return { certificate: readCaCertificate(pem), key }
}

async function leafBy(
  signer: Signer,
  name: string,
  nowMs: number,
): Promise<{ pem: string; keyPem: string }> {
  const key = await newKey()
  const options = { signer, issuer: issuerOf(signer), serverName: name, nowMs }
  const keyPem = key.export({ format: 'pem', type: 'pkcs8' }) as string
  return { pem: issueLeaf(subjectKeyOf(key), options).pem, keyPem }
}

/** A CA that a thief makes with a stolen key: no constraints on names. */
function rogue(signer: Signer, nowMs: number): Promise<Signer> {
  const subject = { organization: 'Thief', permitted: undefined, lifeMs: 30 * DAY_MS }
  return issueIssuing(signer, { subject, nowMs })
}

function split(pem: string): string[] {
  return pem.split(/(?<=-----END CERTIFICATE-----\n)/).filter((part) => part !== '')
}

const scenes: readonly {
  readonly title: string
  /** Programs that decide otherwise, and are known to. */
  readonly except?: readonly string[]
  readonly believed: boolean
  readonly serve: (ca: TestCa) => Promise<Served>
}[] = [
  {
    title: 'believes a permitted name',
    believed: true,
    serve: (ca) => {
      const { certPem } = ca.authority.mint(PERMITTED, ca.clock.now())
      const { leafKeyPem: keyPem, rootPem } = ca.authority
      return Promise.resolve({ name: PERMITTED, chain: split(certPem), keyPem, rootPem })
    },
  },
  {
    title: 'refuses another name that a stolen issuing key signed',
    believed: false,
    serve: async (ca) => {
      const leaf = await leafBy(await stolen(ca, 'issuing'), BANK, ca.clock.now())
      const { issuingPem, rootPem } = ca.authority
      return { name: BANK, chain: [leaf.pem, issuingPem], keyPem: leaf.keyPem, rootPem }
    },
  },
  {
    title: 'refuses a CA that a stolen issuing key signed',
    believed: false,
    serve: async (ca) => {
      const below = await rogue(await stolen(ca, 'issuing'), ca.clock.now())
      const leaf = await leafBy(below, PERMITTED, ca.clock.now())
      const { issuingPem, rootPem } = ca.authority
      const chain = [leaf.pem, below.certificate.pem, issuingPem]
      return { name: PERMITTED, chain, keyPem: leaf.keyPem, rootPem }
    },
  },
  {
    title: 'refuses another name that a stolen root key stands behind',
    // Java does not apply what the trusted root itself says: the root key belongs elsewhere.
    except: ['Java'],
    believed: false,
    serve: async (ca) => {
      const below = await rogue(await stolen(ca, 'root'), ca.clock.now())
      const leaf = await leafBy(below, BANK, ca.clock.now())
      const chain = [leaf.pem, below.certificate.pem]
      return { name: BANK, chain, keyPem: leaf.keyPem, rootPem: ca.authority.rootPem }
    },
  },
  ...(['the old root', 'the new root'] as const).map((trusted) => ({
    title: `believes a permitted name by ${trusted} while a new one is staged`,
    believed: true,
    serve: async (ca: TestCa): Promise<Served> => {
      await stageNewRoot(ca.options)
      await ca.authority.reread()
      const { certPem } = ca.authority.mint(PERMITTED, ca.clock.now())
      const next = ca.authority.staged?.rootPem ?? ''
      const rootPem = trusted === 'the old root' ? ca.authority.rootPem : next
      const keyPem = ca.authority.leafKeyPem
      return { name: PERMITTED, chain: split(certPem), keyPem, rootPem }
    },
  })),
]

for (const verifier of verifiers)
  describe(`${verifier.program}, as a client of YORI`, () => {
    let temp: TempFolder | undefined
    let judge: ((one: Case) => Promise<boolean>) | undefined

    before(async function () {
      needs(this, ...verifier.needs)
      temp = await tempFolder()
      judge = await verifier.prepare(temp.path)
    })
    after(() => temp?.[Symbol.asyncDispose]())

    for (const [index, { title, believed, except = [], serve }] of scenes.entries()) {
      const excepted = except.includes(verifier.program)
      it(excepted ? `does not: ${title}` : title, async () => {
        assert.ok(judge !== undefined && temp !== undefined)
        await using ca = await startCa()
        const { name, chain, keyPem, rootPem } = await serve(ca)
        const context = createSecureContext({ cert: chain.join(''), key: keyPem })
        await using server = await serveTls(context)
        const folder = join(temp.path, String(index))
        await mkdir(folder)
        const one = { folder, name, rootPem, chain, port: server.port }
        assert.equal(await judge(one), excepted ? !believed : believed)
      })
    }
  })
