/** What detectors find in texts that a tool gave: as in those that a model is told of it. */
import { inSlices } from '../../core/resting.js'
import type { Detector } from '../../detect/detector.js'
import type { FindingInput } from '../../policy/policy.js'
import { BodyTextReader } from '../../providers/body-text.js'
import { SAID_LIMITS, saidOf } from '../reading/said.js'

/** Rests as it goes. */
export async function foundInTool(
  texts: readonly string[],
  detector: Detector | undefined,
): Promise<readonly FindingInput[]> {
  if (texts.length === 0) return []
  const reader = new BodyTextReader()
  const messages = texts.map((content) => ({ role: 'tool', tool_call_id: '1', content }))
  await inSlices(reader.read({ messages }))
  const { units } = reader.end()
  const limits = detector === undefined ? SAID_LIMITS : { ...SAID_LIMITS, detector }
  const said = await inSlices(saidOf(units, undefined, limits))
  return said?.findings ?? []
}
