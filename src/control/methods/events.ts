/** `/api/events`: exchanges as they end, for whoever reads on. */
import type { Handler } from '../method.js'

export const events: Handler = (call) => {
  const { on, caller, request } = call
  const { live } = on.port.telemetry
  live.refuseBeyond()
  on.access.looked(call, 'live', {})
  const isLetIn = (): boolean =>
    caller.csrf === undefined || on.gate.login(request) !== undefined
  return { kind: 'stream', open: (response) => live.open(response, isLetIn) }
}

/** The description of all of this, as OpenAPI 3.1. */
export const openapi: Handler = async () => {
  const [{ readFile }, { packageFile }] = await Promise.all([
    import('node:fs/promises'),
    import('../../core/package-root.js'),
  ])
  return {
    kind: 'text',
    status: 200,
    type: 'application/yaml',
    body: await readFile(packageFile('config', 'openapi.yaml'), 'utf8'),
  }
}
