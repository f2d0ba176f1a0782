/** `/metrics`, as Prometheus reads it. */
import { prometheusText, PROMETHEUS_TYPE } from '../../metrics/prometheus.js'
import { stateFamilies } from '../../metrics/state.js'
import type { Handler } from '../method.js'

export const metrics: Handler = ({ on: { port, delays } }) => {
  const { appliance, traffic, clock, version, startedAt } = port
  const delay = delays.look()
  const state = { appliance, traffic, clock, version, startedAt, delay }
  const families = [...traffic.families(), ...stateFamilies(state)]
  return {
    kind: 'text',
    status: 200,
    type: PROMETHEUS_TYPE,
    body: prometheusText(families),
  }
}
