import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { canonicalAddress } from '../../src/core/address.js'
import { localPrograms } from '../../src/net/local-program.js'
import { needs } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'

const CONNECTS = `
  const [host, port] = process.argv.slice(-2)
  require('node:net').connect({ host, port: Number(port) }).on('close', () => process.exit())`

/** By how a program is started: what it is called then. */
const STARTS: readonly [string, (file: string) => readonly string[], string][] = [
  ['a script of an interpreter', (file) => [process.execPath, file], 'agent.cjs'],
  [
    'flags before its script',
    (file) => [process.execPath, '--no-warnings', file],
    'agent.cjs',
  ],
  [
    'a program that is its own text, which may hold anything',
    () => [process.execPath, '-e', CONNECTS, '--'],
    'node',
  ],
]

describe('the program behind a loopback connection', () => {
  before(function () {
    needs(this, 'Linux') // asks /proc
  })

  for (const [what, start, name] of STARTS)
    for (const [listen, host] of [
      ['127.0.0.1', '127.0.0.1'],
      ['::', '127.0.0.1'],
      ['::1', '::1'],
    ] as const)
      it(`is named: ${what}, to ${host} on ${listen}`, async function () {
        if (listen !== '127.0.0.1') needs(this, 'IPv6')
        await using folder = await tempFolder()
        const file = folder.file('agent.cjs')
        writeFileSync(file, CONNECTS)
        const server = createServer().listen(0, listen)
        await once(server, 'listening')
        const { port } = server.address() as AddressInfo
        const [program = '', ...args] = [...start(file), host, String(port)]
        const child = spawn(program, args, { cwd: folder.path, stdio: 'ignore' })
        try {
          const [client] = (await once(server, 'connection')) as [Socket]
          const found = await localPrograms().of({
            client: {
              address: canonicalAddress(client.remoteAddress ?? '') ?? '',
              port: client.remotePort ?? 0,
            },
            server: { address: canonicalAddress(client.localAddress ?? '') ?? '', port },
          })
          assert.deepEqual(found, { name, folder: realpathSync(folder.path) })
          client.destroy()
        } finally {
          child.kill()
          server.close()
        }
      })

  it('is unknown when nobody holds such a connection, or none can be looked at', async () => {
    const ends = {
      client: { address: '127.0.0.1', port: 1 },
      server: { address: '127.0.0.1', port: 2 },
    }
    assert.equal(await localPrograms().of(ends), undefined)
    assert.equal(await localPrograms('/nonexistent').of(ends), undefined)
    const other = { ...ends, client: { address: 'unknown', port: 1 } }
    assert.equal(await localPrograms().of(other), undefined)
  })
})
