import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LeaseFiles } from '../../src/net/leases-files.js'

describe('lease files', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yori-leases-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const names = async (files: LeaseFiles): Promise<unknown> =>
    (await files.leases()).map(({ address, hostname }) => `${address} ${hostname}`)

  it('are read together, and those that are not there count as empty', async () => {
    const dnsmasq = join(folder, 'dnsmasq.leases')
    const isc = join(folder, 'dhcpd.leases')
    await writeFile(dnsmasq, '0 02:00:00:00:00:01 10.0.0.1 one *\r\n')
    await writeFile(isc, 'lease 10.0.0.2 {\n  client-hostname "two";\n}')
    const files = new LeaseFiles([
      { format: 'dnsmasq', path: dnsmasq },
      { format: 'kea', path: join(folder, 'absent.csv') },
      { format: 'isc', path: isc },
      { format: 'isc', path: folder },
    ])
    assert.deepEqual(await names(files), ['10.0.0.1 one', '10.0.0.2 two'])
    assert.deepEqual(await new LeaseFiles([]).leases(), [])
  })

  it('are read again when they change', async () => {
    const path = join(folder, 'dnsmasq.leases')
    await writeFile(path, '0 02:00:00:00:00:01 10.0.0.1 one *\n')
    const files = new LeaseFiles([{ format: 'dnsmasq', path }])
    const first = await files.leases()
    assert.equal((await files.leases())[0], first[0])
    await writeFile(path, '0 02:00:00:00:00:01 10.0.0.1 two *\n')
    await utimes(path, 1, 1)
    assert.deepEqual(await names(files), ['10.0.0.1 two'])
    await rm(path)
    assert.deepEqual(await files.leases(), [])
  })

  it('that are long are read by their heading and their end', async () => {
    const path = join(folder, 'kea-leases4.csv')
    const row = (n: number): string =>
      `10.1.${n >> 8}.${n & 255},02:00:00:00:00:01,,4000,1795168800,1,0,0,n${n},0,${'x'.repeat(2000)}`
    const rows = Array.from({ length: 3_000 }, (_, index) => row(index))
    const heading =
      'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context'
    await writeFile(path, [heading, ...rows, ''].join('\n'))
    const leases = await new LeaseFiles([{ format: 'kea', path }]).leases()
    assert.equal(leases.at(-1)?.hostname, 'n2999')
    assert.ok(leases.length > 1_500 && leases.length < 3_000, String(leases.length))
    for (const { hostname, address } of leases) {
      const n = Number(hostname?.slice(1))
      assert.equal(address, `10.1.${n >> 8}.${n & 255}`)
    }
  })
})
