/** `/api/recordings`: whole exchanges as they pass, for `yori record` on this machine. */
import { badRequest, json, notFound, Refusal } from '../answer.js'
import type { Handler } from '../method.js'
import { recordingFilterIn } from '../recording-filter.js'
import type { RecordingAsked } from '../recordings.js'

const MIB = 1024 * 1024
const USUAL_BODY_BYTES = 100 * MIB
const MOST_BODY_BYTES = 1024 * MIB

export const record: Handler = (call) => {
  const { body, caller, on } = call
  // What people say, whole, with what they paste: nothing for a browser or another machine.
  if (caller.entrance !== 'socket')
    throw new Refusal(403, 'forbidden', 'recordings are made by the socket alone')
  const asked = askedBy(body)
  const { recordings } = on.port.telemetry
  recordings.refuseBeyond()
  on.access.looked(call, 'recording', { ...asked.filter })
  return { kind: 'stream', open: (response) => recordings.open(response, asked) }
}

export const stop: Handler = async ({ params, on }) => {
  if (!(await on.port.telemetry.recordings.stop(params['id'] ?? '')))
    throw notFound('recording')
  return json({ stopped: true })
}

/** @throws Refusal 400 */
function askedBy(body: unknown): RecordingAsked {
  const given = (body ?? {}) as Record<string, unknown>
  const { filter, max_body_bytes: most = USUAL_BODY_BYTES, ...more } = given
  const isSize =
    typeof most === 'number' &&
    Number.isInteger(most) &&
    most >= 0 &&
    most <= MOST_BODY_BYTES
  if (!isSize) throw badRequest(`max_body_bytes: from 0 to ${MOST_BODY_BYTES}`)
  if (Object.keys(more).length > 0)
    throw badRequest('filter and max_body_bytes are taken here')
  return { filter: recordingFilterIn(filter), maxBodyBytes: most }
}
