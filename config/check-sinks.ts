/** What the schema cannot say of `audit.sinks`: which keys a type needs. Pure. */
import type { Judgement } from './judgement.js'
import { RECORD_SINK_KEYS } from './schema-sinks.js'
import type { Config } from './schema.js'

export function checkSinks({ audit }: Config, judgement: Judgement): void {
  const { given, inPlain, report, warn } = judgement
  for (const [name, sink] of Object.entries(audit.sinks)) {
    const path = ['audit', 'sinks', name]
    const { type, format, url } = sink
    if (type === undefined) continue
    for (const key of RECORD_SINK_KEYS[type])
      if (!given([...path, key]) && !(key === 'token' && given([...path, 'token_file'])))
        report(path, `a sink of type ${type} needs ${key}`, `add ${key}`)
    if (type === 'elastic' && format === 'cef')
      report([...path, 'format'], 'elastic takes documents', 'choose yori, ecs or ocsf')
    if (inPlain([...path, 'token']))
      warn(
        [...path, 'token'],
        'the token stands in plain text in this file',
        'write ${VAR} and set VAR, or name a file of mode 0600 by token_file',
      )
    if (url !== undefined && isInTheClear(url))
      warn([...path, 'url'], 'the record goes there in the clear', 'use https')
    if (type === 'syslog' && sink.transport !== 'tls' && !isLoopback(sink.host ?? ''))
      warn([...path, 'transport'], 'the record goes there in the clear', 'use tls')
  }
}

const isLoopback = (host: string): boolean =>
  /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/.test(host)

function isInTheClear(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'http:' && !isLoopback(hostname)
}
