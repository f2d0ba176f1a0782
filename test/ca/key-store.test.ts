import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmod, chown, copyFile, mkdir, readFile, readdir, stat } from 'node:fs/promises'
import { symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { openAuthority } from '../../ca/authority.js'
import type { ErrorCode } from '../../src/core/errors.js'
import { packageRoot } from '../../src/core/package-root.js'
import { Secret } from '../../src/core/secret.js'
import { openPackage, openTemp } from '../support/open-package.js'
import { runProgram } from '../support/programs.js'
import { run, startCa, tempFolder } from './support/ca.js'
import type { TestCa } from './support/ca.js'
import { needs } from '../support/needs.js'

const child = fileURLToPath(new URL('./support/open-child.js', import.meta.url))
const files = ['issuing.crt', 'issuing.key', 'root.crt', 'root.key']

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}

/** Name and text of everything in the folder. */
async function snapshot(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort()
  const texts = names.map(async (name) => {
    const path = join(folder, name)
    const isFile = (await stat(path)).isFile()
    return [name, isFile ? await readFile(path, 'utf8') : 'folder'] as const
  })
  return new Map(await Promise.all(texts))
}

/** Opening fails with one line of that code, and the folder stays as it is. */
async function refused(ca: TestCa, code: ErrorCode, says: RegExp): Promise<void> {
  const before = await snapshot(ca.folder)
  await assert.rejects(openAuthority(ca.options), (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message)
    assert.match(error.message, says)
    assert.ok(!error.message.includes('\n'), error.message)
    return true
  })
  assert.deepEqual(await snapshot(ca.folder), before)
}

