/** Bundles that system tar packed and jose or openssl signed, and those that are refused. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { base64url, SignJWT } from 'jose'
import { readBundle } from '../../src/bundle/bundle.js'
import type { BundleRules } from '../../src/bundle/bundle.js'
import { bundleKey, fileHash, signFiles } from '../../src/bundle/signature.js'
import { readTar, writeTar } from '../../src/bundle/tar.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

const RULES: BundleRules = { roots: ['yori'], key: undefined }
const BEDTIME = 'package yori.late\n\ndeny contains "late" if input.hour > 21\n'
const MANIFEST = '{ "roots": ["yori"],\n  "revision": "r1" }\n'
const DATA = '{"b": [1.0, "<\\u00e9>"],\n "a": {"z": null, "y": true}}\n'
/** By the rule that keys are sorted, nothing is between them, numbers stay as written. */
const HASHED = {
  '.manifest': '{"revision":"r1","roots":["yori"]}',
  'yori/late/data.json': '{"a":{"y":true,"z":null},"b":[1.0,"<é>"]}',
  'policies/late.rego': BEDTIME,
}
const FILES = {
  '.manifest': MANIFEST,
  'yori/late/data.json': DATA,
  'policies/late.rego': BEDTIME,
  'README.md': 'passed over\n',
}

let packed = 0

function pack(
  folder: TempFolder,
  files: Readonly<Record<string, string>>,
  tar: readonly string[] = ['.'],
): Buffer {
  const at = folder.file(`bundle-${++packed}`)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, path)), { recursive: true })
    writeFileSync(join(at, path), text)
  }
  return execFileSync('tar', ['-cz', '-C', at, ...tar])
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function listed(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([name, text]) => ({
    ...{ name, hash: sha256(text), algorithm: 'SHA-256' },
  }))
}

async function signedBy(
  algorithm: string,
  key: Parameters<SignJWT['sign']>[0],
  files: Readonly<Record<string, string>> = HASHED,
): Promise<string> {
  const token = await new SignJWT({ files: listed(files), scope: 'read' })
    .setProtectedHeader({ alg: algorithm })
    .sign(key)
  return JSON.stringify({ signatures: [token] })
}

