// Usage: npm run demo
// YORI between real clients and a simulated provider, in well under 20 seconds. Everything
// stays on this machine and in a temporary folder that is removed. Exit 0 only when every
// step was seen to work.
import { ProxyAgent } from 'undici'
import { hasProgram } from '../../test/support/programs.js'
import { anthropicSdk, openaiSdk } from '../../test/support/sdk.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { YoriProcess } from '../dev/yori-process.js'
import { Simulator } from '../sim/simulator.js'
import { Narrator } from './narrator.js'
import { askWithCurl, auditRows, issuerSeen } from './steps.js'

const BANK = 'bank.test'
const OPENAI = 'api.openai.com'
const ANTHROPIC = 'api.anthropic.com'

const say = new Narrator()
say.title('YORI demo: real clients, a simulated provider, nothing leaves this machine')

try {
  await demo()
} catch (cause) {
  say.failure(cause)
}
say.closing()

async function demo(): Promise<void> {
  await using folder = await tempFolder('yori-demo-')
  await using simulator = await Simulator.start()
  say.fact('provider simulator', `${simulator.address}, in the names of every host below`)

  await using yori = await YoriProcess.start({
    folder: folder.path,
    extraCaPem: simulator.ca.certificatePem,
    resolve: {
      [OPENAI]: simulator.address,
      [ANTHROPIC]: simulator.address,
      [BANK]: simulator.address,
    },
  })
  const ca = await yori.caPem()
  say.fact('YORI', `127.0.0.1:${yori.port}, mode observe, a CA of its own`)

  const agent = new ProxyAgent({
    uri: `http://127.0.0.1:${yori.port}`,
    requestTls: { ca },
  })

  await say.step('A chat with the openai package, through YORI', async () => {
    const reply = await openaiSdk({ dispatcher: agent }).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'What is a router?' }],
    })
    const text = reply.choices[0]?.message.content ?? ''
    say.expect(text.includes('What is a router?'), `an answer to the question: ${text}`)
    say.expect(
      simulator.requests.last.head.serverName === OPENAI,
      `the provider was asked as ${OPENAI}`,
    )
    return `"${text}"`
  })

  await say.step('A stream with the Anthropic package, event by event', async () => {
    const stream = anthropicSdk({ dispatcher: agent }).messages.stream({
      model: 'claude-haiku-4-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Count the stars.' }],
    })
    let pieces = 0
    stream.on('text', () => pieces++)
    const message = await stream.finalMessage()
    say.expect(pieces > 3, `more than three pieces of text, not ${pieces}`)
    say.expect(message.stop_reason === 'end_turn', 'the stream came to its end')
    return `${pieces} pieces, ${message.usage.output_tokens} output tokens`
  })

  await say.step('curl with --proxy', () => askWithCurl(yori.port, ca, folder))

  await say.step(`Whose certificate a client sees at ${OPENAI}`, async () => {
    const issuer = await issuerSeen(yori.port, OPENAI, ca)
    say.expect(issuer !== 'Simulator Root', `a certificate by YORI, not by ${issuer}`)
    return `${issuer}: opened, read and recorded`
  })

  await say.step(`Whose certificate a client sees at ${BANK}`, async () => {
    const issuer = await issuerSeen(yori.port, BANK, simulator.ca.certificatePem)
    say.expect(issuer === 'Simulator Root', `the origin's own certificate, not ${issuer}`)
    return `${issuer}, the origin's own: no LLM host, passed on untouched`
  })

  await say.step('What YORI recorded (yori audit list)', async () => {
    const { rows, text } = await auditRows(yori, hasProgram('curl') ? 3 : 2)
    const hosts = rows.map((row) => row.endpoint_domain)
    say.expect(hosts.includes(OPENAI), `a row for ${OPENAI}`)
    say.expect(hosts.includes(ANTHROPIC), `a row for ${ANTHROPIC}`)
    say.expect(!hosts.includes(BANK), `no row for ${BANK}`)
    return text
  })

  await say.step('Stopping on SIGTERM', async () => {
    await agent.close()
    const code = await yori.stop()
    say.expect(code === 0, `exit code 0, not ${code}`)
    return 'drained, exit code 0'
  })

  if (say.failed) say.fact('what YORI said', `\n${yori.output}`)
}
