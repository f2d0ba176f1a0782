/**
 * The supervisor refreshes a full table beside its probes: by difference, in as many commands as for
 * a short one, and however long those take, YORI is asked on. Counted, not timed, with an `nft` that
 * does not come back until it is told to.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { writePlan, writeWish } from '../../pf/apply.js'
import {
  steeringFiles,
  SUPERVISOR,
  supervisorArguments,
} from '../../pf/steering-files.js'
import { steeringPlan } from '../../pf/steering-plan.js'
import { MAX_ADDRESSES } from '../../pf/table.js'
import { PATIENCE_MS } from '../support/patience.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { named, steering } from './support.js'

/** Says what it was told, keeps the sets, and stays at a change for as long as `stay` is there. */
const NFT = `#!/bin/sh
printf '%s\\n' "$*" >>"$FOLDER/calls"
case $* in
'-t list table inet yori') echo 'table inet yori { }' ;;
'list set inet yori llm4') cat "$FOLDER/held" ;;
'-f '*refresh.tmp)
  cat "$2" >>"$FOLDER/batches"
  while [ -e "$FOLDER/stay" ]; do sleep 0.1; done ;;
esac
`

const addresses = Array.from(
  { length: MAX_ADDRESSES },
  (_, n) => `203.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
)

/** As nft 1.0.6 lists a set: some elements a line. */
function held(elements: readonly string[]): string {
  return (
    'table inet yori {\n\tset llm4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n' +
    `\t\telements = { ${elements.join(', ').replace(/((?:[^,]+, ){5})/g, '$1\n\t\t\t     ')} }\n\t}\n}\n`
  )
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const began = performance.now(); !holds(); await after(20))
    assert.ok(performance.now() - began < PATIENCE_MS, what)
}

const lines = (folder: TempFolder, name: string): string[] =>
  existsSync(folder.file(name))
    ? readFileSync(folder.file(name), 'utf8').split('\n').filter(Boolean)
    : []

describe('a refresh of a full table', () => {
  it('delays no question to YORI, and tells nft the difference in one batch', async () => {
    await using folder = await tempFolder()
    for (const name of ['nft', 'ip'])
      writeFileSync(folder.file(name), name === 'nft' ? NFT : '#!/bin/sh\nexit 2\n', {
        mode: 0o755,
      })
    let asked = 0
    const health = createServer((_request, response) => {
      asked += 1
      response.end('{"status":"healthy"}')
    }).listen(0, '127.0.0.1')
    await once(health, 'listening')
    const { port } = health.address() as AddressInfo
    const files = steeringFiles(folder.file('state'))
    const plan = steeringPlan({
      backend: 'nft-redirect',
      steering: steering({ listen: named('listen', `0.0.0.0:${port}`) }),
      elements: { inet: [], inet6: [] },
      serverName: undefined,
      root: '/x',
    })
    assert.ok(plan.kind === 'ok')
    writePlan(files, plan)
    writeWish(files, 'on')
    const table = folder.file('table')
    writeFileSync(table, `${addresses.join('\n')}\n`)
    writeFileSync(folder.file('held'), held(addresses))
    const command = [process.execPath, '-e', 'setInterval(() => {}, 1e6)']
    const words = supervisorArguments(folder.file('state'), { command })
    words[words.indexOf('-t') + 1] = table
    const supervisor = spawn(SUPERVISOR, words, {
      env: {
        FOLDER: folder.path,
        PATH: `${folder.path}:${process.env['PATH']}`,
        ...{ YORI_PROBE_EVERY: '0.1', YORI_PROBE_GOOD: '1', YORI_REFRESH_EVERY: '1' },
        YORI_WORK: folder.path,
        // Nothing here is to be ended by a limit of time.
        ...{ YORI_LOAD_SECONDS: '1000', YORI_PROBE_SECONDS: '100' },
      },
      stdio: 'ignore',
    })
    try {
      const refreshes = (): number =>
        lines(folder, 'calls').filter((call) =>
          call.startsWith('flush set inet yori alive'),
        ).length
      await until('it refreshes', () => refreshes() > 1)
      assert.deepEqual(lines(folder, 'batches'), [], 'nothing has changed')

      writeFileSync(folder.file('stay'), '')
      const fresh = ['198.51.100.1', '198.51.100.2']
      writeFileSync(`${table}.new`, [...addresses.slice(2), ...fresh, ''].join('\n'))
      renameSync(`${table}.new`, table)
      await until('nft is told', () => lines(folder, 'batches').length > 0)
      const [before, asks] = [lines(folder, 'calls'), asked]
      await until(
        'YORI is asked on while nft does not come back',
        () => asked >= asks + 5,
      )
      const told = lines(folder, 'calls').slice(before.length)
      assert.deepEqual(
        told.filter(
          (call) =>
            !call.startsWith('-t list table inet yori') &&
            !/^list set inet yori (?!llm)/.test(call),
        ),
        [],
        'no second refresh begins meanwhile',
      )
      rmSync(folder.file('stay'))
      const [gone = '', come = '', ...more] = lines(folder, 'batches')
      assert.deepEqual(more, [])
      const elements = (line: string): string[] =>
        line
          .replace(/.*\{ | \}/g, '')
          .split(', ')
          .sort()
      assert.match(gone, /^delete element inet yori llm4 /)
      assert.deepEqual(elements(gone), addresses.slice(0, 2).sort())
      assert.match(come, /^add element inet yori llm4 /)
      assert.deepEqual(elements(come), fresh)
      const at = before.findLastIndex((call) =>
        call.startsWith('flush set inet yori alive'),
      )
      assert.deepEqual(
        before
          .slice(at + 1)
          .filter(
            (call) =>
              !call.startsWith('-t list table inet yori') &&
              !/^list set inet yori (?!llm)/.test(call),
          ),
        [
          ...['list set inet yori llm4', 'list set inet yori llm6'],
          `-f ${folder.file('refresh.tmp')}`,
        ],
        'alive, two sets, one batch: as many commands as for two addresses',
      )
      const status = readFileSync(files.status, 'utf8')
      assert.match(status, /^holds=inet$/m, status)
      const causes = lines(folder, 'state-steer/off-periods').map(
        (line) => line.split(' ')[3],
      )
      assert.deepEqual(
        causes.filter((cause) => cause !== 'starting'),
        [],
      )
    } finally {
      const ended = once(supervisor, 'exit')
      rmSync(folder.file('stay'), { force: true })
      supervisor.kill('SIGTERM')
      await ended
      health.closeAllConnections()
      health.close()
    }
  })
})
