/**
 * Every command that reads what a YORI keeps says who tells it: the running YORI, or the files.
 * By the tree of all commands, so that a new one has to be put into one of the two lists.
 */
import assert from 'node:assert/strict'
import type { Command } from 'commander'
import { COMMANDS } from '../../src/cli/command-list.js'
import { ChildYori } from '../support/child-yori.js'
import { runCli } from '../support/cli.js'

/** Of household, record and policies, with what they need to be asked. */
const READS: Readonly<Record<string, readonly string[]>> = {
  'agents list': [],
  'agents show': ['nobody'],
  'allowlist check': ['192.0.2.7', '--mac', '02:00:00:00:00:07'],
  'allowlist list': [],
  approve: [],
  'approve --list': [],
  'audit export': [],
  'audit list': [],
  'audit show': ['nothing'],
  'audit stats': [],
  'ca trust list': [],
  'device list': [],
  'emergency status': [],
  'key list': [],
  'person list': [],
  'pin list': [],
  'pinning list': [],
  'policy diff': [],
  'policy list': [],
  'policy suggest': [],
  report: [],
  'sessions list': [],
  'sessions show': ['nothing'],
  stats: [],
  status: [],
  'time list': [],
}

/** They change something, look at files of the package or of the machine, or run by themselves. */
const OTHERS: ReadonlySet<string> = new Set([
  ...['run', 'sidecar', 'dashboard', 'mcp', 'mcp-wrap', 'exec', 'browser', 'env'],
  // The inbox is the running YORI's: it alone is asked.
  'alert list',
  // It ends when its reader does: test/cli/commands/record/watch.test.ts.
  ...['watch', 'record', 'replay', 'detect', 'explain', 'doctor', 'completion', 'man'],
  ...['alert ack', 'alert snooze', 'alert test', 'pause', 'allow', 'hash-password'],
  ...['audit verify', 'audit prune', 'audit vacuum', 'audit backup', 'audit restore'],
  ...['fleet import', 'sessions stop', 'sessions resume', 'backup', 'restore'],
  ...['processor list', 'processor test', 'providers list', 'providers check'],
  ...['waf status', 'waf rules list', 'waf rules use', 'waf rules add', 'waf tune'],
  ...['policy eval', 'policy test', 'policy check', 'policy bundle list'],
  ...['policy bundle show', 'policy bundle install', 'bundle build', 'bundle sign'],
  ...['device name', 'device group', 'device person', 'person set', 'person remove'],
  ...['person export', 'person forget', 'key create', 'key revoke', 'key rotate'],
  ...['time add', 'time remove', 'allowlist add', 'allowlist remove', 'pin make'],
  ...['pin revoke', 'emergency activate', 'emergency deactivate', 'emergency extend'],
  ...['emergency set-password', 'pinning clear', 'service install', 'service uninstall'],
  ...['config check', 'config show', 'config init', 'config migrate', 'config explain'],
  ...['generate-config', 'validate-config', 'ca init', 'ca show', 'ca export'],
  ...['ca rotate', 'ca import', 'ca issue', 'ca take', 'ca trust-check'],
  ...['pf generate', 'pf check', 'pf apply', 'pf remove', 'pf status'],
])

const TELLS =
  /^yori: told (by the running YORI|from the files)|asked the running YORI, process|told from the files alone/m

function leavesOf(command: Command, name: string): string[] {
  if (command.commands.length === 0) return [name]
  return command.commands.flatMap((inner) => leavesOf(inner, `${name} ${inner.name()}`))
}

describe('a command that reads', () => {
  let yori: ChildYori
  before(async () => (yori = await ChildYori.start()))
  after(() => yori[Symbol.asyncDispose]())

  it('is in the list of those that say who tells them, or reads nothing of YORI', async () => {
    const leaves: string[] = []
    for (const [name, { load }] of Object.entries(COMMANDS))
      leaves.push(...leavesOf(await load(), name))
    const known = [
      ...Object.keys(READS).filter((name) => !name.includes('--')),
      ...OTHERS,
    ]
    assert.deepEqual(leaves.toSorted(), known.toSorted())
  })

  for (const [name, more] of Object.entries(READS))
    it(`says who tells it: ${name}`, async () => {
      const config = ['--config', yori.folder.file('yori.conf')]
      const words = [...name.split(' '), ...more, ...config]
      const { stdout, stderr } = await runCli(words, { cwd: yori.folder.path })
      assert.match(name === 'status' ? stdout : stderr, TELLS)
    })
})
