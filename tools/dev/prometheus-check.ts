// Usage: node dist/tools/dev/prometheus-check.js
// A YORI, some traffic, and Debian's Prometheus (apt-get install prometheus): `promtool check
// metrics` of what it tells, `promtool check rules` of the alert rules and of every expression of
// the dashboard, and a server that scrapes it with the token in a file until the counter of
// exchanges is there and each rule was evaluated. Exit 1 when one does not hold.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { ProxyAgent, request } from 'undici'
import { stringify } from 'yaml'
import { packageFile } from '../../src/core/package-root.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { Simulator } from '../sim/simulator.js'
import { YoriProcess } from './yori-process.js'

const EXCHANGES = 5
const PATIENCE_MS = 30_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function told(what: string, isGood: boolean, more = ''): void {
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${what}${more === '' ? '' : `: ${more}`}`)
  if (!isGood) process.exitCode = 1
}

function promtool(what: string, args: readonly string[], input?: string): void {
  const options = input === undefined ? {} : { input }
  const { status, stdout, stderr } = spawnSync('promtool', args, options)
  const said = `${String(stdout)}${String(stderr)}`.trim().replaceAll('\n', ' | ')
  told(`promtool ${args.slice(0, 2).join(' ')}, ${what}`, status === 0, said)
}

/** Each expression of the dashboard as a rule, with its variables filled in. */
function dashboardRules(): string {
  const { panels } = JSON.parse(
    readFileSync(packageFile('config', 'grafana', 'yori.json'), 'utf8'),
  ) as { panels: { targets: { expr: string }[] }[] }
  const rules = panels
    .flatMap(({ targets }) => targets)
    .map(({ expr }, index) => ({
      record: `yori:panel:${index}`,
      expr: expr
        .replaceAll('$instance', '.*')
        .replaceAll(/\$__(rate_interval|interval)/g, '5m'),
    }))
  return stringify({ groups: [{ name: 'dashboard', rules }] })
}

await using folder = await tempFolder('yori-prometheus-')
await using simulator = await Simulator.start()
const [controlPort, prometheusPort] = [await freePort(), await freePort()]
const yori = await YoriProcess.start({
  folder: folder.path,
  extraCaPem: simulator.ca.certificatePem,
  resolve: { 'api.openai.com': simulator.address },
  config: { control: { listen: `127.0.0.1:${controlPort}` } },
})
try {
  const dispatcher = new ProxyAgent({
    uri: `http://127.0.0.1:${yori.port}`,
    requestTls: { ca: await yori.caPem() },
  })
  for (let n = 0; n < EXCHANGES; n++) {
    const answer = await request('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}',
    })
    await answer.body.dump()
  }
  await dispatcher.close()
  const tokenFile = folder.file('state/control.token')
  const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`
  const metrics = await request(`http://127.0.0.1:${controlPort}/metrics`, {
    headers: { authorization },
  })
  promtool('what /metrics says', ['check', 'metrics'], await metrics.body.text())
  const rules = packageFile('config', 'grafana', 'alerts.yaml')
  promtool('config/grafana/alerts.yaml', ['check', 'rules', rules])
  const panels = folder.file('panels.yml')
  writeFileSync(panels, dashboardRules())
  promtool('each panel of the dashboard', ['check', 'rules', panels])
  const config = folder.file('prometheus.yml')
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules, panels],
      scrape_configs: [
        {
          job_name: 'yori',
          authorization: { credentials_file: tokenFile },
          static_configs: [{ targets: [`127.0.0.1:${controlPort}`] }],
        },
      ],
    }),
  )
  promtool('the configuration', ['check', 'config', config])
  const server = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder.file('tsdb')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  server.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  try {
    const asked = async (path: string): Promise<unknown> => {
      const answer = await request(`http://127.0.0.1:${prometheusPort}/api/v1/${path}`)
      return ((await answer.body.json()) as { data: unknown }).data
    }
    const wanted = `query?query=${encodeURIComponent('sum(yori_requests_total{provider="openai"})')}`
    let value = ''
    const until = performance.now() + PATIENCE_MS
    while (value !== String(EXCHANGES) && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      const found = (await asked(wanted).catch(() => undefined)) as
        { result: { value: [number, string] }[] } | undefined
      value = found?.result[0]?.value[1] ?? value
    }
    told('prometheus has the counter of exchanges', value === String(EXCHANGES), value)
    const { activeTargets } = (await asked('targets')) as {
      activeTargets: { health: string; lastError: string }[]
    }
    const [target] = activeTargets
    told(
      'its target is up, the token in a file',
      target?.health === 'up',
      target?.lastError,
    )
    const { groups } = (await asked('rules')) as {
      groups: { rules: { name: string; health: string; lastError?: string }[] }[]
    }
    const all = groups.flatMap((group) => group.rules)
    const bad = all.filter(({ health }) => health === 'err')
    told(
      `its ${all.length} rules can be evaluated`,
      all.length > 0 && bad.length === 0,
      bad.map(({ name, lastError }) => `${name} ${lastError ?? ''}`).join(', '),
    )
  } catch (cause) {
    throw new Error(said.slice(-2000), { cause })
  } finally {
    server.kill('SIGTERM')
    await once(server, 'close')
  }
} finally {
  await yori.stop()
}
