import assert from 'node:assert/strict'
import { derOf, fingerprints, renderVariables, shells } from '../../ca/export.js'
import { systemRoots, trustBundle, trustVariables } from '../../ca/export.js'
import { run, serveTls, startCa } from './support/ca.js'
import { createSecureContext } from 'node:tls'

const awkward = `/tmp/it's "$HOME" \\ \`id\` é/x.pem`

describe('the exported root', () => {
  it('has the fingerprints that OpenSSL computes', async () => {
    await using ca = await startCa()
    const { rootPem } = ca.authority
    const print = async (digest: string): Promise<string> => {
      const { stdout } = await run(
        'openssl',
        ['x509', '-noout', '-fingerprint', digest],
        rootPem,
      )
      return stdout.trim().split('=')[1] ?? ''
    }
    const { sha256, sha1 } = fingerprints(rootPem)
    assert.equal(sha256, await print('-sha256'))
    assert.equal(sha1, await print('-sha1'))
    assert.equal(ca.authority.rootFingerprint, sha256)
  })

  it('is DER that OpenSSL reads', async () => {
    await using ca = await startCa()
    const path = await ca.file('root.cer', derOf(ca.authority.rootPem))
    const read = await run('openssl', ['x509', '-inform', 'der', '-in', path])
    assert.equal(read.stdout.trim(), ca.authority.rootPem.trim())
  })

  it('stands in the bundle after the public roots, once', async () => {
    await using ca = await startCa()
    const { rootPem } = ca.authority
    const roots = await systemRoots()
    const bundle = trustBundle(rootPem, roots)
    const count = (text: string): number =>
      text.split('-----BEGIN CERTIFICATE-----').length - 1
    assert.ok(count(roots) > 50)
    assert.equal(count(bundle), count(roots) + 1)
    assert.equal(trustBundle(rootPem, bundle), bundle)
    assert.ok(
      trustBundle(rootPem, roots.trimEnd()).includes('-----END CERTIFICATE-----\n---'),
    )
  })

  it('falls back on Node’s own roots where the machine has no list', async () => {
    const roots = await systemRoots(['/nowhere/at/all.pem'])
    assert.match(roots, /^-----BEGIN CERTIFICATE-----/)
    assert.ok(roots.length > 100_000)
  })

  it('is believed by curl through the variables of a shell', async () => {
    await using ca = await startCa()
    const { certPem } = ca.authority.mint('api.openai.com', ca.clock.now())
    const key = ca.authority.leafKeyPem
    await using server = await serveTls(createSecureContext({ cert: certPem, key }))
    const rootFile = await ca.file("it's the root.pem", ca.authority.rootPem)
    const bundle = trustBundle(ca.authority.rootPem, await systemRoots())
    const bundleFile = await ca.file("it's the bundle.pem", bundle)
    const env = renderVariables(trustVariables({ rootFile, bundleFile }), 'sh')
    const url = `https://api.openai.com:${server.port}/`
    const resolve = `api.openai.com:${server.port}:127.0.0.1`
    const curl = `curl -sS --noproxy '*' --max-time 10 --resolve ${resolve} ${url}`
    const outcome = await run('sh', ['-c', `${env}${curl}`])
    assert.equal(outcome.stdout, 'hello', outcome.stderr)
  })

  it('names files that a POSIX shell reads back as they are', async () => {
    const script = `${renderVariables([['X', awkward]], 'sh')}printf %s "$X"`
    assert.equal((await run('sh', ['-c', script])).stdout, awkward)
  })

  it('is quoted for each shell by its own rules', () => {
    const of = (shell: (typeof shells)[number]): string =>
      renderVariables([['X', `a'b"c\\d$e\u2019f`]], shell)
    assert.equal(of('sh'), `export X='a'\\''b"c\\d$e\u2019f'\n`)
    assert.equal(of('fish'), `set -gx X 'a\\'b"c\\\\d$e\u2019f'\n`)
    assert.equal(of('powershell'), `$env:X = 'a''b"c\\d$e\u2019\u2019f'\n`)
    assert.equal(of('dotenv'), `X="a'b\\"c\\\\d\\$e\u2019f"\n`)
    assert.equal(shells.length, 4)
  })

  it('gives programs that replace their roots the bundle, and those that add to them the root', () => {
    const variables = new Map(trustVariables({ rootFile: '/r', bundleFile: '/b' }))
    assert.equal(variables.get('NODE_EXTRA_CA_CERTS'), '/r')
    assert.equal(variables.get('DENO_CERT'), '/r')
    for (const name of [
      'SSL_CERT_FILE',
      'REQUESTS_CA_BUNDLE',
      'AWS_CA_BUNDLE',
      'CURL_CA_BUNDLE',
      'GIT_SSL_CAINFO',
    ])
      assert.equal(variables.get(name), '/b', name)
  })
})
