/** What the schema cannot say of processors, the firewall among them: an address is what its dialect takes. Pure. */
import type { Judgement } from './judgement.js'
import type { Config } from './schema.js'
import { formats, parseHostPort } from './schema-formats.js'

/** Paths of Unix sockets, by the system: 108 bytes with their end on Linux, 104 on BSD. */
const MAX_SOCKET_PATH = 103

type Processor = Config['processors'][number]

export function checkProcessors(
  { processors, policies }: Config,
  { report }: Judgement,
): void {
  processors.forEach((processor, index) => {
    const at = ['processors', index]
    const wrong = wrongAddress(processor)
    if (wrong !== undefined) report([...at, 'address'], wrong, RIGHT[processor.dialect])
    const { dialect } = processor
    const unheard = processor.events.find((event) => NOT_TOLD[dialect].has(event))
    if (unheard !== undefined) {
      const wrong = `${unheard} is not told to processors of the dialect ${dialect}`
      report([...at, 'events'], wrong, 'leave it out')
    }
    if (Object.hasOwn(policies.files, processor.name)) {
      const right = 'choose another name: its own keys say what its word may lead to'
      report([...at, 'name'], 'is the name of a policy', right)
    }
  })
}

/** By which the firewall stands in the record, and where it is spoken to. */
const WAF = 'waf'

export function checkWaf(
  { waf, processors, policies, state_dir }: Config,
  { report }: Judgement,
): void {
  if (!waf.enabled) return
  if (Buffer.byteLength(`${state_dir}/waf.sock`) > MAX_SOCKET_PATH)
    report(['waf', 'enabled'], 'its socket has no room in state_dir', 'shorten state_dir')
  const index = processors.findIndex(({ name }) => name === WAF)
  const right = 'choose another name, or set waf.enabled to false'
  if (index >= 0)
    report(['processors', index, 'name'], 'is the name of the firewall', right)
  if (Object.hasOwn(policies.files, WAF))
    report(['policies', 'files', WAF], 'is the name of the firewall', right)
}

/** What a dialect has no words for. */
const NOT_TOLD: Readonly<Record<Processor['dialect'], ReadonlySet<string>>> = {
  uds: new Set(),
  ext_proc: new Set(['websocket', 'complete', 'log']),
  webhook: new Set(['response_headers', 'websocket', 'complete', 'log']),
}

const RIGHT: Readonly<Record<Processor['dialect'], string>> = {
  uds: 'the path of a socket from /, such as /run/yori/guard.sock',
  ext_proc: 'host:port, such as 127.0.0.1:9002',
  webhook: 'a URL of http or https, such as http://127.0.0.1:8000/guardrail',
}

function wrongAddress({ dialect, address }: Processor): string | undefined {
  switch (dialect) {
    case 'uds':
      if (!address.startsWith('/')) return 'is no path from /'
      if (Buffer.byteLength(address) > MAX_SOCKET_PATH) return 'is too long for a socket'
      return address.includes('\0') ? 'holds a NUL character' : undefined
    case 'ext_proc':
      return (parseHostPort(address)?.port ?? 0) > 0 ? undefined : 'is not host:port'
    case 'webhook':
      return formats['http-url'].check(address)
  }
}
