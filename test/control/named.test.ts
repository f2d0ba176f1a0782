import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import { needs } from '../support/needs.js'
import { Controlled } from '../support/control.js'

const run = promisify(execFile)
const NAME = 'yori.home.arpa'

/** An address of this machine that is not loopback's: what a client of the house would dial. */
const LAN = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address

describe('the control plane beyond loopback', () => {
  let on: Controlled
  let ca: string
  before(async function () {
    // Without another address nobody could come from beyond loopback.
    needs(this, 'an address beyond loopback')
    on = await Controlled.start({
      config: {
        control: { listen: '0.0.0.0:0' },
        access: { own_names: ['router.home.arpa'] },
      },
    })
    ca = on.yori.folder.file('root.pem')
    writeFileSync(ca, on.yori.rootPem)
  })
  after(async () => {
    if (LAN !== undefined) await on[Symbol.asyncDispose]()
  })

  const curl = async (...args: string[]): Promise<string> => {
    const { port } = on
    const resolve = [NAME, 'router.home.arpa', 'evil.example'].flatMap((name) => [
      '--resolve',
      `${name}:${port}:${LAN ?? ''}`,
    ])
    const usual = ['-sS', '-i', '--max-time', '30', '--cacert', ca, '--noproxy', '*']
    const { stdout } = await run('curl', [...usual, ...resolve, ...args])
    return stdout
  }
  const bearer = (): string[] => ['-H', `Authorization: Bearer ${on.token}`]
  const statusIn = (text: string): string => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? text

  it('is TLS by name from our own CA, and asks for the token there, too', async () => {
    for (const name of [NAME, 'router.home.arpa']) {
      const url = `https://${name}:${on.port}`
      assert.equal(statusIn(await curl(`${url}/health`)), '200', name)
      assert.equal(statusIn(await curl(`${url}/api/status`)), '401', name)
      const status = await curl(...bearer(), `${url}/api/status`)
      assert.match(status, /"url":"http:\/\/127\.0\.0\.1:\d+"/)
    }
    await assert.rejects(
      curl(`https://evil.example:${on.port}/health`),
      /SSL|certificate/,
    )
  })

  it('leads an address to the name once, and tells it nothing else', async () => {
    const { port, token } = on
    const there = `https://${NAME}:${port}/`
    const urls = [`http://${LAN}:${port}/`, `http://${LAN}:${port}/api/me?a=b`]
    urls.push(`http://${NAME}:${port}/health`, `https://${LAN}:${port}/api/me`)
    for (const url of urls) {
      const said = await curl('-k', '-d', 'x=1', ...bearer(), url)
      assert.equal(statusIn(said), '308', url)
      const [head = '', body] = said.split('\r\n\r\n')
      assert.match(head, new RegExp(`^location: ${there}\\r?$`, 'im'), url)
      assert.equal(body, '', url)
      assert.ok(!said.includes(token) && !/set-cookie/i.test(said))
    }
    const followed = await curl('-L', `http://${LAN}:${port}/`)
    assert.deepEqual(followed.match(/^HTTP\/1\.1 \d+/gm), [
      'HTTP/1.1 308',
      'HTTP/1.1 401',
    ])
    const foreign = await curl(`http://evil.example:${port}/health`)
    assert.equal(statusIn(foreign), '421')
    assert.ok(!/location|healthy/i.test(foreign))
  })

  it('shows a leaf with names alone', async () => {
    const args = ['-connect', `${LAN}:${on.port}`, '-CAfile', ca, '-verify_return_error']
    for (const name of [['-servername', NAME], ['-noservername']]) {
      const shaken = run('openssl', ['s_client', ...args, ...name, '-showcerts'])
      shaken.child.stdin?.end()
      const { stdout } = await shaken
      assert.match(stdout, /Verify return code: 0 \(ok\)/)
      const read = run('openssl', ['x509', '-noout', '-ext', 'subjectAltName'])
      read.child.stdin?.end(stdout)
      const names = (await read).stdout
      assert.match(names, /DNS:yori\.home\.arpa/)
      assert.ok(!names.includes('IP Address'), names)
    }
  })

  it('answers this machine in the clear, where loopback is dialled', async () => {
    const said = await curl(...bearer(), `http://127.0.0.1:${on.port}/api/me`)
    assert.equal(statusIn(said), '200')
    const { body } = await on.ask('/api/login-links', { method: 'POST', socket: true })
    const { url } = body as { url: string }
    assert.ok(url.startsWith(`http://127.0.0.1:${on.port}/login?code=`))
    const path = url.slice(url.indexOf('/login'))
    const login = await curl(`https://${NAME}:${on.port}${path}`)
    assert.equal(statusIn(login), '303')
    const cookie = /^set-cookie: (.*)$/im.exec(login)?.[1] ?? ''
    for (const word of ['Secure', 'HttpOnly', 'SameSite=Strict'])
      assert.ok(cookie.includes(word), cookie)
    const [name] = cookie.split(';', 1)
    const me = await curl('-H', `cookie: ${name}`, `https://${NAME}:${on.port}/api/me`)
    const { csrf } = JSON.parse(me.split('\r\n\r\n')[1] ?? '') as { csrf: string }
    const change = (origin: string): Promise<string> =>
      curl(
        ...['-X', 'POST', '-H', `cookie: ${name}`, '-H', `x-yori-csrf: ${csrf}`],
        ...['-H', `origin: ${origin}`, `https://${NAME}:${on.port}/api/login-links`],
      )
    assert.equal(statusIn(await change(`http://${NAME}:${on.port}`)), '403')
    assert.equal(statusIn(await change(`https://${NAME}:${on.port}`)), '201')
  })

  it('ends with the daemon, whatever is half open', async () => {
    const silent = connect(on.port, LAN ?? '')
    await once(silent, 'connect')
    const half = connect(on.port, LAN ?? '')
    half.write(Buffer.from([0x16, 3, 1]))
    await once(half, 'connect')
    half.on('error', () => undefined)
    silent.on('error', () => undefined)
    const ends = [silent, half].map(
      (socket) => new Promise((resolve) => socket.resume().once('close', resolve)),
    )
    await on.control.stop()
    await Promise.all(ends)
  })
})
