/** `yori browser` with a real Chromium: what it opens comes through YORI and is believed. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { runCli } from '../../../support/cli.js'
import type { CliRan } from '../../../support/cli.js'
import { chromiumPath } from '../../../support/chromium-path.js'
import { CHROMIUM, needs } from '../../../support/needs.js'
import { startOrigin } from '../../../support/origins.js'
import type { Origin } from '../../../support/origins.js'
import { certificate, NAME, originCa } from '../../../support/proxied.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'

describe('yori browser', () => {
  let folder: TempFolder
  let origin: Origin

  before(async function () {
    needs(this, ...CHROMIUM)
    folder = await tempFolder()
    mkdirSync(folder.file('temp'))
    origin = await startOrigin({
      certificate,
      handler: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<p>it is there')
      },
    })
    writeFileSync(folder.file('origin.pem'), originCa.certificatePem)
    const upstream = { extra_ca: ['origin.pem'], resolve: { [NAME]: origin.address } }
    writeFileSync(folder.file('yori.conf'), JSON.stringify({ upstream }))
  })

  after(async () => {
    await origin?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  const browse = (...words: readonly string[]): Promise<CliRan> =>
    runCli(['browser', '--config', folder.file('yori.conf'), '--ephemeral', ...words], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], HOME: folder.path, TMPDIR: folder.file('temp') },
    })
  const headless = ['--', '--headless=new', '--no-sandbox', '--disable-gpu', '--dump-dom']

  it('opens a page that an endpoint serves, and leaves nothing', async () => {
    const program = ['--program', chromiumPath() ?? '']
    const ran = await browse(...program, `https://${NAME}/`, ...headless)
    assert.match(ran.stdout, /it is there/, ran.stderr)
    assert.match(
      ran.stderr,
      /yori: .*came through YORI.*api\.openai\.com.*[1-9]\d* requests? recorded/,
    )
    assert.equal(ran.status, 0)
    assert.deepEqual(readdirSync(folder.file('temp')), [])
    assert.ok(
      !readdirSync(folder.path).includes('.pki'),
      'the store of roots was touched',
    )
  })

  it('says what is no page, and that there is no browser', async () => {
    const noPage = await browse('chatgpt.com')
    assert.equal(noPage.status, 2)
    assert.match(noPage.stderr, /"chatgpt\.com" is no page; write https:\/\/chatgpt\.com/)
    const none = await browse('--program', folder.file('none'), `https://${NAME}/`)
    assert.equal(none.status, 4)
    assert.match(none.stderr, /cannot run .*none: there is no such program/)
  })
})