describe('the key store', () => {
  it('keeps its keys to itself: 0600 in 0700', async () => {
    await using ca = await startCa()
    assert.deepEqual((await readdir(ca.folder)).sort(), files)
    assert.equal(await modeOf(ca.folder), '700')
    assert.equal(await modeOf(join(ca.folder, 'root.key')), '600')
    assert.equal(await modeOf(join(ca.folder, 'issuing.key')), '600')
    assert.equal(await modeOf(join(ca.folder, 'root.crt')), '644')
  })

  for (const name of ['root.key', 'issuing.key'])
    it(`refuses ${name} when others can read it, and names the command that mends it`, async () => {
      await using ca = await startCa()
      const path = join(ca.folder, name)
      await chmod(path, 0o644)
      await refused(
        ca,
        'YORI_CA_KEY_EXPOSED',
        /has mode 0644.*Mend it with: chmod 0600 '/,
      )
      const command = `chmod 0600 '${path}'`
      await run('sh', ['-c', command])
      await openAuthority(ca.options)
    })

  it('refuses a folder that others can enter', async () => {
    await using ca = await startCa()
    await chmod(ca.folder, 0o755)
    await refused(ca, 'YORI_CA_KEY_EXPOSED', /has mode 0755.*chmod 0700 '/)
  })

  it('refuses a certificate that others can change', async () => {
    await using ca = await startCa()
    await chmod(join(ca.folder, 'root.crt'), 0o666)
    await refused(ca, 'YORI_CA_KEY_EXPOSED', /chmod 0644 '/)
  })

  it('refuses a key of another user', async function () {
    needs(this, 'root')
    await using ca = await startCa()
    await chown(join(ca.folder, 'issuing.key'), 65_534, 65_534)
    await refused(ca, 'YORI_CA_KEY_EXPOSED', /another user than its folder.*chown 0 '/)
  })

  it('gives what root writes to the owner of the folder', async function () {
    needs(this, 'root')
    await using temp = await tempFolder()
    const directory = join(temp.path, 'ca')
    await mkdir(directory, { mode: 0o700 })
    await chown(directory, 65_534, 65_534)
    await run(process.execPath, [child, directory])
    for (const name of files)
      assert.equal((await stat(join(directory, name))).uid, 65_534)
  })

  it('refuses a key that is a link', async () => {
    await using ca = await startCa()
    const path = join(ca.folder, 'root.key')
    await copyFile(path, join(ca.folder, '../elsewhere.key'))
    await unlink(path)
    await symlink(join(ca.folder, '../elsewhere.key'), path)
    await refused(ca, 'YORI_CA_UNUSABLE', /root\.key is no file/)
  })

  for (const name of ['root.crt', 'issuing.crt', 'issuing.key'])
    it(`says so when ${name} is missing`, async () => {
      await using ca = await startCa()
      await unlink(join(ca.folder, name))
      await refused(ca, 'YORI_CA_MISSING', new RegExp(`${name} is missing`))
    })

  for (const name of files)
    it(`says so when ${name} is cut off`, async () => {
      await using ca = await startCa()
      const path = join(ca.folder, name)
      const text = await readFile(path, 'utf8')
      await writeFile(path, text.slice(0, 120))
      await refused(ca, 'YORI_CA_UNUSABLE', new RegExp(`${name} is no whole PEM`))
    })

  for (const name of ['root.key', 'issuing.key'])
    it(`says so when ${name} belongs to another certificate`, async () => {
      await using ca = await startCa()
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
      await writeFile(join(ca.folder, name), pem)
      await refused(ca, 'YORI_CA_UNUSABLE', /does not belong to its certificate/)
    })

  it('says so when the issuing CA is under another root', async () => {
    await using ca = await startCa()
    await using other = await startCa()
    for (const name of ['root.crt', 'root.key'])
      await copyFile(join(other.folder, name), join(ca.folder, name))
    await refused(ca, 'YORI_CA_UNUSABLE', /issuing\.crt was not signed by/)
  })

  it('says so when the passphrase is wrong, and when the sealed key is cut off', async () => {
    await using ca = await startCa({ passphrase: new Secret('right') })
    const options = { ...ca.options, passphrase: new Secret('wrong') }
    const wrong = { ...ca, options }
    await refused(wrong, 'YORI_CA_PASSPHRASE', /passphrase does not open .*root\.key/)
    const path = join(ca.folder, 'root.key')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.slice(0, 100) + text.slice(-40))
    await refused(ca, 'YORI_CA_UNUSABLE', /root\.key is no whole PEM private key/)
  })

  it('makes one CA when several processes start at once', async () => {
    await using temp = await tempFolder()
    const directory = join(temp.path, 'ca')
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => run(process.execPath, [child, directory])),
    )
    const prints = new Set(outcomes.map(({ stdout }) => stdout.split(' ')[0]))
    assert.equal(prints.size, 1, [...prints].join())
    assert.match([...prints][0] ?? '', /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    assert.deepEqual((await readdir(directory)).sort(), files)
  })

  it('starts again after being killed before any step of making the CA', async () => {
    await using temp = await tempFolder()
    const whole = await run(process.execPath, [child, join(temp.path, 'whole')])
    const steps = Number(whole.stdout.trim().split(' ')[1])
    assert.ok(steps >= 10, `${steps} steps`)
    for (let step = 1; step <= steps; step++) {
      const directory = join(temp.path, `ca-${step}`)
      await assert.rejects(run(process.execPath, [child, directory, String(step)]))
      const again = await run(process.execPath, [child, directory])
      assert.equal(again.code, 0, `step ${step}: ${again.stdout}${again.stderr}`)
      assert.deepEqual((await readdir(directory)).sort(), files, `step ${step}`)
    }
  })

  it('starts again after being killed before any step of replacing the issuing CA', async () => {
    await using temp = await tempFolder()
    const directory = join(temp.path, 'ca')
    const first = await run(process.execPath, [child, directory])
    const [print = ''] = first.stdout.split(' ')
    const other = await run(process.execPath, [
      child,
      directory,
      '0',
      'api.anthropic.com',
    ])
    const steps = Number(other.stdout.trim().split(' ')[1])
    assert.ok(steps >= 6, `${steps} steps`)
    for (let step = 1; step <= steps; step++) {
      const name = `t${step}.openai.azure.com`
      await assert.rejects(run(process.execPath, [child, directory, String(step), name]))
      const again = await run(process.execPath, [child, directory, '0', name])
      assert.ok(again.stdout.startsWith(print), `step ${step}: ${again.stdout}`)
      assert.deepEqual((await readdir(directory)).sort(), files, `step ${step}`)
    }
  })

  it('takes over the lock of a process that is gone', async () => {
    await using ca = await startCa()
    const gone = await run(process.execPath, ['-e', 'console.log(process.pid)'])
    await writeFile(join(ca.folder, 'lock'), `${gone.stdout.trim()} 0011223344556677`)
    await openAuthority(ca.options)
    assert.deepEqual((await readdir(ca.folder)).sort(), files)
  })

  it('removes the draft of a process that was killed while it waited for the lock', async () => {
    await using ca = await startCa()
    const gone = await run(process.execPath, ['-e', 'console.log(process.pid)'])
    await writeFile(join(ca.folder, `lock-${gone.stdout.trim()}-00aa`), 'x')
    await writeFile(join(ca.folder, `lock-${process.pid}-00aa`), 'x')
    await openAuthority(ca.options)
    const left = (await readdir(ca.folder)).filter((name) => name.startsWith('lock'))
    assert.deepEqual(left, [`lock-${process.pid}-00aa`])
  })

  it('serves the CA that it has when the folder cannot be written', async function () {
    const asRoot = process.geteuid?.() === 0
    if (asRoot) needs(this, 'setpriv')
    // Root may write everywhere: then it is another user that reads, from where it may.
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    await using place = await tempFolder(asRoot ? openTemp() : undefined)
    await chmod(place.path, 0o711)
    await using ca = await startCa({ directory: join(place.path, 'ca') })
    if (asRoot) await run('chown', ['-R', '65534:65534', ca.folder])
    await chmod(ca.folder, 0o500)
    const [program = '', ...words] = [
      ...(asRoot ? nobody : []),
      ...[process.execPath, '--input-type=module', '--eval'],
      openerOf(asRoot ? openPackage() : packageRoot),
      ca.folder,
    ]
    const opened = await runProgram(program, words, { cwd: '/', env: {} })
    await chmod(ca.folder, 0o700)
    assert.equal(opened.stdout.toString(), ca.authority.rootFingerprint, opened.stderr)
  })
})

/** A program that opens the CA of the folder in its first argument, and prints its root's. */
function openerOf(root: string): string {
  const url = (...parts: string[]): string =>
    JSON.stringify(pathToFileURL(join(root, 'dist', ...parts)))
  return `
    import { openAuthority } from ${url('ca', 'authority.js')}
    import { systemClock } from ${url('src', 'core', 'clock.js')}
    const issuedNames = ['api.openai.com']
    const options = { directory: process.argv[1], issuedNames, clock: systemClock }
    process.stdout.write((await openAuthority(options)).rootFingerprint)`
}