describe('a bundle of policies', () => {
  let folder: TempFolder
  before(async () => {
    folder = await tempFolder()
  })
  after(async () => {
    await folder[Symbol.asyncDispose]()
  })

  const refuses = async (packed: Buffer, why: RegExp, rules = RULES): Promise<void> => {
    await assert.rejects(readBundle(packed, rules), why)
  }

  it('is read as tar of GNU, ustar and pax have packed it', async () => {
    const deep = `${'d'.repeat(60)}/${'e'.repeat(60)}/other.rego`
    for (const format of ['gnu', 'ustar', 'pax']) {
      const files = { ...FILES, [deep]: 'package yori.lib.other\n\nx := 1\n' }
      const packed = pack(folder, files, [`--format=${format}`, '.'])
      const { revision, roots, modules, data, isSigned } = await readBundle(packed, RULES)
      assert.deepEqual([revision, roots, isSigned], ['r1', ['yori'], false])
      assert.deepEqual(data, {
        yori: { late: { a: { y: true, z: null }, b: [1, '<é>'] } },
      })
      assert.deepEqual(
        modules.map((module) => [module.path, module.package]).sort(),
        [
          [deep, ['yori', 'lib', 'other']],
          ['policies/late.rego', ['yori', 'late']],
        ].sort(),
      )
    }
  })

  it('is verified by RS256, ES256 and HS256 of another program', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const secret = 'a secret of thirty-two characters'
    const pem = (key: typeof rsa.publicKey): string =>
      key.export({ type: 'spki', format: 'pem' }).toString()
    const cases = [
      ['RS256', rsa.privateKey, pem(rsa.publicKey)],
      ['ES256', ec.privateKey, pem(ec.publicKey)],
      ['HS256', Buffer.from(secret), `${secret}\n`],
    ] as const
    for (const [algorithm, key, text] of cases) {
      const rules = { roots: ['yori'], key: bundleKey(text, 'verify') }
      const signatures = await signedBy(algorithm, key)
      const files = { ...FILES, '.signatures.json': signatures }
      const { isSigned } = await readBundle(pack(folder, files), rules)
      assert.equal(isSigned, true)
      const changed = { ...files, 'policies/late.rego': `${BEDTIME}# more\n` }
      await refuses(pack(folder, changed), /late\.rego is not as it was signed/, rules)
      const more = { ...files, 'more.rego': 'package yori.more\n' }
      await refuses(pack(folder, more), /more\.rego is not among what was signed/, rules)
      const { ['yori/late/data.json']: _gone, ...less } = files
      await refuses(pack(folder, less), /data\.json was signed and is not there/, rules)
      await refuses(pack(folder, FILES), /is not signed, and a key is set/, rules)
    }
    // The public key is no secret: a token made by it as one is not taken.
    const rules = { roots: ['yori'], key: bundleKey(pem(rsa.publicKey), 'verify') }
    const forged = await signedBy('HS256', Buffer.from(pem(rsa.publicKey)))
    const unsigned = `${base64url.encode('{"alg":"none"}')}.${base64url.encode('{"files":[]}')}.`
    for (const [token, why] of [
      [forged, /another algorithm than RS256/],
      [JSON.stringify({ signatures: [unsigned] }), /another algorithm than RS256/],
      [
        await signedBy(
          'RS256',
          generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
        ),
        /signed by another key/,
      ],
    ] as const)
      await refuses(pack(folder, { ...FILES, '.signatures.json': token }), why, rules)
    assert.throws(() => bundleKey('short', 'verify'), /shorter than 32 bytes/)
  })

  it('is signed so that openssl takes the signature', () => {
    const key = folder.file('key.pem')
    const openssl = (...args: string[]): Buffer =>
      execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    openssl(
      'genpkey',
      '-algorithm',
      'RSA',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-out',
      key,
    )
    const pem = execFileSync('cat', [key], { encoding: 'utf8' })
    const files = Object.entries(FILES).map(([path, text]) => ({
      ...{ path, bytes: Buffer.from(text) },
    }))
    const signed = signFiles(files, bundleKey(pem, 'sign'), { keyId: 'k1', atMs: 0 })
    const { signatures } = JSON.parse(signed.bytes.toString()) as { signatures: string[] }
    const [head = '', payload = '', signature = ''] = signatures[0]?.split('.') ?? []
    writeFileSync(folder.file('input'), `${head}.${payload}`)
    writeFileSync(folder.file('signature'), Buffer.from(signature, 'base64url'))
    openssl('pkey', '-in', key, '-pubout', '-out', folder.file('public.pem'))
    const said = openssl(
      ...['dgst', '-sha256', '-verify', folder.file('public.pem')],
      ...['-signature', folder.file('signature'), folder.file('input')],
    )
    assert.match(said.toString(), /Verified OK/)
    const told = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      files: { name: string; hash: string }[]
    }
    const hashes = Object.fromEntries(told.files.map(({ name, hash }) => [name, hash]))
    for (const [name, text] of Object.entries(HASHED))
      assert.equal(hashes[name], sha256(text), name)
  })

  it('is refused outside its roots, and with roots that are not ours', async () => {
    const foreign = { ...FILES, '.manifest': '{"roots": ["acme"]}' }
    await refuses(pack(folder, foreign), /claims the root "acme", and may have yori/)
    const all = { 'late.rego': BEDTIME }
    await refuses(pack(folder, all), /claims the root "", and may have yori/)
    const outside = { ...FILES, 'x.rego': 'package acme.x\n' }
    await refuses(pack(folder, outside), /the package acme\.x, outside its roots yori/)
    const near = { ...FILES, 'x.rego': 'package yori_more.x\n' }
    await refuses(pack(folder, near), /the package yori_more\.x, outside/)
    const data = { ...FILES, 'data.json': '{"acme": {"x": 1}}' }
    await refuses(pack(folder, data), /has acme\.x, outside its roots yori/)
    const twice = { ...FILES, 'data.json': '{"yori": {"late": {"b": 1}}}' }
    await refuses(pack(folder, twice), /says b a second time/)
    const broken = { ...FILES, 'x.rego': 'package yori.x\n\ndeny if {\n' }
    await refuses(pack(folder, broken), /x\.rego:\d+:\d+: /)
    await refuses(pack(folder, { ...FILES, '.manifest': '{' }), /\.manifest is no JSON/)
  })

  it('is refused with paths that lead out, links, and files that are there twice', async () => {
    for (const prefix of ['../', '/tmp/../../', 'a/../../']) {
      const out = pack(folder, FILES, ['-P', `--transform=s,^\\./,${prefix},`, '.'])
      await refuses(out, /leads out of the archive/)
    }
    const at = folder.file('links')
    mkdirSync(at)
    writeFileSync(join(at, 'late.rego'), BEDTIME)
    symlinkSync('/etc/passwd', join(at, 'data.json'))
    await refuses(execFileSync('tar', ['-cz', '-C', at, '.']), /is a link, a device/)
    execFileSync('rm', [join(at, 'data.json')])
    execFileSync('ln', [join(at, 'late.rego'), join(at, 'hard.rego')])
    await refuses(execFileSync('tar', ['-cz', '-C', at, '.']), /is a link, a device/)
    execFileSync('mkfifo', [join(at, 'pipe')])
    execFileSync('rm', [join(at, 'hard.rego')])
    await refuses(execFileSync('tar', ['-cz', '-C', at, '.']), /is a link, a device/)
    const twice = pack(folder, FILES, [
      './.manifest',
      './.manifest',
      '--hard-dereference',
    ])
    await refuses(twice, /is in it twice/)
    const long = `${'d/'.repeat(130)}x.rego`
    await refuses(pack(folder, { [long]: BEDTIME }), /longer than 255 bytes/)
  })

  it('is refused when it promises or unpacks to more than it may', async () => {
    const big = folder.file('big')
    execFileSync('truncate', ['-s', '1G', big])
    const promised = execFileSync('sh', [
      '-c',
      `tar -c -C ${dirname(big)} big 2>/dev/null | head -c 4096 | gzip`,
    ])
    await refuses(promised, /ends before the end of a file in it/)
    const bomb = gzipSync(Buffer.alloc(17 * 1024 * 1024))
    assert.ok(bomb.length < 32 * 1024)
    await refuses(bomb, /unpacks to more than 16777216 bytes/)
    await refuses(Buffer.alloc(4 * 1024 * 1024 + 1), /larger than 4194304 bytes/)
    await refuses(Buffer.from('no gzip'), /is no gzip/)
    const whole = gunzipSync(pack(folder, FILES))
    await refuses(gzipSync(whole.subarray(0, 1024)), /ends (without its end|before)/)
    const bent = Buffer.from(whole)
    bent[3] = 0x41
    await refuses(gzipSync(bent), /is no archive of tar/)
    const many = Object.fromEntries(
      Array.from({ length: 257 }, (_, i) => [`p${i}.rego`, `package yori.p${i}\n`]),
    )
    await refuses(
      pack(folder, { ...many, '.manifest': MANIFEST }),
      /more than 256 files of Rego/,
    )
    const deep = `{"yori":${'['.repeat(100)}${']'.repeat(100)}}`
    assert.throws(
      () => fileHash({ path: 'data.json', bytes: Buffer.from(deep) }),
      /deeper than 64 levels/,
    )
  })

  it('is packed so that tar reads it, and the same files give the same bytes', () => {
    const files = Object.entries(FILES).map(([path, text]) => ({
      ...{ path, bytes: Buffer.from(text) },
    }))
    const packed = writeTar(files)
    writeFileSync(folder.file('ours.tar'), packed)
    const at = folder.file('unpacked')
    mkdirSync(at)
    execFileSync('tar', ['-x', '-f', folder.file('ours.tar'), '-C', at])
    for (const [path, text] of Object.entries(FILES))
      assert.equal(execFileSync('cat', [join(at, path)], { encoding: 'utf8' }), text)
    assert.deepEqual(writeTar(files), packed)
    assert.deepEqual(readTar(packed), files)
  })
})
