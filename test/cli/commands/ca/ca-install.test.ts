import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { describeStep, installSteps, uninstallSteps } from '../../../../ca/install.js'
import type { Store } from '../../../../ca/install.js'
import { openAuthority } from '../../../../ca/authority.js'
import { caCommand } from '../../../../src/cli/commands/ca/ca-command.js'
import type { InstallDeps } from '../../../../src/cli/commands/ca/ca-install.js'
import { findStores } from '../../../../src/service/machine-stores.js'
import type { Machine } from '../../../../src/service/machine-stores.js'
import { systemClock } from '../../../../src/core/clock.js'
import { runProgram } from '../../../support/programs.js'
import { TestCa } from '../../../support/test-ca.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'
import { needs } from '../../../support/needs.js'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

interface Bench extends AsyncDisposable {
  readonly folder: TempFolder
  readonly rootPem: string
  readonly id: string
  /** What the command printed, notes included. */
  ca(args: readonly string[], deps?: Partial<InstallDeps>): Promise<string>
}

async function bench(): Promise<Bench> {
  const folder = await tempFolder()
  const directory = folder.file('ca')
  const options = { directory, issuedNames: ['api.openai.com'] }
  const { rootPem, rootFingerprint } = await openAuthority({
    ...options,
    clock: systemClock,
  })
  const machine: Machine = {
    platform: 'linux',
    home: folder.file('home'),
    path: PATH,
    sysroot: '',
  }
  return {
    folder,
    rootPem,
    id: rootFingerprint.replaceAll(':', '').slice(0, 8).toLowerCase(),
    async ca(args, deps = {}) {
      let text = ''
      const say = (piece: string | Uint8Array): void => {
        text += String(piece)
      }
      const command = caCommand({
        caOptions: () => Promise.resolve(options),
        clock: systemClock,
        print: say,
        note: say,
        machine,
        confirm: () => Promise.resolve(undefined),
        ...deps,
      })
      await command.parseAsync(['export', ...args], { from: 'user' })
      return text
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** The root folder of a Debian with one root of its own. */
async function debianIn(folder: TempFolder): Promise<string> {
  const root = folder.file('debian')
  for (const part of [
    'etc/ssl/certs',
    'usr/share/ca-certificates',
    'usr/local/share/ca-certificates',
    'etc/ca-certificates/update.d',
  ])
    await mkdir(join(root, part), { recursive: true })
  const other = new TestCa().certificatePem
  await writeFile(join(root, 'usr/share/ca-certificates/other.crt'), other)
  await writeFile(join(root, 'etc/ca-certificates.conf'), 'other.crt\n')
  return root
}

const root = {
  pem: 'PEM',
  sha256: 'AB:CD:EF:01:23:45',
  file: '/var/db/yori/ca/trust/yori-root.pem',
}
const steps = (store: Store): string[] =>
  installSteps(store, root).steps.map(describeStep)
const undoing = (store: Store): string[] => uninstallSteps(store).steps.map(describeStep)

describe('yori ca export --install', () => {
  it('makes Debian trust the root, and --uninstall undoes it', async function () {
    needs(this, 'update-ca-certificates')
    await using setup = await bench()
    const { folder, rootPem, id } = setup
    const sysroot = await debianIn(folder)
    const bundle = join(sysroot, 'etc/ssl/certs/ca-certificates.crt')
    const said = await setup.ca(['--install', '--yes', '--sysroot', sysroot])
    assert.match(
      said,
      new RegExp(`write .*/yori-root-${id}\\.crt\\n +run update-ca-certificates`),
    )
    assert.ok((await readFile(bundle, 'utf8')).includes(rootPem.trim()))
    const shown = await runProgram('openssl', [
      'verify',
      '-CApath',
      join(sysroot, 'etc/ssl/certs'),
      '-no-CAfile',
      '-no-CAstore',
      folder.file('ca/issuing.crt'),
    ])
    assert.equal(shown.status, 0, shown.stderr)

    await setup.ca(['--uninstall', '--yes', '--sysroot', sysroot])
    const left = await readFile(bundle, 'utf8')
    assert.equal(left.match(/BEGIN CERTIFICATE/g)?.length, 1)
    assert.ok(!left.includes(rootPem.trim()))
    assert.deepEqual(await readdir(join(sysroot, 'usr/local/share/ca-certificates')), [])
    const again = await setup.ca(['--uninstall', '--yes', '--sysroot', sysroot])
    assert.match(again, /Nothing of YORI is in any store here/)
  })

  it('makes the browsers of a user trust it, once, and undoes it', async function () {
    needs(this, 'certutil')
    await using setup = await bench()
    const { folder, id } = setup
    const places = ['.pki/nssdb', '.mozilla/firefox/abc.default'].map((place) =>
      folder.file('home', place),
    )
    for (const place of places) {
      await mkdir(place, { recursive: true })
      await runProgram('certutil', ['-N', '--empty-password', '-d', `sql:${place}`])
    }
    const list = async (place: string): Promise<string> =>
      (await runProgram('certutil', ['-L', '-d', `sql:${place}`])).stdout.toString()
    const user = { isRoot: false }
    for (const _ of [1, 2]) await setup.ca(['--install', '--yes'], user)
    for (const place of places) {
      const entries = (await list(place)).match(new RegExp(`YORI root ${id} +C,,`, 'g'))
      assert.equal(entries?.length, 1)
      const pem = await runProgram('certutil', [
        '-L',
        '-d',
        `sql:${place}`,
        '-n',
        `YORI root ${id}`,
        '-a',
      ])
      assert.equal(
        new X509Certificate(pem.stdout).fingerprint256,
        new X509Certificate(setup.rootPem).fingerprint256,
      )
    }
    await setup.ca(['--uninstall', '--yes'], user)
    for (const place of places) assert.doesNotMatch(await list(place), /YORI/)
  })

  it('shows each step and asks; a no, nobody to ask, or --dry-run change nothing', async function () {
    needs(this, 'update-ca-certificates')
    await using setup = await bench()
    const sysroot = await debianIn(setup.folder)
    const install = ['--install', '--sysroot', sysroot]
    const questions: string[] = []
    const confirm = (question: string): Promise<boolean> => {
      questions.push(question)
      return Promise.resolve(false)
    }
    assert.match(
      await setup.ca(install, { confirm }),
      /run update-ca-certificates[^]*Nothing was done/,
    )
    assert.equal(questions.length, 1)
    await assert.rejects(setup.ca(install), /nobody is there to ask: --yes/)
    assert.match(await setup.ca([...install, '--dry-run']), /write .*yori-root-/)
    assert.deepEqual(await readdir(join(sysroot, 'usr/local/share/ca-certificates')), [])
    assert.ok(!existsSync(join(sysroot, 'etc/ssl/certs/ca-certificates.crt')))
  })

  it('leaves the system alone when it is not root, and says so', async function () {
    needs(this, 'update-ca-certificates')
    await using setup = await bench()
    await assert.rejects(
      setup.ca(['--install', '--yes'], { isRoot: false }),
      /need root.*sudo/,
    )
  })

  it('goes on with the other stores when one fails, and fails in the end', async () => {
    await using setup = await bench()
    const { folder } = setup
    for (const name of ['one', 'two']) {
      await mkdir(folder.file('home/.mozilla/firefox', name), { recursive: true })
      await writeFile(folder.file('home/.mozilla/firefox', name, 'cert9.db'), '')
    }
    await mkdir(folder.file('bin'))
    const fake =
      '#!/bin/sh\ncase "$*" in *-A*one*) echo broken >&2; exit 1;; esac\necho "$@" >>"$HOME/said"\n'
    await writeFile(folder.file('bin/certutil'), fake)
    await chmod(folder.file('bin/certutil'), 0o755)
    const machine: Machine = {
      platform: 'linux',
      home: folder.file('home'),
      path: `${folder.file('bin')}:/bin`,
      sysroot: '',
    }
    const failing = setup.ca(['--install', '--yes'], { machine, isRoot: false })
    await assert.rejects(failing, /failed for Firefox \(.*one\)/)
    assert.match(
      await readFile(folder.file('home/said'), 'utf8'),
      /-A -d sql:.*two -n YORI root/,
    )
  })

  it('says which browsers it cannot serve without certutil', async () => {
    await using folder = await tempFolder()
    await mkdir(folder.file('.pki/nssdb'), { recursive: true })
    await writeFile(folder.file('.pki/nssdb/cert9.db'), '')
    const found = await findStores({
      platform: 'linux',
      home: folder.path,
      path: '/none',
      sysroot: '',
    })
    assert.deepEqual(found.stores, [])
    assert.match(found.notes.join(), /certutil.*missing.*nssdb/)
  })
})

describe('the steps of other systems', () => {
  it('are those of their manuals', () => {
    const folder = (
      name: string,
      path: string,
      refresh: string[],
      installed: string[] = [],
    ): Store => ({
      kind: 'folder',
      name,
      folder: path,
      extension: 'pem',
      refresh,
      refreshAfterRemoval: refresh,
      installed,
    })
    const redHat = folder(
      'Fedora',
      '/etc/pki/ca-trust/source/anchors',
      ['update-ca-trust', 'extract'],
      ['yori-root-00000000.pem'],
    )
    assert.deepEqual(steps(redHat), [
      'write /etc/pki/ca-trust/source/anchors/yori-root-abcdef01.pem',
      'run update-ca-trust extract',
    ])
    assert.deepEqual(undoing(redHat), [
      'remove /etc/pki/ca-trust/source/anchors/yori-root-00000000.pem',
      'run update-ca-trust extract',
    ])
    assert.deepEqual(
      steps(folder('FreeBSD', '/usr/local/etc/ssl/certs', ['certctl', 'rehash'])),
      ['write /usr/local/etc/ssl/certs/yori-root-abcdef01.pem', 'run certctl rehash'],
    )
    const keychain: Store = {
      kind: 'keychain',
      name: 'Mac',
      installed: ['0123456789ABCDEF0123456789ABCDEF01234567'],
    }
    assert.deepEqual(steps(keychain), [
      'run security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain /var/db/yori/ca/trust/yori-root.pem',
    ])
    assert.deepEqual(undoing(keychain), [
      'run security delete-certificate -t -Z 0123456789ABCDEF0123456789ABCDEF01234567 /Library/Keychains/System.keychain',
    ])
  })

  it('are found by what a system has', async () => {
    await using folder = await tempFolder()
    const found = async (
      platform: NodeJS.Platform,
      programs: string[],
      folders: string[],
    ): Promise<string[]> => {
      const sysroot = folder.file(
        platform,
        [...programs, ...folders].join().replaceAll('/', '-'),
      )
      const path = join(sysroot, 'bin')
      for (const one of [path, ...folders.map((name) => join(sysroot, name))])
        await mkdir(one, { recursive: true })
      for (const program of programs) await writeFile(join(path, program), '')
      const { stores } = await findStores({ platform, home: sysroot, path, sysroot })
      return stores.map(({ name }) => name)
    }
    assert.deepEqual(await found('linux', ['update-ca-certificates'], []), [
      'this system (Debian, Ubuntu, Alpine)',
    ])
    assert.deepEqual(
      await found('linux', ['update-ca-trust'], ['etc/pki/ca-trust/source/anchors']),
      ['this system (Fedora, Red Hat)'],
    )
    assert.deepEqual(await found('linux', ['update-ca-trust'], []), [])
    assert.deepEqual(await found('freebsd', ['certctl'], []), ['this system (FreeBSD)'])
    assert.deepEqual(await found('linux', [], []), [])
  })
})
